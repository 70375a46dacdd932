package storage_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// orderBeds orders a round of beds; p1, p2… are their patients.
func orderBeds(t *testing.T, s *storage.Store, now time.Time, beds ...ward.InsuredID) (ward.Round, []ward.Visit) {
	t.Helper()
	inst := ward.NewID[ward.InstitutionID](now)
	must(t, s.PutInstitution(t.Context(), ward.Institution{ID: inst, Name: "第一医院"}))
	r := ward.Round{ID: ward.NewID[ward.RoundID](now), InstitutionID: inst, OrderedBy: "u1", Reason: "抽查", Ward: "内一", Ordered: now, Deadline: now.Add(time.Hour)}
	var visits []ward.Visit
	var tokens [][]byte
	for _, p := range beds {
		a := ward.Admission{ID: ward.NewID[ward.AdmissionID](now), InstitutionID: inst, InsuredID: p, Ward: "内一", Bed: string(p), From: now.Add(-time.Hour)}
		must(t, s.PutInsured(t.Context(), ward.Insured{ID: p, Name: "张三"}))
		must(t, s.AddAdmission(t.Context(), a))
		visits = append(visits, ward.Visit{ID: ward.NewID[ward.VisitID](now), RoundID: r.ID, InstitutionID: inst, AdmissionID: a.ID, InsuredID: p, Ward: a.Ward, Bed: a.Bed, LinkExpires: now.Add(time.Hour)})
		tokens = append(tokens, hash("token of "+string(visits[len(visits)-1].ID)))
	}
	r, err := s.OrderRound(t.Context(), r, visits, tokens)
	must(t, err)
	return r, visits
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func alike(cosine float32) bool { return cosine >= .56 }

// Of two visits that end at once with one face both are flagged, whoever is
// first; a third with another face is not.
func TestOneFaceInTwoBedsFlagsBoth(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		for range 5 {
			r, v := orderBeds(t, s, time.Now(), "p1", "p2", "p3")
			faces := []ward.Template{{1, 0}, {.98, .199}, {0, 1}}
			var wg sync.WaitGroup
			errs := make([]error, len(v))
			for i := range v {
				wg.Go(func() { _, errs[i] = s.CompareBeds(ctx, v[i], "m", faces[i], alike) })
			}
			wg.Wait()
			must(t, errors.Join(errs...))
			found, err := s.FindingsOfRound(ctx, r.ID)
			must(t, err)
			a, b := found[v[0].ID], found[v[1].ID]
			if len(found) != 2 || len(a) != 1 || len(b) != 1 || a[0].Other != v[1].ID || b[0].Other != v[0].ID || a[0].Basis != ward.SameFace {
				t.Fatalf("flagged %+v", found)
			}
			// Nobody is present by checks alone that were done before the other visit ended.
			now := v[0]
			now.Verdict = ward.Present
			if _, err := s.SealVisit(ctx, now, nil); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "visit.flagged"}) {
				t.Errorf("sealed as present: %v", err)
			}
			now.DecidedBy = "u1"
			if _, err := s.SealVisit(ctx, now, nil); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestFindingsStandBesideASealedVerdict(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderBeds(t, s, time.Now(), "p1", "p2", "p3")
		must(t, s.Enrol(ctx, "p3", ward.Template{1, 0}, "m", "photo"))
		if found, err := s.CompareBeds(ctx, v[0], "m", ward.Template{0, 1}, alike); err != nil || len(found) != 0 {
			t.Fatalf("the first: %+v, %v", found, err)
		}
		first := v[0]
		first.Verdict = ward.Present
		first, err := s.SealVisit(ctx, first, []ward.Check{{VisitID: first.ID, Kind: ward.CheckOtherBed, Outcome: ward.Pass, At: time.Now()}})
		must(t, err)
		if found, err := s.CompareBeds(ctx, v[1], "m", ward.Template{0, 1}, alike); err != nil || len(found) != 1 {
			t.Fatalf("the same face: %+v, %v", found, err)
		}
		again, err := s.Visit(ctx, first.ID)
		must(t, err)
		checks, err := s.Checks(ctx, first.ID)
		must(t, err)
		beside, err := s.FindingsOf(ctx, first.ID)
		must(t, err)
		if again.Verdict != ward.Present || again.Leaf != first.Leaf || len(checks) != 1 || checks[0].Outcome != ward.Pass || len(beside) != 1 || beside[0].Leaf <= first.Leaf {
			t.Errorf("after: %+v, checks %+v, beside it %+v", again, checks, beside)
		}
		// A session that was begun again is compared again; what is known is not found twice.
		if found, err := s.CompareBeds(ctx, v[1], "m", ward.Template{1, 0}, alike); err != nil || len(found) != 1 || found[0].Basis != ward.SameEnrolment || found[0].Other != v[2].ID {
			t.Errorf("the face of another bed: %+v, %v", found, err)
		}
		if found, err := s.FindingsOf(ctx, v[1].ID); err != nil || len(found) != 2 {
			t.Errorf("findings %+v, %v", found, err)
		}
		if found, err := s.FindingsOf(ctx, v[2].ID); err != nil || len(found) != 0 {
			t.Errorf("whose enrolment it is has done nothing: %+v, %v", found, err)
		}
		if found, err := s.CompareBeds(ctx, v[2], "another model", ward.Template{1, 0}, alike); err != nil || len(found) != 0 {
			t.Errorf("of another model: %+v, %v", found, err)
		}
		healthy(t, s)
		must(t, s.EraseCompared(ctx, time.Now().Add(24*time.Hour)))
		if found, err := s.CompareBeds(ctx, v[2], "m", ward.Template{0, 1}, alike); err != nil || len(found) != 1 {
			t.Errorf("before its time the faces are erased: %+v, %v", found, err)
		}
		must(t, s.EraseCompared(ctx, time.Now().Add(26*time.Hour)))
		if found, err := s.CompareBeds(ctx, v[0], "m", ward.Template{0, 1}, alike); err != nil || len(found) != 0 {
			t.Errorf("the faces are not erased: %+v, %v", found, err)
		}
	})
}

// A visit that a human is to decide fails the check as soon as another visit finds the same face.
func TestAFindingFailsTheCheckOfAVisitToBeDecided(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		_, v := orderBeds(t, s, time.Now(), "p1", "p2")
		for _, x := range v {
			if _, err := s.OpenVisit(ctx, hash("token of "+string(x.ID)), hash("device of "+string(x.ID)), time.Now()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Consent(ctx, x.ID, time.Now()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.BeginChecking(ctx, x.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := s.CompareBeds(ctx, x, "m", ward.Template{1, 0}, alike); err != nil {
				t.Fatal(err)
			}
			passed := []ward.Check{{VisitID: x.ID, Kind: ward.CheckOtherBed, Outcome: ward.Pass, At: time.Now()}}
			if _, err := s.AwaitDecision(ctx, x, passed); err != nil {
				t.Fatal(err)
			}
		}
		for _, x := range v { // the first by the second's finding, the second by its own
			checks, err := s.Checks(ctx, x.ID)
			if err != nil || !slices.ContainsFunc(checks, func(c ward.Check) bool { return c.Kind == ward.CheckOtherBed && c.Outcome == ward.Fail }) {
				t.Errorf("bed %s: %+v, %v", x.Bed, checks, err)
			}
		}
		x := v[0]
		x.State, x.Verdict, x.DecidedBy = ward.VisitDeciding, ward.Mismatch, "u1"
		if _, err := s.SealVisitAsRead(ctx, x, nil); err != nil {
			t.Error(err)
		}
		healthy(t, s)
	})
}
