package storage_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// begin tries a start of ph-1 whose face matched inside the fence.
func begin(t *testing.T, s *storage.Store, inst ward.InstitutionID, window time.Duration) ward.Duty {
	t.Helper()
	d, err := s.AddDuty(t.Context(), ward.User{ID: "u-t", Role: ward.Terminal}, ward.Duty{
		ID: ward.NewID[ward.DutyID](time.Now()), InstitutionID: inst, PlaceID: "p", PhysicianID: "ph-1", Source: ward.IdentityByPhoto, Answer: ward.MatchYes,
		Score: .71, ModelID: "m", Thresholds: ward.DefaultFaceThresholds, Position: ward.DutyInside, Outcome: ward.DutyVerified,
	}, window, []byte("a photo"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func practise(t *testing.T, s *storage.Store, insts ...ward.InstitutionID) {
	t.Helper()
	for _, id := range insts {
		if err := s.PutInstitution(t.Context(), ward.Institution{ID: id, Name: string(id)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutPhysicians(t.Context(), []ward.Physician{{ID: "ph-1", Name: "华医师", Institutions: insts}}); err != nil {
		t.Fatal(err)
	}
}

// Of two institutions at the same moment exactly one has the physician, as
// long as the window lasts; there the physician may begin again.
func TestOneInstitutionAtATime(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		practise(t, s, "h1", "h2")
		const window = time.Hour
		var mu sync.Mutex
		won := map[ward.InstitutionID]int{}
		var wg sync.WaitGroup
		for i := range 10 {
			inst := []ward.InstitutionID{"h1", "h2"}[i%2]
			wg.Go(func() {
				d, err := s.AddDuty(t.Context(), ward.User{ID: "u-t", Role: ward.Terminal}, ward.Duty{
					ID: ward.NewID[ward.DutyID](time.Now()), InstitutionID: inst, PlaceID: "p", PhysicianID: "ph-1", Source: ward.IdentityByPhoto, Answer: ward.MatchYes,
					Position: ward.DutyUnchecked, Outcome: ward.DutyUnplaced,
				}, window, nil)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if d.Outcome.Open() {
					won[inst]++
				} else if d.Outcome != ward.DutyElsewhere || !d.Until.Equal(d.At) {
					t.Errorf("the loser got %+v", d)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 || won["h1"]+won["h2"] != 5 {
			t.Errorf("who won: %v, want one institution five times", won)
		}
		on, err := s.OnDuty(t.Context(), nil, time.Now(), "", 0)
		if err != nil || len(on) != 1 || won[on[0].InstitutionID] == 0 {
			t.Errorf("on duty %+v %v, won %v", on, err, won)
		}
		if off, err := s.OnDuty(t.Context(), nil, time.Now().Add(2*window), "", 0); err != nil || len(off) != 0 {
			t.Errorf("on duty after the window: %+v %v", off, err)
		}
	})
}

// A window that has ended lets another institution begin; who left, or is not
// registered there, cannot.
func TestWindowsEnd(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		practise(t, s, "h1", "h2")
		first := begin(t, s, "h1", time.Microsecond)
		second := begin(t, s, "h2", time.Hour)
		if !first.Outcome.Open() || second.Outcome != ward.DutyVerified {
			t.Errorf("got %s, then %s", first.Outcome, second.Outcome)
		}
		if d, err := s.DutiesAt(t.Context(), "ph-1", second.At.Add(time.Minute)); err != nil || len(d) != 1 || d[0] != second {
			t.Errorf("a minute later: %+v %v", d, err)
		}
		if d, err := s.DutiesAt(t.Context(), "ph-1", second.Until); err != nil || len(d) != 0 {
			t.Errorf("at the end: %+v %v", d, err)
		}
		for _, p := range []ward.Physician{{ID: "ph-1", Name: "华医师", Institutions: []ward.InstitutionID{"h2"}}, {ID: "ph-1", Name: "华医师", Institutions: []ward.InstitutionID{"h1"}, Left: true}} {
			if err := s.PutPhysicians(t.Context(), []ward.Physician{p}); err != nil {
				t.Fatal(err)
			}
			_, err := s.AddDuty(t.Context(), ward.User{ID: "u-t"}, ward.Duty{ID: ward.NewID[ward.DutyID](time.Now()), InstitutionID: "h1", PhysicianID: "ph-1", Outcome: ward.DutyVerified}, time.Hour, nil)
			if !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "physician.unknown"}) {
				t.Errorf("%+v: got %v", p, err)
			}
		}
	})
}

// The ledger tells neither who nor which photo, and changed rows are found.
func TestDutiesAreSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		practise(t, w.Store, "h1")
		if _, err := w.Store.SetDutyPolicy(t.Context(), ward.DutyPolicy{InstitutionID: "h1", WindowMinutes: 60, Reason: "试行", By: "u"}); err != nil {
			t.Fatal(err)
		}
		if err := w.Store.EnrolPhysician(t.Context(), "ph-1", ward.Template{.6, .8}, "m"); err != nil {
			t.Fatal(err)
		}
		p, err := w.Store.Physician(t.Context(), "ph-1")
		if err != nil || p.Name != "华医师" || !p.Enrolled || !slices.Equal(p.Template, ward.Template{.6, .8}) {
			t.Fatalf("got %+v %v", p, err)
		}
		v := begin(t, w.Store, "h1", time.Hour)
		r, err := w.Store.Sealed(t.Context(), v.Leaf)
		if err != nil || r.Kind != storage.KindDuty || bytes.Contains(r.Body, []byte("ph-1")) || bytes.Contains(r.Body, []byte("a photo")) || bytes.Contains(r.Body, []byte("华")) {
			t.Fatalf("sealed %s, %v", r.Body, err)
		}
		if report := check(t, w); !report.OK() {
			t.Fatalf("got %+v", report.Problems)
		}
		name := "duty/" + string(v.ID)
		for column, value := range map[string]any{"outcome": "unplaced", "until_us": 1, "position": "unchecked", "physician_id": "ph-2", "institution_id": "h2", "salt": "00", "actor": "u"} {
			if named := cell(t, w, "duty", column, "id = '"+string(v.ID)+"'", func(any) any { return value }); !slices.Equal(named, []string{name}) {
				t.Errorf("%s changed: fsck names %v", column, named)
			}
		}
		w.Exec(`DELETE FROM duty WHERE id = $1`, v.ID)
		w.Exec(`DELETE FROM duty_policy WHERE version = 1`)
		if named := where(check(t, w)); !slices.Equal(named, []string{name, "duty_policy/1"}) {
			t.Errorf("removed: fsck names %v", named)
		}
	})
}
