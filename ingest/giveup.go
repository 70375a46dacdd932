package ingest

import (
	"context"
	"errors"
	"time"

	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	// evictBatch is how many are listed to be given up at a time.
	evictBatch = 50
	// silentFor is how long a store that did not answer is not asked again
	// whether it has what is to be given up: waiting for it would cost room.
	silentFor = 30 * time.Second
	// evictFor is how long recordings are given up before alarms are looked at
	// again, and askFor how much of it asking the store may take.
	evictFor = 3 * time.Second
	askFor   = 2 * time.Second
)

// absence remembers spooled rows that cannot be given up, because their file
// is not in the spool or the store may have it, so that they cost a look every
// lostRetry and not every second.
type absence struct {
	since time.Time
	ids   map[ward.SegmentID]bool
}

// of is what is remembered at now.
func (a *absence) of(now time.Time) map[ward.SegmentID]bool {
	if a.ids == nil || now.Sub(a.since) >= lostRetry {
		a.since, a.ids = now, map[ward.SegmentID]bool{}
	}
	return a.ids
}

// evict gives up what must be, for evictFor at most, and says whether anything
// changed, and whether there was no time for all of it.
func (k *Keeper) evict(ctx context.Context) (changed, more bool) {
	var last ward.Segment
	k.asked = 0
	for began := time.Now(); ctx.Err() == nil; {
		space, err := k.Spool.Space()
		if err != nil || space.Room() >= k.ahead(k.State()) {
			return changed, false
		}
		if time.Since(began) >= evictFor {
			return changed, true
		}
		k.Upload.clean(ctx)
		given, others, err := k.giveUp(ctx, &last, began.Add(evictFor))
		if err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "spool nearly full, and not enough given up", "error", err)
		}
		if given == 0 && others && err == nil {
			continue // none of these may go: the next ones
		}
		k.mu.Lock()
		k.state.Stuck = given == 0
		k.mu.Unlock()
		if changed = true; given == 0 {
			return changed, false
		}
	}
	return changed, false
}

// giveUp goes through the oldest recordings after last and gives up some of
// them, until there is room or it is time to end. more says that there are
// others after them.
func (k *Keeper) giveUp(ctx context.Context, last *ward.Segment, end time.Time) (given int, more bool, err error) {
	short, cancel := context.WithTimeout(ctx, keepTimeout)
	list, err := k.Store.Evictable(short, *last, evictBatch)
	cancel()
	if err != nil {
		return 0, false, err
	}
	s, absent := k.State(), k.absent.of(time.Now())
	for _, g := range list {
		space, err := k.Spool.Space()
		if err != nil || given > 0 && space.Room() >= k.ahead(s) || !time.Now().Before(end) {
			return given, true, err
		}
		*last = g
		if absent[g.ID] {
			continue
		}
		if !k.Spool.Has(spool.Of(g)) { // the uploader says so
			absent[g.ID] = true
			continue
		}
		if !k.Upload.Claim(g.ID) {
			continue // it travels
		}
		ok, err := k.evictOne(ctx, g)
		k.Upload.Release(g.ID)
		if err != nil {
			return given, true, err
		}
		if ok {
			given++
		}
	}
	return given, len(list) == evictBatch, nil
}

// evictOne makes room by one recording: it is given up, unless the object
// store has it and only its row does not say so.
func (k *Keeper) evictOne(ctx context.Context, g ward.Segment) (bool, error) {
	var there bool
	if left := askFor - k.asked; left > 0 && time.Since(k.silent) >= silentFor {
		var err error
		began := time.Now()
		there, err = k.Upload.there(ctx, g, left)
		if k.asked += time.Since(began); errors.Is(err, errSilent) {
			k.silent = time.Now()
		} else if err != nil {
			k.absent.of(time.Now())[g.ID] = true // the uploader looks at it, too
			k.Log.WarnContext(ctx, "recording not given up: the store has something of it", "segment", g.ID, "source", g.Source.String(), "error", err)
			return false, nil
		}
	}
	short, cancel := context.WithTimeout(ctx, keepTimeout)
	defer cancel()
	if there {
		if err := k.Store.MarkArchived(short, g.ID); err != nil {
			return false, err
		}
		return true, k.Spool.Remove(spool.Of(g))
	}
	ok, err := k.Store.Evict(short, g.ID)
	if err != nil || !ok {
		return false, err
	}
	k.mu.Lock()
	k.state.Evicted++
	k.state.EvictedAt = time.Now()
	k.mu.Unlock()
	k.Log.ErrorContext(ctx, "recording given up: the spool is full", "segment", g.ID, "source", g.Source.String(), "start", g.Start, "bytes", g.Bytes)
	return true, k.Spool.Remove(spool.Of(g)) // Recover removes it after a crash
}
