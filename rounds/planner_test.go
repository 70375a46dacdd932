package rounds_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testdrand"
	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// planning is a hospital with two inpatients and its planner, which does not run yet.
func planning(t *testing.T, s *storage.Store) *rounds.Planner {
	t.Helper()
	ctx := t.Context()
	if err := s.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "第一医院"}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddUser(ctx, inspector, "", ""); err != nil {
		t.Fatal(err)
	}
	for _, bed := range []string{"1", "2"} {
		if err := s.AddAdmission(ctx, ward.Admission{ID: ward.AdmissionID("a" + bed), InstitutionID: "h1", InsuredID: "p", Ward: "内一", Bed: bed, From: time.Now().Add(-time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	log := slog.New(slog.DiscardHandler)
	return &rounds.Planner{Store: s, Engine: &rounds.Engine{Store: s, Log: log}, Drawer: &rounds.Drawer{Store: s, Log: log}, Log: log}
}

var spec = ward.PlanSpec{Reason: "突击查房", Ward: "内一", Method: ward.ByHand, DeadlineMinutes: 30}

// due stores a plan whose start came ago.
func due(t *testing.T, s *storage.Store, ago time.Duration, change func(*ward.PlanSpec)) ward.Plan {
	t.Helper()
	p := ward.Plan{InstitutionID: "h1", PlannedBy: inspector.ID, Spec: spec, Next: time.Now().Add(-ago)}
	if change != nil {
		change(&p.Spec)
	}
	p, err := s.AddPlan(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ran runs n planners at once until the plan has a run.
func ran(t *testing.T, p *rounds.Planner, id ward.PlanID, n int) []ward.PlanRun {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range n {
		all.Go(func() { _ = p.Run(ctx) })
	}
	defer all.Wait()
	defer stop()
	for end := time.Now().Add(time.Minute); ; {
		runs, err := p.Store.PlanRuns(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if len(runs) > 0 {
			return runs
		}
		if time.Now().After(end) {
			t.Fatal("the plan did nothing in a minute")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// Four planners on one database, as after a start beside a dying process.
func TestPlanStartsOnceAndSaysHowLate(t *testing.T) {
	t.Parallel()
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		p := planning(t, s)
		plan := due(t, s, 5*time.Minute, nil)
		if all, err := s.Rounds(t.Context(), nil, nil, "", 10); err != nil || len(all) != 0 {
			t.Fatalf("before: %+v, %v", all, err)
		}
		run := ran(t, p, plan.ID, 4)[0]
		all, err := s.Rounds(t.Context(), nil, nil, "", 10)
		if err != nil || len(all) != 1 || run.Outcome != ward.PlanStarted || run.RoundID != all[0].ID {
			t.Fatalf("got %+v, run %+v, %v", all, run, err)
		}
		r := all[0]
		if late := r.Ordered.Sub(r.Due); r.PlanID != plan.ID || !r.Due.Equal(plan.Next) || late < 5*time.Minute || r.Deadline.Sub(r.Ordered).Round(time.Minute) != 30*time.Minute {
			t.Errorf("got %+v, %v late", r, late)
		}
		visits, err := s.Visits(t.Context(), r.ID)
		if err != nil || len(visits) != 2 || visits[0].LinkExpires.After(time.Now()) {
			t.Errorf("got %+v, %v", visits, err)
		}
		if v, err := s.Plan(t.Context(), plan.ID); err != nil || v.State != ward.PlanEnded || !v.Next.IsZero() {
			t.Errorf("got %+v, %v", v, err)
		}
	})
}

func TestPlansThatBringNoRound(t *testing.T) {
	t.Parallel()
	p := planning(t, teststore.SQLite(t))
	for name, c := range map[string]struct {
		ago    time.Duration
		change func(*ward.PlanSpec)
		want   ward.PlanOutcome
	}{
		"nobody there":      {time.Second, func(s *ward.PlanSpec) { s.Ward = "空" }, ward.PlanFailed},
		"down for too long": {2 * time.Hour, nil, ward.PlanMissed},
		"too few to draw":   {time.Second, func(s *ward.PlanSpec) { s.Method, s.Take = ward.ByDraw, 5 }, ward.PlanFailed},
	} {
		run := ran(t, p, due(t, p.Store, c.ago, c.change).ID, 1)[0]
		if run.Outcome != c.want || run.ReasonZH == "" || run.ReasonEN == "" || run.RoundID != "" {
			t.Errorf("%s: got %+v", name, run)
		}
	}
	if all, err := p.Store.Rounds(t.Context(), nil, nil, "", 10); err != nil || len(all) != 0 {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestWeeklyPlanGoesOnAndCancelledOnesDoNot(t *testing.T) {
	t.Parallel()
	p := planning(t, teststore.SQLite(t))
	weekly := due(t, p.Store, time.Minute, func(s *ward.PlanSpec) { s.Weekly, s.Weekdays, s.From, s.To = true, []int{1, 2, 3, 4, 5}, 540, 1020 })
	gone := due(t, p.Store, time.Second, nil)
	if err := p.Store.CancelPlan(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	ran(t, p, weekly.ID, 1)
	got, err := p.Store.Plan(t.Context(), weekly.ID)
	if err != nil || got.State != ward.PlanActive || !got.Next.After(time.Now()) || time.Until(got.Next) > 15*24*time.Hour {
		t.Errorf("got %+v, %v", got, err)
	}
	if runs, err := p.Store.PlanRuns(t.Context(), gone.ID); err != nil || len(runs) != 0 {
		t.Errorf("cancelled: %+v, %v", runs, err)
	}
}

// A drawn start has a draw of its own, and its round is ordered in the name of the drawn inspector.
func TestPlanIsDrawn(t *testing.T) {
	t.Parallel()
	p := planning(t, teststore.SQLite(t))
	beacon := testdrand.New(t, "plans", time.Now().Add(-time.Hour))
	p.Drawer.Chain, p.Drawer.Relays, p.Drawer.Margin = beacon.Chain, []string{beacon.URL}, time.Second
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = p.Drawer.Run(ctx) })
	defer all.Wait()
	defer stop()
	plan := due(t, p.Store, time.Second, func(s *ward.PlanSpec) { s.Method, s.Ward, s.Take = ward.ByDraw, "", 1 })
	run := ran(t, p, plan.ID, 2)[0]
	r, err := p.Store.Round(t.Context(), run.RoundID)
	if err != nil || run.Outcome != ward.PlanStarted || run.DrawID == "" || r.DrawID != run.DrawID || r.Method != ward.ByDraw || r.OrderedBy != inspector.ID || r.PlanID != plan.ID {
		t.Fatalf("got %+v, run %+v, %v", r, run, err)
	}
	if draws, err := p.Store.Draws(t.Context(), nil, "", 10); err != nil || len(draws) != 1 || draws[0].State != ward.DrawOrdered || draws[0].RoundID != r.ID {
		t.Errorf("got %+v, %v", draws, err)
	}
}
