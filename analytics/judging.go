package analytics

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// judgeTogether judges settlements, one by one when together they give an
// error, and returns those that wait for pictures. An error is one of the
// whole catalogue.
func (c *Correlator) judgeTogether(ctx context.Context, due []ward.Settlement, settings []ward.RuleSetting, now time.Time) (early []ward.SettlementID, err error) {
	early, err = c.judge(ctx, due, settings, now)
	switch {
	case err == nil:
		return early, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, storage.ErrLeaseLost):
		return nil, err
	case len(due) == 1:
		return nil, c.retry(ctx, due[0], now, err)
	}
	early = nil
	for _, s := range due {
		waiting, err := c.judgeTogether(ctx, []ward.Settlement{s}, settings, now)
		if err != nil {
			return nil, err
		}
		early = append(early, waiting...)
	}
	return early, nil
}

// retry puts a settlement that could not be judged off, or in the end says so in its row.
func (c *Correlator) retry(ctx context.Context, s ward.Settlement, now time.Time, cause error) error {
	c.tries[s.ID]++
	n := c.tries[s.ID]
	c.Log.WarnContext(ctx, "settlement is not judged yet", "settlement_id", s.ID, "tries", n, "error", cause)
	if n < judgeTries {
		return c.Store.PostponeSettlements(ctx, []ward.SettlementID{s.ID}, now.Add(time.Duration(n)*retryPause))
	}
	return c.conclude(ctx, []storage.Judgement{unjudged(s, reasonError)})
}

// unjudged is the judgement that there can be none; alerts stay as they are.
func unjudged(s ward.Settlement, reason string) storage.Judgement {
	j := storage.Judgement{Settlement: s, State: ward.CannotTell, Reason: reason, Stage: ward.JudgedFully}
	for _, r := range ward.Rules() {
		j.Open = append(j.Open, r.Rule)
	}
	return j
}

// judge decides those of the settlements whose pictures are in, and returns
// the others.
func (c *Correlator) judge(ctx context.Context, due []ward.Settlement, settings []ward.RuleSetting, now time.Time) (early []ward.SettlementID, err error) {
	var js []storage.Judgement
	due = slices.DeleteFunc(slices.Clone(due), func(s ward.Settlement) bool {
		old := now.Sub(s.At) > oldestJudged && s.Stage == ward.NotJudged
		if old {
			js = append(js, unjudged(s, reasonOld))
		}
		return old
	})
	b := &batch{c: c, now: now, settings: settings}
	if early, err = b.gather(ctx, due); err != nil {
		return nil, err
	}
	answers, errs := c.answers(ctx, b.questions, now)
	for i, q := range b.questions {
		err := errs[i]
		if err != nil && len(due) > 1 {
			if err = c.retry(ctx, q.read, now, err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		js = append(js, answers[i])
	}
	return early, c.conclude(ctx, js)
}

// answers asks the rules about every settlement, a few at a time: the
// pictures of alerts are written meanwhile, and their store takes its time.
func (c *Correlator) answers(ctx context.Context, qs []question, now time.Time) ([]storage.Judgement, []error) {
	js, errs := make([]storage.Judgement, len(qs)), make([]error, len(qs))
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(writers, len(qs)) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(qs)); i = next.Add(1) - 1 {
				js[i], errs[i] = c.answer(ctx, qs[i], now)
			}
		})
	}
	all.Wait()
	return js, errs
}

// answer asks the rules about one settlement.
func (c *Correlator) answer(ctx context.Context, q question, now time.Time) (storage.Judgement, error) {
	findings := Judge(q.settlement, q.window, q.book)
	j := storage.Judgement{Settlement: q.read, Stage: ward.JudgedFully, Face: q.face()}
	j.State, j.Reason = Conclude(findings)
	for _, f := range findings {
		switch f.Outcome {
		case Fired:
			a, err := c.alert(ctx, q, f, now)
			if err != nil {
				return j, err
			}
			j.Alerts = append(j.Alerts, a)
		case Later:
			again := q.settlement.At.Add(q.book[f.Rule].later() + deadline)
			if again.Before(now) {
				again = now
			}
			if j.Again.IsZero() || again.Before(j.Again) {
				j.Again = again
			}
			j.Stage, j.Open = ward.JudgedPromptly, append(j.Open, f.Rule)
		case Blind:
			j.Unclear = append(j.Unclear, ward.Unclear{Rule: f.Rule, Reason: f.Reason})
		case Fine, NotApplicable:
		}
	}
	if q.window.Searched && q.read.Stage == ward.JudgedPromptly { // those that were searched for before this face was known
		for _, u := range q.window.OfFace {
			if u.At.After(q.settlement.At) {
				j.Others = append(j.Others, u.Settlement)
			}
		}
	}
	return j, nil
}

// later is how long after a settlement the rule can be judged.
func (r Rule) later() time.Duration {
	if r.Rule == ward.DrugNotCollected {
		return r.minutes("within")
	}
	if r.Rule == ward.SettledBlind {
		return r.seconds("around")
	}
	return searchAfter - deadline
}

// alert is the alert of a finding that fired, with its picture stored.
func (c *Correlator) alert(ctx context.Context, q question, f Finding, now time.Time) (ward.Alert, error) {
	s := q.settlement
	a := ward.Alert{
		ID: ward.NewID[ward.AlertID](now), InstitutionID: s.InstitutionID, PlaceID: s.PlaceID, CameraID: f.Camera,
		Rule: f.Rule, RuleVersion: f.Version, SettlementID: s.ID, Related: f.Related, At: s.At, Raised: now, Severity: f.Severity,
		Sightings: f.Sightings, ExplainZH: f.ZH, ExplainEN: f.EN, Shadow: f.Shadow,
		ClipFrom: s.At.Add(-ward.ClipBefore), ClipTo: s.At.Add(ward.ClipAfter),
	}
	if zh, en := shifted(q.offset); zh != "" {
		a.ExplainZH, a.ExplainEN = a.ExplainZH+zh, a.ExplainEN+en
	}
	err := c.picture(ctx, &a, f, q.window)
	if err != nil && c.tries[s.ID] >= snapTries {
		c.Log.WarnContext(ctx, "alert has no snapshot", "settlement_id", s.ID, "rule", f.Rule, "error", err)
		return a, nil
	}
	return a, err
}

// conclude stores judgements and tells the browsers.
func (c *Correlator) conclude(ctx context.Context, js []storage.Judgement) error {
	if len(js) == 0 {
		return nil
	}
	judge := c.Store.Judge
	if c.lease != nil {
		judge = c.lease.Judge
	}
	changed, passed, err := judge(ctx, js...)
	if err != nil {
		c.forget() // it may have been stored all the same
		return err
	}
	for _, j := range js {
		if j.Face != nil && j.Settlement.Stage == ward.NotJudged && !slices.Contains(passed, j.Settlement.ID) {
			c.faces.add(*j.Face)
			c.counters.add(j.Settlement, *j.Face)
		}
	}
	for _, a := range changed {
		c.Log.InfoContext(ctx, "alert raised or withdrawn", "alert_id", a.ID, "state", a.State, "rule", a.Rule, "settlement_id", a.SettlementID)
		if c.Notify != nil && !a.Shadow {
			c.Notify("alert", string(a.ID), a.InstitutionID)
		}
	}
	for _, j := range js {
		delete(c.tries, j.Settlement.ID)
		s := j.Settlement
		if c.Notify != nil && !slices.Contains(passed, s.ID) && (s.State != j.State || s.Reason != j.Reason) {
			c.Notify("settlement", string(s.ID), s.InstitutionID)
		}
	}
	return nil
}
