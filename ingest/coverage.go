package ingest

import (
	"context"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// coverage accounts for every moment of a source that should be recorded:
// it is in a segment, or in a gap with its cause. Rows are written by the
// clerk, in order.
type coverage struct {
	store *storage.Store
	clerk *clerk
	src   ward.Source
	inst  ward.InstitutionID

	mu     sync.Mutex // guards the rest
	open   ward.Gap   // the gap that lasts; ID is empty while recording
	opened time.Time  // when, with a monotonic reading; zero: in another life of the process
	ended  moment     // where recording ended, until the cause is known; zero: it did not
	clock  steady     // of the last segment; zero: of another life
	seq    int64      // of the last segment's file
	told   bool       // that the clock was set before this life began
}

// missing says that from a reading of the clock on nothing is recorded,
// because of cause. While a gap lasts, another cause ends it and begins the next.
func (c *coverage) missing(cause ward.Cause, at time.Time) { c.missingFrom(cause, momentOf(at)) }

func (c *coverage) missingFrom(cause ward.Cause, at moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.open
	if old.ID != "" && old.Cause == cause {
		return
	}
	if old.ID == "" && !c.ended.wall.IsZero() {
		at, c.ended = c.ended, moment{}
	}
	at, over, moved := c.over(at)
	c.open = ward.Gap{ID: ward.NewID[ward.GapID](at.wall), Source: c.src, InstitutionID: c.inst, From: at.wall, Cause: cause}
	c.opened = at.mono
	next := c.open
	c.clerk.add("open gap", func(ctx context.Context) error {
		if old.ID == "" {
			_, err := c.store.OpenGap(ctx, next)
			return err
		}
		if moved {
			if err := c.store.AddGap(ctx, over); err != nil {
				return err
			}
		}
		_, err := c.store.TurnGap(ctx, old.ID, next) // removes one that would have no length
		return err
	})
}

// over ends the open gap at at, which is not before its beginning unless the
// wall clock was set back meanwhile: a step of less than clockJump is left
// out, and after a longer one the gap is told as g, of its real length, in
// place of the open one (moved). c.mu must be held.
func (c *coverage) over(at moment) (end moment, g ward.Gap, moved bool) {
	if c.open.ID == "" {
		return at, g, false
	}
	var length time.Duration
	if !c.opened.IsZero() {
		length = max(at.mono.Sub(c.opened), 0)
	}
	if due := c.open.From.Add(length); at.wall.Before(due) && due.Sub(at.wall) < clockJump {
		return moment{due, at.mono}, g, false
	}
	if at.wall.After(c.open.From) || length == 0 {
		return at, g, false
	}
	g = c.open
	g.From, g.To = at.wall.Add(-length), at.wall
	g.ID = ward.NewID[ward.GapID](g.From)
	return at, g, true
}

// stopped says that recording ended at at; the next call of missing tells why.
func (c *coverage) stopped(at moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open.ID == "" {
		c.ended = at
	}
}

// recorded says that from a reading of the clock on the source is recorded, or
// no longer expected.
func (c *coverage) recorded(at time.Time) { c.recordedFrom(momentOf(at)) }

func (c *coverage) recordedFrom(at moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.open
	at, over, moved := c.over(at)
	c.ended = moment{}
	if old.ID == "" {
		return
	}
	c.open, c.opened = ward.Gap{}, time.Time{}
	c.clerk.add("close gap", func(ctx context.Context) error {
		if moved {
			if err := c.store.AddGap(ctx, over); err != nil {
				return err
			}
		}
		return c.store.CloseGap(ctx, old.ID, at.wall)
	})
}

// begun says that a segment began with this clock and number. The next
// recorder goes on from there, though the row may not be committed yet.
func (c *coverage) begun(clock steady, seq int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock, c.seq = clock, seq
}

// last is what begun was told; ok is false when there was no segment in this life.
func (c *coverage) last() (clock steady, seq int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.clock, c.seq, !c.clock.at.IsZero()
}

// damaged adds a gap inside a segment.
func (c *coverage) damaged(cause ward.Cause, from, to time.Time) {
	g := ward.Gap{ID: ward.NewID[ward.GapID](from), Source: c.src, InstitutionID: c.inst, From: from, To: to, Cause: cause}
	c.clerk.add("add gap", func(ctx context.Context) error { return c.store.AddGap(ctx, g) })
}

// damagedFrom opens a gap inside a segment, which damagedUntil ends.
func (c *coverage) damagedFrom(cause ward.Cause, from time.Time) ward.Gap {
	g := ward.Gap{ID: ward.NewID[ward.GapID](from), Source: c.src, InstitutionID: c.inst, From: from, Cause: cause}
	c.clerk.add("open gap", func(ctx context.Context) error {
		_, err := c.store.OpenGap(ctx, g)
		return err
	})
	return g
}

func (c *coverage) damagedUntil(g ward.Gap) {
	c.clerk.add("close gap", func(ctx context.Context) error { return c.store.CloseGap(ctx, g.ID, g.To) })
}
