package ingest

import (
	"context"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// stay is when and why the process was not there.
type stay struct {
	earlier time.Time     // when the life before began; zero when this is the first
	seen    time.Time     // when it was seen last, by the clock as it was then
	down    time.Time     // the same moment by the clock as it is now
	began   time.Time     // when this one began
	known   bool          // the time between is known, so that down is true
	step    time.Duration // by how much the clock was set meanwhile; when that is not known, at least by how much back
	why     ward.Cause
}

// stayOf is the time between two lives.
func stayOf(life, previous storage.Life, away storage.Away) stay {
	p := stay{earlier: previous.Began, seen: previous.Ended, down: previous.Ended, began: life.Began, known: away.Known, step: away.Step, why: ward.CauseRestart}
	if previous.Ended.IsZero() && !previous.Began.IsZero() {
		p.seen, p.down, p.why = previous.Seen, previous.Seen, ward.CauseCrash
	}
	switch {
	case away.Step != 0:
		p.down = life.Began.Add(-away.Lasted)
	case !away.Known && p.seen.Sub(life.Began) >= clockJump:
		p.step = life.Began.Sub(p.seen)
	}
	return p
}

// away is when nothing was recorded any more, by the clock as it is now, in
// which created may be still to come.
func (p stay) away(created time.Time) time.Time {
	if p.known && p.step != 0 {
		return p.down
	}
	return earlier(later(created, p.down), p.began)
}

// detail says in an event what became of the clock while the process was away.
func (p stay) detail() string {
	if p.known {
		return "the server's clock was set while Wardwatch was not running"
	}
	return "the server's clock is behind what it was when Wardwatch ran last: for how long nothing was recorded cannot be computed, and no gap tells it"
}

// resume takes up where the source's last segment and gap ended: the process
// was not there for a while, and from then on the source is not recorded
// because of cause. created is when the source came into being.
func (c *coverage) resume(ctx context.Context, created time.Time, p stay, cause ward.Cause) error {
	now := time.Now()
	seen := func(at time.Time) moment { return moment{at, now.Add(at.Sub(now))} }
	covered := created
	seg, err := c.store.LastSegment(ctx, c.src)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return err
	}
	there := err == nil
	if there && seg.End.After(covered) {
		covered = seg.End
	}
	gap, err := c.store.LastGap(ctx, c.src)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return err
	}
	if p.step != 0 && (there || err == nil) {
		c.tell(p)
	}
	if err == nil && gap.To.IsZero() && (gap.Cause == ward.CauseRestart || gap.Cause == ward.CauseDisabled || gap.Cause == ward.CauseSchedule) {
		return c.goOn(ctx, gap, p, cause, now)
	}
	if err == nil && gap.To.IsZero() {
		if gap.To, err = c.endOf(ctx, gap, p.seen); err != nil {
			return err
		}
		if err = c.store.CloseGap(ctx, gap.ID, gap.To); err != nil {
			return err
		}
	}
	if err == nil && gap.To.After(covered) && gap.To.Sub(now) < clockJump {
		covered = gap.To
	}
	known := covered
	if covered.Sub(now) >= clockJump { // the clock was set back: what is missing since is known by the heartbeat only
		known, covered = later(covered, p.seen), p.away(created)
	}
	if err := c.fill(ctx, later(created, p.earlier), known, p.why); err != nil {
		return err
	}
	if covered.Before(p.began) {
		c.missingFrom(p.why, seen(covered))
		covered = p.began
	}
	c.missingFrom(cause, seen(covered))
	return nil
}

// goOn goes on with a gap that was opened by an orderly stop, or as an
// operator wished: it lasted until now.
func (c *coverage) goOn(ctx context.Context, gap ward.Gap, p stay, cause ward.Cause, now time.Time) error {
	back := p.step <= -clockJump
	if back && !p.known { // only what was before is known
		if err := c.store.CloseGap(ctx, gap.ID, later(gap.From, p.seen)); err != nil {
			return err
		}
		c.missing(cause, now)
		return nil
	}
	c.mu.Lock()
	c.open, c.opened = gap, time.Time{}
	if back {
		c.opened = now.Add(p.down.Sub(p.began) - max(p.seen.Sub(gap.From), 0))
	}
	c.mu.Unlock()
	c.missingFrom(cause, moment{p.began, now})
	return nil
}

// tell notes that the clock was set while the process was away, once.
func (c *coverage) tell(p stay) {
	e := ward.RecordingEvent{Source: c.src, InstitutionID: c.inst, At: p.began, Kind: ward.ClockJump, Off: p.step, Detail: p.detail()}
	c.mu.Lock()
	c.told = true
	c.mu.Unlock()
	c.clerk.add("add recording event", func(ctx context.Context) error { return c.store.AddRecordingEvent(ctx, e) })
}

// toldOfClock says whether the step of the clock before this life was noted.
func (c *coverage) toldOfClock() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

// unexpected ends a gap that was left open: from at on nobody wants the
// source to be recorded.
func (c *coverage) unexpected(ctx context.Context, at time.Time) error {
	gap, err := c.store.LastGap(ctx, c.src)
	if ward.KindOf(err) == ward.NotFound || err == nil && !gap.To.IsZero() {
		return nil
	}
	if err != nil {
		return err
	}
	return c.store.CloseGap(ctx, gap.ID, at)
}

// endOf is when a gap ended that a crash left open: when recording began
// again, if it did, else when the process was seen last.
func (c *coverage) endOf(ctx context.Context, gap ward.Gap, down time.Time) (time.Time, error) {
	after, err := c.store.SegmentsBetween(ctx, c.src, gap.From, time.Now())
	if err != nil {
		return time.Time{}, err
	}
	for _, g := range after {
		if !g.Start.Before(gap.From) {
			return g.Start, nil
		}
	}
	return later(gap.From, down), nil
}

// fill adds gaps for what neither a segment nor a gap covers in [from, to):
// a crash came before their rows were written.
func (c *coverage) fill(ctx context.Context, from, to time.Time, why ward.Cause) error {
	segs, err := c.store.SegmentsBetween(ctx, c.src, from, to)
	if err != nil {
		return err
	}
	gaps, err := c.store.GapsBetween(ctx, c.src, from, to)
	if err != nil {
		return err
	}
	for _, hole := range holes(segs, gaps, from, to) {
		err := c.store.AddGap(ctx, ward.Gap{Source: c.src, InstitutionID: c.inst, From: hole.From, To: hole.To, Cause: why})
		if err != nil {
			return err
		}
	}
	return nil
}
