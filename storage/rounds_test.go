package storage_test

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func hash(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

// orderOne puts one institution, one admission and a round of one visit.
func orderOne(t *testing.T, s *storage.Store, token string, now time.Time, valid time.Duration) (ward.Round, ward.Visit) {
	t.Helper()
	ctx := t.Context()
	inst := ward.NewID[ward.InstitutionID](now)
	if err := s.PutInstitution(ctx, ward.Institution{ID: inst, Name: "第一医院"}); err != nil {
		t.Fatal(err)
	}
	a := ward.Admission{ID: ward.NewID[ward.AdmissionID](now), InstitutionID: inst, InsuredID: "p1", Ward: "内一", Bed: "12", From: now.Add(-time.Hour)}
	if err := s.AddAdmission(ctx, a); err != nil {
		t.Fatal(err)
	}
	r := ward.Round{ID: ward.NewID[ward.RoundID](now), InstitutionID: inst, OrderedBy: "u1", Reason: "抽查", Ward: "内一", Ordered: now, Deadline: now.Add(time.Hour)}
	v := ward.Visit{
		ID: ward.NewID[ward.VisitID](now), RoundID: r.ID, InstitutionID: inst, AdmissionID: a.ID, InsuredID: a.InsuredID,
		Ward: a.Ward, Bed: a.Bed, LinkExpires: now.Add(valid),
	}
	r, err := s.OrderRound(ctx, r, []ward.Visit{v}, [][]byte{hash(token)})
	if err != nil {
		t.Fatal(err)
	}
	return r, v
}

func TestAdmissions(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderOne(t, s, "a", now, time.Minute)
		got, err := s.Admission(ctx, v.AdmissionID)
		if err != nil || got.Bed != "12" || !got.To.IsZero() {
			t.Fatalf("got %+v, %v", got, err)
		}
		if err := s.AddAdmission(ctx, got); ward.KindOf(err) != "" && !errors.Is(err, &ward.Error{Code: "admission.exists"}) || err == nil {
			t.Errorf("the same admission again: %v", err)
		}
		if err := s.AddAdmission(ctx, ward.Admission{ID: "x", InstitutionID: "nowhere"}); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
			t.Errorf("unknown institution: %v", err)
		}
		for _, c := range []struct {
			insts []ward.InstitutionID
			ward  string
			want  int
		}{
			{nil, "", 1},
			{[]ward.InstitutionID{v.InstitutionID}, "内一", 1},
			{[]ward.InstitutionID{v.InstitutionID}, "外二", 0},
			{[]ward.InstitutionID{}, "", 0},
			{[]ward.InstitutionID{"other"}, "", 0},
		} {
			list, err := s.Admissions(ctx, c.insts, c.ward)
			if err != nil || len(list) != c.want {
				t.Errorf("%v %q: got %d, %v", c.insts, c.ward, len(list), err)
			}
		}
	})
}

func TestOpenVisitIsSingleUse(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderOne(t, s, "good", now, time.Minute)
		_, old := orderOne(t, s, "old", now.Add(-time.Hour), time.Minute)

		if _, err := s.OpenVisit(ctx, hash("nothing"), hash("d"), now); !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "bedside.link_unknown"}) {
			t.Errorf("unknown: %v", err)
		}
		if _, err := s.OpenVisit(ctx, hash("old"), hash("d"), now); !errors.Is(err, &ward.Error{Kind: ward.Gone, Code: "bedside.link_expired"}) {
			t.Errorf("expired: %v", err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 50)
		for i := range errs {
			wg.Go(func() { _, errs[i] = s.OpenVisit(ctx, hash("good"), hash(strconv.Itoa(i)), now) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, &ward.Error{Kind: ward.Gone, Code: "bedside.link_used"}):
				t.Errorf("used: %v", err)
			}
		}
		if won != 1 {
			t.Errorf("%d devices opened one link", won)
		}
		if _, err := s.ReissueLink(ctx, v.ID, hash("new"), now.Add(time.Minute)); !errors.Is(err, &ward.Error{Code: "visit.opened"}) {
			t.Errorf("reissue after open: %v", err)
		}
		if _, err := s.ReissueLink(ctx, old.ID, hash("new"), now.Add(time.Minute)); err != nil {
			t.Errorf("reissue: %v", err)
		}
		if _, err := s.OpenVisit(ctx, hash("old"), hash("d"), now); !errors.Is(err, &ward.Error{Code: "bedside.link_unknown"}) {
			t.Errorf("replaced link: %v", err)
		}
		if _, err := s.OpenVisit(ctx, hash("new"), hash("z"), now); err != nil {
			t.Errorf("new link: %v", err)
		}
	})
}

func TestVisitRunsToItsSeal(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		r, v := orderOne(t, s, "t", now, time.Minute)
		if r.Leaf != 0 {
			t.Errorf("order's leaf %d, want 0", r.Leaf)
		}
		if _, err := s.OpenVisit(ctx, hash("t"), hash("dev"), now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.VisitByDevice(ctx, hash("other")); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
			t.Errorf("foreign device: %v", err)
		}
		if _, err := s.BeginChecking(ctx, v.ID); !errors.Is(err, &ward.Error{Code: "visit.state"}) {
			t.Errorf("checking before consent: %v", err)
		}
		if _, err := s.Consent(ctx, v.ID, now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.BeginChecking(ctx, v.ID); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if err := s.AddVisitEvent(ctx, v.ID, "command", now, map[string]any{"id": i}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		checks := []ward.Check{
			{VisitID: v.ID, Kind: ward.CheckLive, Outcome: ward.Pass, Score: 1, At: now},
			{VisitID: v.ID, Kind: ward.CheckFace, Outcome: ward.Unsure, Score: .5, At: now},
		}
		d, err := s.AwaitDecision(ctx, v, checks)
		if err != nil || d.State != ward.VisitDeciding {
			t.Fatalf("await: %+v, %v", d, err)
		}
		if _, err = s.VisitByDevice(ctx, hash("dev")); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
			t.Errorf("device after the session: %v", err)
		}
		d.Verdict, d.DecidedBy, d.ReasonEN = ward.Present, "u1", "seen by the inspector"
		d, err = s.SealVisit(ctx, d, nil)
		if err != nil || d.State != ward.VisitSealed || d.Leaf != 1 || d.Sealed.IsZero() || d.Verdict != ward.Present {
			t.Fatalf("seal: %+v, %v", d, err)
		}
		if _, err = s.SealVisit(ctx, d, nil); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "visit.sealed"}) {
			t.Errorf("seal again: %v", err)
		}
		got, err := s.Checks(ctx, v.ID)
		if err != nil || len(got) != 2 || got[0].Kind != ward.CheckFace && got[1].Kind != ward.CheckFace {
			t.Errorf("checks %+v, %v", got, err)
		}
		events, err := s.VisitEvents(ctx, v.ID)
		if err != nil || len(events) != 14 {
			t.Fatalf("events %+v, %v", events, err)
		}
		for i, e := range events {
			if e.Seq != int64(i+1) {
				t.Errorf("event %d has seq %d", i, e.Seq)
			}
		}
		if list, err := s.Rounds(ctx, []ward.InstitutionID{r.InstitutionID}, nil, "", 10); err != nil || len(list) != 1 {
			t.Errorf("rounds %v, %v", list, err)
		}
	})
}

func TestVisitThatWentOnIsNotSealedAsItWasRead(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, ordered := orderOne(t, s, "t", now, time.Minute)
		read, err := s.Visit(ctx, ordered.ID)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := s.OpenVisit(ctx, hash("t"), hash("d"), now)
		if err != nil {
			t.Fatal(err)
		}
		read.Verdict = ward.NoAnswer
		if v, err := s.SealVisitAsRead(ctx, read, nil); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "visit.state"}) || v.State != ward.VisitOpened {
			t.Errorf("sealed as it was read: %s, %v", v.State, err)
		}
		opened.Verdict = ward.NoAnswer
		if v, err := s.SealVisitAsRead(ctx, opened, nil); err != nil || v.State != ward.VisitSealed {
			t.Errorf("sealed as it is: %s, %v", v.State, err)
		}
		if _, err := s.SealVisitAsRead(ctx, opened, nil); !errors.Is(err, &ward.Error{Code: "visit.sealed"}) {
			t.Errorf("sealed twice: %v", err)
		}
	})
}

func TestOverdueVisits(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, late := orderOne(t, s, "late", now.Add(-2*time.Hour), time.Minute)
		_, _ = orderOne(t, s, "soon", now, time.Minute)
		got, err := s.OverdueVisits(ctx, now)
		if err != nil || len(got) != 1 || got[0].ID != late.ID {
			t.Fatalf("overdue %+v, %v", got, err)
		}
		if _, err := s.SealVisit(ctx, ward.Visit{ID: late.ID, Verdict: ward.NoAnswer}, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := s.OverdueVisits(ctx, now); err != nil || len(got) != 0 {
			t.Errorf("after the seal: %+v, %v", got, err)
		}
		if _, err := s.OpenVisit(ctx, hash("late"), hash("d"), now); !errors.Is(err, &ward.Error{Code: "bedside.link_expired"}) {
			t.Errorf("link of a sealed visit: %v", err)
		}
	})
}
