package rounds_test

import (
	"bytes"
	"errors"
	"io/fs"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// TestEnrolmentByLink takes reference faces at the bedside: only of somebody
// who passes the live check, and in the place of another face only when people say so.
func TestEnrolmentByLink(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		known   string // whose face is enrolled already
		does    simbed.Behaviour
		verdict ward.Verdict // undecided: people decide present
		version int          // that counts afterwards
	}{
		{"nobody enrolled", "", simbed.Genuine, ward.Present, 1},
		{"a film that goes round", "", simbed.Loop, ward.Unable, 0},
		{"somebody else enrolled, by proxy", impostor, simbed.Genuine, ward.Undecided, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			ctx := t.Context()
			r.admit(c.known, 125)
			p, err := r.store.Insured(ctx, "p1")
			if err == nil && c.known != "" {
				if err = r.obj.Put(ctx, "v1/photos/p1/old", bytes.NewReader([]byte("photo")), 5); err == nil {
					_, err = r.store.EnrolBy(ctx, inspector, ward.Enrolment{InsuredID: "p1", Way: ward.EnrolByPhoto, Proxy: true, Reason: "女儿代办", ModelID: p.ModelID}, p.Template, "v1/photos/p1/old", []byte("photo"))
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			_, link, err := r.engine.OrderEnrolment(ctx, inspector, ward.Admission{ID: r.stay, InstitutionID: r.inst, InsuredID: "p1", Ward: "内一"}, "入院登记", time.Now().Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			res, err := r.answer(link.Token, c.does, "franck")
			if err != nil || res.Notice["purpose"] != string(ward.ForEnrolment) {
				t.Fatalf("%v, notice %v\n%s", err, res.Notice, r.story(link.Visit.ID))
			}
			v := r.until(link.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding || v.State == ward.VisitSealed })
			if c.verdict == ward.Undecided && v.State == ward.VisitDeciding {
				v, err = r.engine.Decide(ctx, v.ID, inspector, ward.Present, "已核对证件，确为本人")
			}
			if want := c.verdict; err != nil || v.Verdict != want && (want != ward.Undecided || v.Verdict != ward.Present || v.DecidedBy == "") {
				t.Fatalf("%s, %v, want %s\n%s", v.Verdict, err, want, r.story(v.ID))
			}
			p, err = r.store.Insured(ctx, "p1")
			if err != nil || p.Enrolment != c.version || p.Proxy {
				t.Fatalf("version %d counts, proxy %v, %v; want %d", p.Enrolment, p.Proxy, err, c.version)
			}
			if c.version == 0 {
				if len(p.Template) > 0 {
					t.Error("a face is enrolled")
				}
				return
			}
			e, face, err := r.store.EnrolmentVersion(ctx, "p1", p.Enrolment)
			if err != nil || e.Way != ward.EnrolByVisit || e.VisitID != v.ID || e.By != inspector.ID || e.Leaf <= v.Leaf || e.AdmissionID != r.stay || face.Cosine(p.Template) < .999 {
				t.Errorf("the enrolment is %+v, %v", e, err)
			}
			if _, err := r.obj.Stat(ctx, "v1/photos/p1/old"); !errors.Is(err, fs.ErrNotExist) || p.PhotoKey != "" {
				t.Errorf("the photo of before is still there: %q, %v", p.PhotoKey, err)
			}
			if c.known == "" {
				r.replays(v)
			}
			// Whoever was enrolled so is met again by an ordinary visit.
			again := r.order(time.Hour)
			if _, err := r.answer(again.Token, simbed.Genuine, "franck"); err != nil {
				t.Fatal(err)
			}
			r.until(again.Visit.ID, sessionMax, func(v ward.Visit) bool { return v.State == ward.VisitDeciding || v.State == ward.VisitSealed })
			if got := r.check(again.Visit.ID, ward.CheckFace); got != ward.Pass {
				t.Errorf("the next visit's face: %s\n%s", got, r.story(again.Visit.ID))
			}
		})
	}
}
