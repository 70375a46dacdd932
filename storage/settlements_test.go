package storage_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// counter gives s an institution with one counter.
func counter(t *testing.T, s *storage.Store) {
	t.Helper()
	if err := s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院"}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "收费窗口", Kind: ward.Charge}); err != nil {
		t.Fatal(err)
	}
}

func bill(no string, at time.Time) ward.Settlement {
	return ward.Settlement{InstitutionID: "h1", PlaceID: "p1", ExternalNo: no, InsuredID: "i1", Kind: ward.Outpatient, At: at, AmountFen: 1234}
}

func TestSettlementIsStoredOnce(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		now := time.Now()
		first, fresh, err := s.AddSettlement(t.Context(), bill("a", now))
		if err != nil || fresh != ward.WasAdded || first.ID == "" || first.State != ward.Pending || first.Due.Sub(first.At) != 5*time.Second {
			t.Fatalf("got %+v, %v, %v", first, fresh, err)
		}
		again, fresh, err := s.AddSettlement(t.Context(), bill("a", now))
		if err != nil || fresh != ward.Unchanged || !reflect.DeepEqual(again, first) {
			t.Errorf("again: got %+v, %v, %v; want %+v", again, fresh, err, first)
		}
		other := bill("a", now)
		other.AmountFen++
		if _, _, err := s.AddSettlement(t.Context(), other); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "settlement.differs"}) {
			t.Errorf("other content: got %v", err)
		}
		if got, err := s.Settlement(t.Context(), first.ID); err != nil || !reflect.DeepEqual(got, first) {
			t.Errorf("read back %+v, %v", got, err)
		}
		if _, err := s.Settlement(t.Context(), "none"); ward.KindOf(err) != ward.NotFound {
			t.Errorf("unknown: got %v", err)
		}
	})
}

func TestBadSettlementsAreRefused(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		for code, spoil := range map[string]func(*ward.Settlement){
			"unknown_institution": func(v *ward.Settlement) { v.InstitutionID = "h9" },
			"unknown_place":       func(v *ward.Settlement) { v.PlaceID = "p9" },
			"future":              func(v *ward.Settlement) { v.At = time.Now().Add(time.Hour) },
			"kind":                func(v *ward.Settlement) { v.Kind = "gift" },
			"external_no":         func(v *ward.Settlement) { v.ExternalNo = "" },
			"insured":             func(v *ward.Settlement) { v.InsuredID = "" },
			"amount":              func(v *ward.Settlement) { v.AmountFen = -1 },
			"at":                  func(v *ward.Settlement) { v.At = time.Time{} },
		} {
			v := bill("x", time.Now())
			spoil(&v)
			if _, _, err := s.AddSettlement(t.Context(), v); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "settlement." + code}) {
				t.Errorf("%s: got %v", code, err)
			}
		}
	})
}

func TestSettlementsDueAndListed(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		base := time.Now().Add(-time.Hour).Truncate(time.Second)
		var ids []ward.SettlementID
		for i := range 5 {
			v := bill(fmt.Sprint(i), base.Add(time.Duration(i)*time.Minute))
			v.ID = ward.NewID[ward.SettlementID](v.At)
			if _, _, err := s.AddSettlement(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, v.ID)
		}
		due := func(now time.Time) (got []ward.SettlementID) {
			list, err := s.DueSettlements(t.Context(), now, 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				got = append(got, v.ID)
			}
			return got
		}
		if got := due(base.Add(time.Minute + 5*time.Second)); len(got) != 2 || got[0] != ids[0] || got[1] != ids[1] {
			t.Errorf("due: got %v", got)
		}
		if err := s.PostponeSettlements(t.Context(), ids[:1], base.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := due(base.Add(time.Minute + 5*time.Second)); len(got) != 1 || got[0] != ids[1] {
			t.Errorf("due after postponing: got %v", got)
		}
		if _, _, err := judged(t, s, ward.Settlement{ID: ids[4]}); err != nil {
			t.Fatal(err)
		}
		f := storage.SettlementFilter{Institutions: []ward.InstitutionID{"h1"}, State: ward.Pending, Limit: 3}
		page, next, err := s.Settlements(t.Context(), f)
		if err != nil || len(page) != 3 || page[0].ID != ids[3] || next == "" {
			t.Fatalf("first page %v, %q, %v", page, next, err)
		}
		f.Before = next
		if page, next, err = s.Settlements(t.Context(), f); err != nil || len(page) != 1 || page[0].ID != ids[0] || next != "" {
			t.Errorf("second page %v, %q, %v", page, next, err)
		}
		if page, _, err = s.Settlements(t.Context(), storage.SettlementFilter{Institutions: []ward.InstitutionID{}}); err != nil || len(page) != 0 {
			t.Errorf("no institution: got %v, %v", page, err)
		}
		at, err := s.SettlementsAt(t.Context(), "p1", base.Add(time.Minute), base.Add(3*time.Minute), 100)
		if err != nil || len(at) != 3 || at[0].ID != ids[1] {
			t.Errorf("at: got %v, %v", at, err)
		}
	})
}

func TestInsuredIsSealed(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		p := ward.Insured{ID: "i1", Name: "王小明", IDNumber: "11010519491231002X"}
		if err := s.PutInsured(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Insured(t.Context(), "i1"); err != nil || got.Name != p.Name || got.IDNumber != p.IDNumber || got.Enrolled {
			t.Errorf("got %+v, %v", got, err)
		}
		tmpl := ward.Template{.6, .8}
		if err := s.Enrol(t.Context(), "i1", tmpl, "m1", "v1/h1/faces/i1.jpg"); err != nil {
			t.Fatal(err)
		}
		p.Name = "王大明"
		if err := s.PutInsured(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		many, err := s.InsuredMany(t.Context(), []ward.InsuredID{"i1", "i2"})
		if err != nil || len(many) != 1 {
			t.Fatalf("got %v, %v", many, err)
		}
		if got := many["i1"]; !got.Enrolled || got.Template.Cosine(tmpl) < .999 || got.ModelID != "m1" || got.Name != "王大明" {
			t.Errorf("after enrolment: %+v", got)
		}
		if err := s.PutInsured(t.Context(), ward.Insured{ID: "i0", Name: "李"}); err != nil {
			t.Fatal(err)
		}
		if all, err := s.InsuredAfter(t.Context(), "", 0); err != nil || len(all) != 2 || all[0].ID != "i0" || all[1].Name != "王大明" {
			t.Errorf("all: %v, %v", all, err)
		}
		if rest, err := s.InsuredAfter(t.Context(), "i0", 1); err != nil || len(rest) != 1 || rest[0].ID != "i1" {
			t.Errorf("after i0: %v, %v", rest, err)
		}
		if err := s.Enrol(t.Context(), "i2", tmpl, "m1", ""); ward.KindOf(err) != ward.NotFound {
			t.Errorf("enrol a stranger: %v", err)
		}
		if _, err := s.Insured(t.Context(), "i2"); ward.KindOf(err) != ward.NotFound {
			t.Errorf("unknown: %v", err)
		}
		if err := s.PutInsured(t.Context(), ward.Insured{ID: "i/3", Name: "x"}); ward.KindOf(err) != ward.Invalid {
			t.Errorf("bad id: %v", err)
		}
	})
}

func TestSightingsAt(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		base := time.Now().Truncate(time.Second).UTC()
		put := func(id ward.SightingID, kind ward.SightingKind, from, to int) ward.Sighting {
			v := ward.Sighting{
				ID: id, CameraID: "c1", PlaceID: "p1", InstitutionID: "h1", Kind: kind, From: base.Add(time.Duration(from) * time.Second),
				To: base.Add(time.Duration(to) * time.Second), Count: 2, Score: .5, Box: ward.Box{X: .5, Y: .25, W: .125, H: .25},
				ModelID: "m1", Template: ward.Template{.6, .8},
			}
			if err := s.PutSighting(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			return v
		}
		put("s1", ward.FaceSeen, 0, 3)
		want := put("s1", ward.FaceSeen, 0, 5) // extended
		put("s2", ward.PeopleSeen, 20, 25)
		put("s3", ward.Watched, -3000, 60)
		if err := s.SetSightingSnapshot(t.Context(), "s1", "v1/h1/c1/snap/x.jpg"); err != nil {
			t.Fatal(err)
		}
		got, err := s.SightingsAt(t.Context(), "p1", base.Add(4*time.Second), base.Add(10*time.Second))
		if err != nil || len(got) != 2 || got[0].ID != "s3" || got[1].ID != "s1" {
			t.Fatalf("got %v, %v", got, err)
		}
		f := got[1]
		if !f.From.Equal(want.From) || !f.To.Equal(want.To) || f.Box != want.Box || f.Score != want.Score || f.Count != 2 ||
			f.Template.Cosine(want.Template) < .999 || f.SnapshotKey != "v1/h1/c1/snap/x.jpg" || f.Kind != ward.FaceSeen {
			t.Errorf("got %+v, want %+v", f, want)
		}
		if got, err := s.SightingsAt(t.Context(), "p2", base, base.Add(time.Hour)); err != nil || len(got) != 0 {
			t.Errorf("another place: %v, %v", got, err)
		}
		bad := want
		bad.ID, bad.To = "s9", bad.From.Add(storage.MaxSighting+1)
		if err := s.PutSightings(t.Context(), []ward.Sighting{put("s8", ward.Watched, 900, 901), bad}); err == nil {
			t.Error("a sighting of over an hour was stored")
		}
	})
}

func alertOn(v ward.Settlement, rule ward.Rule) ward.Alert {
	return ward.Alert{
		ID: ward.NewID[ward.AlertID](v.At), InstitutionID: v.InstitutionID, PlaceID: v.PlaceID, CameraID: "c1", Rule: rule, RuleVersion: 1,
		SettlementID: v.ID, At: v.At, Raised: v.At.Add(7 * time.Second), Severity: 3, Sightings: []ward.SightingID{"s1"},
		ExplainZH: "无人", ExplainEN: "nobody", SnapshotKey: "k.jpg", SnapshotSHA: [32]byte{1, 2}, ClipFrom: v.At.Add(-ward.ClipBefore), ClipTo: v.At.Add(ward.ClipAfter),
	}
}

// judged stores the judgement of v that these rules fire.
func judged(t *testing.T, s *storage.Store, v ward.Settlement, fired ...ward.Rule) ([]ward.Alert, []ward.SettlementID, error) {
	j := storage.Judgement{Settlement: v, State: ward.Clear, Stage: ward.JudgedFully}
	for _, r := range fired {
		j.State, j.Alerts = ward.Suspicious, append(j.Alerts, alertOn(v, r))
	}
	return s.Judge(t.Context(), j)
}

func TestJudgeOnce(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		v, _, err := s.AddSettlement(t.Context(), bill("a", time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		// Many judges at once, as after a crash or with two processes: one wins.
		var all sync.WaitGroup
		var mu sync.Mutex
		var raised []ward.Alert
		for range 8 {
			all.Go(func() {
				got, _, e := judged(t, s, v, ward.NobodyAtCounter, ward.FaceMismatch)
				if e != nil {
					t.Error(e)
				}
				mu.Lock()
				defer mu.Unlock()
				raised = append(raised, got...)
			})
		}
		all.Wait()
		if len(raised) != 2 || raised[0].Leaf == raised[1].Leaf {
			t.Fatalf("raised %v", raised)
		}
		if got, passed, e := judged(t, s, v); e != nil || len(got) != 0 || len(passed) != 1 {
			t.Errorf("again: %v, %v", got, e)
		}
		if got, e := s.Settlement(t.Context(), v.ID); e != nil || got.State != ward.Suspicious {
			t.Errorf("state %v, %v", got.State, e)
		}
		list, next, err := s.Alerts(t.Context(), storage.AlertFilter{SettlementID: v.ID})
		if err != nil || len(list) != 2 || next != "" {
			t.Fatalf("list %v, %v", list, err)
		}
		for _, a := range list {
			got, err := s.Alert(t.Context(), a.ID)
			if err != nil || got.SnapshotSHA != [32]byte{1, 2} || got.State != ward.AlertNew || len(got.Sightings) != 1 || !got.ClipTo.Equal(v.At.Add(ward.ClipAfter)) {
				t.Errorf("alert %+v, %v", got, err)
			}
		}
		if got, passed, err := judged(t, s, ward.Settlement{ID: "none"}); err != nil || len(got) != 0 || len(passed) != 1 {
			t.Errorf("unknown settlement: %v, %v, %v", got, passed, err)
		}
		if _, _, err := s.Judge(t.Context(), storage.Judgement{Settlement: v, State: ward.Suspicious}); err == nil {
			t.Error("suspicious without an alert was accepted")
		}
	})
}
