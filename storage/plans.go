package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// MaxPlans bounds the active plans of one institution.
const MaxPlans = 50

// AddPlan stores a plan whose Next is its first start.
func (s *Store) AddPlan(ctx context.Context, p ward.Plan) (ward.Plan, error) {
	spec, err := json.Marshal(p.Spec)
	if err != nil {
		return p, fmt.Errorf("add plan: %w", err)
	}
	err = s.change(ctx, "add plan", func(t *tx) error {
		var n int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM round_plan WHERE institution_id = $1 AND state = 'active'`, p.InstitutionID).Scan(&n); err != nil {
			return err
		}
		if n >= MaxPlans {
			return &ward.Error{Kind: ward.Conflict, Code: "plan.many", ZH: "该机构的计划已达上限（50 个）。", EN: "The institution has as many plans as it may (50)."}
		}
		p.ID = ward.NewID[ward.PlanID](t.now)
		_, err := t.ExecContext(ctx, `INSERT INTO round_plan (id, institution_id, planned_by, created_us, spec, state, next_us, draw_id) VALUES ($1, $2, $3, $4, $5, 'active', $6, '')`,
			p.ID, p.InstitutionID, p.PlannedBy, us(t.now), string(spec), us(p.Next))
		if err != nil {
			return err
		}
		p, err = scanPlan(t.QueryRowContext(ctx, planColumns+` WHERE id = $1`, p.ID))
		return err
	})
	return p, err
}

const planColumns = `SELECT id, institution_id, planned_by, created_us, spec, state, next_us, draw_id FROM round_plan`

func scanPlan(r row) (ward.Plan, error) {
	var p ward.Plan
	var spec string
	var created, next int64
	if err := r.Scan(&p.ID, &p.InstitutionID, &p.PlannedBy, &created, &spec, &p.State, &next, &p.DrawID); err != nil {
		return p, err
	}
	p.Created, p.Next = at(created), at(next)
	return p, json.Unmarshal([]byte(spec), &p.Spec)
}

// Plan returns one plan, or ward.NotFound.
func (s *Store) Plan(ctx context.Context, id ward.PlanID) (ward.Plan, error) {
	p, err := scanPlan(s.read.QueryRowContext(ctx, planColumns+` WHERE id = $1`, id))
	if err != nil {
		return p, fmt.Errorf("read plan %s: %w", id, missing(err, "plan.unknown", "没有这个计划，请检查编号。", "No such plan; check its id."))
	}
	return p, nil
}

// Plans lists the plans of the institutions (nil: all): active ones first, by their next start, then the newest.
func (s *Store) Plans(ctx context.Context, insts []ward.InstitutionID) ([]ward.Plan, error) {
	where, args := scope(insts, nil)
	return listed(ctx, s, "list plans", scanPlan, planColumns+where+` ORDER BY CASE WHEN state = 'active' THEN next_us ELSE 9223372036854775807 END, id DESC LIMIT 500`, args...)
}

// DuePlans lists the active plans whose start has come at now.
func (s *Store) DuePlans(ctx context.Context, now time.Time) ([]ward.Plan, error) {
	return listed(ctx, s, "due plans", scanPlan, planColumns+` WHERE state = 'active' AND next_us > 0 AND next_us <= $1 ORDER BY next_us, id LIMIT 200`, us(now))
}

// PlanRuns lists what became of a plan's starts, the newest first, at most 100.
func (s *Store) PlanRuns(ctx context.Context, id ward.PlanID) ([]ward.PlanRun, error) {
	return listed(ctx, s, "runs of plan "+string(id), func(r row) (ward.PlanRun, error) {
		var v ward.PlanRun
		var due, when int64
		err := r.Scan(&v.PlanID, &due, &when, &v.Outcome, &v.RoundID, &v.DrawID, &v.ReasonZH, &v.ReasonEN)
		v.Due, v.At = at(due), at(when)
		return v, err
	}, `SELECT plan_id, due_us, at_us, outcome, round_id, draw_id, reason_zh, reason_en FROM round_plan_run WHERE plan_id = $1 ORDER BY due_us DESC LIMIT 100`, id)
}

// CancelPlan ends an active plan before its next start.
func (s *Store) CancelPlan(ctx context.Context, id ward.PlanID) error {
	return s.change(ctx, "cancel plan "+string(id), func(t *tx) error {
		ok, err := t.affects(ctx, `UPDATE round_plan SET state = 'cancelled', next_us = 0 WHERE id = $1 AND state = 'active'`, id)
		if err == nil && !ok {
			err = planState()
		}
		return err
	})
}

// EndRun notes a start that brought no round, and moves the plan on.
func (s *Store) EndRun(ctx context.Context, r ward.PlanRun) error {
	return s.change(ctx, "end run of plan "+string(r.PlanID), func(t *tx) error { return t.endRun(ctx, r) })
}

// endRun notes what became of the start at r.Due, in the transaction of its
// round: a start happens once, whoever dies in between. r.DrawID is the draw
// that the plan waited for when it was read. ward.Conflict
// "plan.state" when the plan is past it, or cancelled.
func (t *tx) endRun(ctx context.Context, r ward.PlanRun) error {
	ok, err := t.affects(ctx, `UPDATE round_plan SET next_us = $3, draw_id = '', state = CASE WHEN $4 = 1 THEN 'ended' ELSE state END WHERE id = $1 AND state = 'active' AND next_us = $2 AND draw_id = $5`,
		r.PlanID, us(r.Due), us(r.Next), flag(r.Next.IsZero()), r.DrawID)
	if err != nil {
		return err
	}
	if !ok {
		return planState()
	}
	_, err = t.ExecContext(ctx, `INSERT INTO round_plan_run (plan_id, due_us, at_us, outcome, round_id, draw_id, reason_zh, reason_en) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.PlanID, us(r.Due), us(t.now), r.Outcome, r.RoundID, r.DrawID, r.ReasonZH, r.ReasonEN)
	return err
}

// drawnFor notes the draw that a plan's start waits for.
func (t *tx) drawnFor(ctx context.Context, id ward.PlanID, due time.Time, draw ward.DrawID) error {
	ok, err := t.affects(ctx, `UPDATE round_plan SET draw_id = $3 WHERE id = $1 AND state = 'active' AND next_us = $2 AND draw_id = ''`, id, us(due), draw)
	if err == nil && !ok {
		err = planState()
	}
	return err
}

func planState() error {
	return &ward.Error{Kind: ward.Conflict, Code: "plan.state", ZH: "该计划已开始、已结束或已取消，请刷新。", EN: "The plan has started, ended or was cancelled; reload."}
}
