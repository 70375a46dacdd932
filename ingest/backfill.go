package ingest

import (
	"context"
	"errors"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// backfillPoll is how soon after a camera is back its gaps are filled.
	backfillPoll = 2 * time.Second
	// backfillAge is how old a gap may be: devices overwrite the oldest.
	backfillAge = 7 * 24 * time.Hour
	// backfillLeast is the shortest gap that is worth a connection.
	backfillLeast = 2 * time.Second
	// backfillLook is how often gaps are looked for that ended without the
	// camera's being away, or whose end was stored late.
	backfillLook = 20 * time.Second
	// backfills is how many devices are asked at the same time: what happens
	// now goes first. After backfillTurn the others have theirs.
	backfills    = 8
	backfillTurn = 10 * time.Minute
	// backfillTries is how often a device is asked in vain, and backfillWait
	// how long after the first time it is asked again; then twice as long, up
	// to backfillLongest.
	backfillTries   = 8
	backfillWait    = time.Minute
	backfillLongest = time.Hour
	// backfillSlack is how much longer than the gap it may take: devices play
	// in real time.
	backfillSlack = 2 * time.Minute
)

// backfill fills the camera's gaps with what the device stored meanwhile,
// whenever it is live, until ctx ends.
func (c *Camera) backfill(ctx context.Context) {
	if c.ReplayURL == "" {
		return
	}
	tick := time.NewTicker(backfillPoll)
	defer tick.Stop()
	var next time.Time
	away := c.stats.reconnects.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n := c.stats.reconnects.Load(); n != away {
			next, away = time.Time{}, n
		}
		if time.Now().Before(next) || c.State().Condition != Live {
			continue
		}
		select {
		case c.fleet.doors().fills <- struct{}{}:
		default:
			continue
		}
		var err error
		next, err = c.fillOldest(ctx)
		<-c.fleet.doors().fills
		if err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "gaps not filled", "camera", c.ID, "error", err)
		}
	}
}

// fillOldest fills the oldest gap that is due, and says when to look again.
func (c *Camera) fillOldest(ctx context.Context) (next time.Time, err error) {
	now := time.Now()
	next = now.Add(backfillLook)
	gaps, err := c.Store.Fillable(ctx, c.source(), c.InstitutionID, now.Add(-backfillAge), backfillLeast)
	if err != nil {
		return next, err
	}
	for _, g := range gaps {
		if !g.Next.After(now) {
			return now, c.fill(ctx, g)
		}
		next = earlier(next, g.Next)
	}
	return next, nil
}

// fill asks the device once for what is missing of a gap, and notes how far
// that went. What fails here and not at the device is no try.
func (c *Camera) fill(ctx context.Context, g storage.Fillable) error {
	w := &filler{camera: c, gap: g.Gap}
	if err := w.resume(ctx); err != nil {
		return err
	}
	before := w.from
	c.Log.InfoContext(ctx, "a device is asked for what was not recorded", "camera", c.ID, "gap", g.ID, "seconds", w.gap.To.Sub(w.from).Seconds())
	err := w.run(ctx)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the next start goes on where this one was
	}
	wait := min(backfillWait<<min(g.Tries, 16), backfillLongest)
	switch {
	case w.gap.To.Sub(w.from) < backfillLeast:
		c.note(ward.Backfilled, w.filled, "")
		return c.Store.FillDone(ctx, g.ID)
	case w.from.After(before): // some: the rest at once
		return c.Store.FillLater(ctx, g.ID, 0, time.Now().Add(backfillPoll))
	case errors.Is(err, errOurs) || causeOf(err) == ward.CauseBusy:
		return errors.Join(err, c.Store.FillLater(ctx, g.ID, g.Tries, time.Now().Add(backfillWait)))
	case g.Tries+1 < backfillTries:
		c.Log.InfoContext(ctx, "the device did not fill a gap, it is asked again", "camera", c.ID, "gap", g.ID, "in", wait, "error", err)
		return c.Store.FillLater(ctx, g.ID, g.Tries+1, time.Now().Add(wait))
	case w.filled > 0:
		c.note(ward.Backfilled, w.filled, "")
	default:
		c.note(ward.NotBackfilled, 0, string(causeOf(err)))
	}
	return c.Store.FillGivenUp(ctx, g.ID)
}

// errOurs is wrapped by errors that are not the device's.
var errOurs = errors.New("what a device gave is not stored")
