package rounds

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"math/big"
	"slices"
	"time"

	"wardwatch/rounds/draw"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Planner starts the rounds that were planned. Set the fields, call Run.
type Planner struct {
	Store  *storage.Store
	Engine *Engine
	Drawer *Drawer
	Log    *slog.Logger
}

// random is 0 to n-1, which nobody can foresee.
func random(n int) int {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand.Reader never fails
	}
	return int(v.Int64())
}

// Add stores a plan. by must be allowed to order its rounds.
func (p *Planner) Add(ctx context.Context, by ward.User, inst ward.InstitutionID, spec ward.PlanSpec) (ward.Plan, error) {
	now := time.Now()
	if !by.May(ward.MayRound, inst) {
		return ward.Plan{}, &ward.Error{Kind: ward.Forbidden, Code: "round.forbidden", ZH: "您无权对该机构发起查房。", EN: "You may not order a round at this institution."}
	}
	if err := spec.Check(now); err != nil {
		return ward.Plan{}, err
	}
	return p.Store.AddPlan(ctx, ward.Plan{InstitutionID: inst, PlannedBy: by.ID, Spec: spec, Next: spec.First(now, random)})
}

// Run starts what is due, also what came due while no service ran, until ctx ends.
func (p *Planner) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		due, err := p.Store.DuePlans(ctx, time.Now())
		if err != nil && ctx.Err() == nil {
			p.Log.ErrorContext(ctx, "due plans not read", "error", err)
		}
		for _, plan := range due {
			if err := p.start(ctx, plan, time.Now()); err != nil && ctx.Err() == nil {
				p.Log.ErrorContext(ctx, "planned round not started", "plan", plan.ID, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// start takes the next step of a start that is due. What cannot be mended by
// waiting ends the start as failed, with its reason; another error is tried again.
func (p *Planner) start(ctx context.Context, plan ward.Plan, now time.Time) error {
	run := ward.PlanRun{PlanID: plan.ID, Due: plan.Next, DrawID: plan.DrawID, Next: p.next(plan, now)}
	if now.Sub(plan.Next) > ward.PlanLate {
		run.Outcome, run.ReasonZH, run.ReasonEN = ward.PlanMissed, "超过一小时未能开始（服务未运行，或抽取未等到随机数）。", "It could not start within an hour: the service was not running, or the draw's seed did not come."
		return p.end(ctx, run)
	}
	err := p.order(ctx, plan, run, now)
	if err == nil || errors.Is(err, &ward.Error{Code: "plan.state"}) || errors.Is(err, &ward.Error{Code: "draw.state"}) {
		return nil // somebody else was faster, or it was cancelled
	}
	said, ok := errors.AsType[*ward.Error](err)
	switch {
	case !ok:
		return err
	case said.Kind == ward.Unavailable, said.Kind == ward.Conflict: // another draw is open, say: it is tried again
		return err
	default:
		run.Outcome, run.ReasonZH, run.ReasonEN = ward.PlanFailed, said.ZH, said.EN
		return p.end(ctx, run)
	}
}

// next is the start after the one that is due; weeks that passed meanwhile are not made up for.
func (p *Planner) next(plan ward.Plan, now time.Time) time.Time {
	next := plan.Spec.After(plan.Next, random)
	for !next.IsZero() && !next.After(now) {
		next = plan.Spec.After(next, random)
	}
	return next
}

func (p *Planner) end(ctx context.Context, run ward.PlanRun) error {
	err := p.Store.EndRun(ctx, run)
	if errors.Is(err, &ward.Error{Code: "plan.state"}) {
		return nil
	}
	if err == nil {
		p.Log.WarnContext(ctx, "planned round not started", "plan", run.PlanID, "outcome", run.Outcome)
	}
	return err
}

// order orders the round, or commits the draw that it waits for.
func (p *Planner) order(ctx context.Context, plan ward.Plan, run ward.PlanRun, now time.Time) error {
	by, err := p.Store.User(ctx, plan.PlannedBy)
	if err != nil {
		return err
	}
	s := plan.Spec
	o := Order{
		InstitutionID: plan.InstitutionID, Reason: s.Reason, Ward: s.Ward, Deadline: now.Add(time.Duration(s.DeadlineMinutes) * time.Minute),
		Method: s.Method, Remind: time.Duration(s.RemindMinutes) * time.Minute, Notify: s.Notify, run: &run,
	}
	switch s.Method {
	case ward.ByDraw:
		if plan.DrawID != "" {
			return p.orderDrawn(ctx, plan, o)
		}
		return p.draw(ctx, plan, by)
	case ward.ByRisk:
		o.Admissions, err = p.riskiest(ctx, plan, by, now)
	case ward.ByHand:
		o.Admissions, err = p.present(ctx, plan, now)
	}
	if err != nil {
		return err
	}
	r, _, err := p.Engine.order(ctx, by, o, func(r ward.Round, visits []ward.Visit, hashes [][]byte) (ward.Round, error) {
		return p.Store.OrderRound(ctx, r, noLinks(visits, now), hashes)
	})
	if err == nil {
		p.Log.InfoContext(ctx, "planned round started", "plan", plan.ID, "round", r.ID, "late", r.Ordered.Sub(r.Due))
	}
	return err
}

// noLinks makes the links of visits worthless: nobody was there to be given
// them. Tablets ring, and an inspector may make new ones.
func noLinks(visits []ward.Visit, now time.Time) []ward.Visit {
	for i := range visits {
		visits[i].LinkExpires = now
	}
	return visits
}

// stays are the current stays of the plan's ward, or of its institution.
func (p *Planner) stays(ctx context.Context, plan ward.Plan, now time.Time) ([]ward.Admission, error) {
	all, err := p.Store.Admissions(ctx, []ward.InstitutionID{plan.InstitutionID}, plan.Spec.Ward)
	return slices.DeleteFunc(all, func(a ward.Admission) bool { return !a.To.IsZero() && !a.To.After(now) }), err
}

// present are the beds that were chosen, as far as they are still in hospital.
func (p *Planner) present(ctx context.Context, plan ward.Plan, now time.Time) ([]ward.AdmissionID, error) {
	all, err := p.stays(ctx, plan, now)
	var out []ward.AdmissionID
	for _, a := range all {
		if len(plan.Spec.AdmissionIDs) == 0 || slices.Contains(plan.Spec.AdmissionIDs, a.ID) {
			out = append(out, a.ID)
		}
	}
	if err == nil && len(out) == 0 {
		err = nobody()
	}
	return out, err
}

// riskiest are the beds of the highest risk at the start.
func (p *Planner) riskiest(ctx context.Context, plan ward.Plan, by ward.User, now time.Time) ([]ward.AdmissionID, error) {
	all, err := p.stays(ctx, plan, now)
	if err != nil {
		return nil, err
	}
	r := ward.Round{InstitutionID: plan.InstitutionID}
	if err := p.Engine.score(ctx, by, &r, now); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b ward.Admission) int {
		return cmp.Or(cmp.Compare(r.Scores[b.ID], r.Scores[a.ID]), cmp.Compare(a.ID, b.ID))
	})
	var out []ward.AdmissionID
	for _, a := range all[:min(plan.Spec.Take, len(all))] {
		out = append(out, a.ID)
	}
	if len(out) == 0 {
		return nil, nobody()
	}
	return out, nil
}

func nobody() error {
	return &ward.Error{Kind: ward.Invalid, Code: "plan.nobody", ZH: "到时无人在院，没有可查的床位。", EN: "Nobody was in hospital there: no bed could be visited."}
}

// draw commits the draw of a start; its seed comes from the beacon.
func (p *Planner) draw(ctx context.Context, plan ward.Plan, by ward.User) error {
	o := DrawOrder{
		InstitutionID: plan.InstitutionID, Source: ward.SourceDrand, Strata: []DrawStratum{{Ward: plan.Spec.Ward, Take: plan.Spec.Take}}, Inspectors: 1,
		plan: plan,
	}
	last, err := p.Store.Draws(ctx, []ward.InstitutionID{plan.InstitutionID}, "", 1)
	if err != nil {
		return err
	}
	if len(last) == 1 && last[0].Day == ward.ChinaDay(time.Now()) {
		o.Previous, o.Reason = last[0].ID, "计划查房 "+string(plan.ID)
	}
	_, err = p.Drawer.Commit(ctx, by, o)
	return err
}

// orderDrawn orders the round of a start's draw, in the name of the first
// drawn inspector, once the seed is there.
func (p *Planner) orderDrawn(ctx context.Context, plan ward.Plan, o Order) error {
	v, err := p.Store.Draw(ctx, plan.DrawID)
	if err != nil || v.State == ward.DrawCommitted {
		return err
	}
	steps, err := p.Store.DrawSteps(ctx, v.ID)
	if err != nil {
		return err
	}
	if v.State != ward.DrawDrawn || len(steps) < 2 {
		return &ward.Error{Kind: ward.Invalid, Code: "plan.draw", ZH: "抽取失败、已作废或已由他人发起查房。", EN: "The draw failed, was abandoned, or its round was ordered by hand."}
	}
	result, err := draw.ReadResult(recordOf(steps[1]))
	if err != nil {
		return err
	}
	by, err := p.Store.User(ctx, result.Inspectors[0])
	if err != nil {
		return err
	}
	r, _, err := p.Engine.OrderDrawn(ctx, by, p.Drawer, DrawnOrder{Draw: v.ID, Reason: o.Reason, Deadline: o.Deadline, Remind: o.Remind, Notify: o.Notify, run: o.run})
	if err == nil {
		p.Log.InfoContext(ctx, "planned round started", "plan", plan.ID, "round", r.ID, "draw", v.ID)
	}
	return err
}
