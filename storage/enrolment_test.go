package storage_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Every enrolment is a version: the newest counts, the ledger tells neither
// who, which picture nor why, and changed rows are found.
func TestEnrolmentsAreVersionsAndSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx, s := t.Context(), w.Store
		if err := s.PutInsured(ctx, ward.Insured{ID: "p-seal", Name: "张三", IDNumber: "n1"}); err != nil {
			t.Fatal(err)
		}
		enrol := func(e ward.Enrolment, tmpl ward.Template, picture string) (ward.Enrolment, error) {
			e.InsuredID, e.ModelID = "p-seal", "m"
			return s.EnrolBy(ctx, ward.User{ID: "u-desk"}, e, tmpl, "key", []byte(picture))
		}
		for code, e := range map[string]ward.Enrolment{
			"enrol.way":    {},
			"enrol.reason": {Way: ward.EnrolByPhoto, Proxy: true, Reason: " "},
		} {
			if _, err := enrol(e, ward.Template{1}, ""); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: code}) {
				t.Errorf("%s: %v", code, err)
			}
		}
		if _, err := s.EnrolBy(ctx, ward.User{}, ward.Enrolment{InsuredID: "nobody", Way: ward.EnrolByPhoto, ModelID: "m"}, ward.Template{1}, "", nil); !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "insured.unknown"}) {
			t.Errorf("of nobody: %v", err)
		}
		v, err := enrol(ward.Enrolment{Way: ward.EnrolByPhoto, Proxy: true, Reason: "儿子代办", AdmissionID: "a1"}, ward.Template{.6, .8}, "a photo")
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Sealed(ctx, v.Leaf)
		if err != nil || r.Kind != storage.KindEnrolment || bytes.Contains(r.Body, []byte("p-seal")) || bytes.Contains(r.Body, []byte("a photo")) || bytes.Contains(r.Body, []byte("代办")) {
			t.Fatalf("sealed %s, %v", r.Body, err)
		}
		p, err := s.Insured(ctx, "p-seal")
		if err != nil || p.Enrolment != 1 || !p.Proxy || !slices.Equal(p.Template, ward.Template{.6, .8}) {
			t.Fatalf("%+v, %v", p, err)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if _, err := enrol(ward.Enrolment{Way: ward.EnrolByCamera, AdmissionID: "a1"}, ward.Template{1, 0}, "another"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		list, err := s.Enrolments(ctx, "p-seal")
		if err != nil || len(list) != 4 || list[0].Version != 4 || list[0].Proxy || list[3] != v || list[3].Reason != "儿子代办" || list[3].By != "u-desk" {
			t.Fatalf("%+v, %v", list, err)
		}
		if p, err = s.Insured(ctx, "p-seal"); err != nil || p.Enrolment != 4 || p.Proxy {
			t.Fatalf("%+v, %v", p, err)
		}
		for _, c := range []struct {
			later   time.Duration
			version int
			want    ward.Template
		}{{time.Hour, 1, ward.Template{.6, .8}}, {48 * time.Hour, 1, nil}, {48 * time.Hour, 4, ward.Template{1, 0}}} {
			if err := s.EraseCompared(ctx, time.Now().Add(c.later)); err != nil {
				t.Fatal(err)
			}
			if e, face, err := s.EnrolmentVersion(ctx, "p-seal", c.version); err != nil || e.Version != c.version || !slices.Equal(face, c.want) {
				t.Errorf("version %d, %s later: %+v %v, %v", c.version, c.later, e, face, err)
			}
		}
		if _, _, err := s.EnrolmentVersion(ctx, "p-seal", 5); !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "enrol.version"}) {
			t.Errorf("a version that is not there: %v", err)
		}
		if report := check(t, w); !report.OK() {
			t.Fatalf("%+v", report.Problems)
		}
		name := "enrolment/" + string(v.ID)
		for column, value := range map[string]any{"proxy": 0, "way": "camera", "actor": "u", "insured_id": "p-2", "picture": "00", "salt": "00", "at_us": 1} {
			if column == "insured_id" {
				if err := s.PutInsured(ctx, ward.Insured{ID: "p-2", Name: "李四", IDNumber: "n2"}); err != nil {
					t.Fatal(err)
				}
			}
			if named := cell(t, w, "enrolment", column, "id = '"+string(v.ID)+"'", func(any) any { return value }); !slices.Contains(named, name) {
				t.Errorf("%s changed: fsck names %v", column, named)
			}
		}
		if named := cell(t, w, "insured", "proxy", "id = 'p-seal'", func(any) any { return 1 }); !slices.Equal(named, []string{"enrolment/" + string(list[0].ID)}) {
			t.Errorf("the mark changed: fsck names %v", named)
		}
		w.Exec(`DELETE FROM enrolment WHERE id = $1`, v.ID)
		if named := where(check(t, w)); !slices.Equal(named, []string{name}) {
			t.Errorf("removed: fsck names %v", named)
		}
	})
}
