package ingest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/spool"
)

const (
	// keepEvery is how often the spool is looked at; an alarm must come within 10 s.
	keepEvery = time.Second
	// countEvery is how often the waiting rows are counted.
	countEvery = 5 * time.Second
	// keepTimeout bounds each call of the catalogue: alarms go on without it.
	keepTimeout = 4 * time.Second
	// aheadFor is how much inflow there should always be room for, so that
	// recordings are given up before the recorder meets a full disk, and
	// aheadLeast the least of it in bytes: a few cameras' fragments.
	aheadFor   = 15 * time.Second
	aheadLeast = 4 << 20
	// aheadShare bounds it in a small spool.
	aheadShare = 8
	// sayAgain is how often an alarm that lasts is logged again.
	sayAgain = 10 * time.Minute
)

// Keeper keeps the spool from filling up, says how long it lasts, and raises
// the alarm before anything is lost. When there is nearly no room it gives up
// the oldest recordings that the object store does not have and that no case
// holds: state, gap and sealed record first, the file after it.
type Keeper struct {
	Store  *storage.Store
	Spool  *spool.Spool
	Upload *Uploader
	Log    *slog.Logger
	// Retention, when set, is what else has something to say in State.
	Retention *storage.Retention
	// Holds, when set, is so too.
	Holds *storage.HoldKeeper

	mu    sync.Mutex // guards state
	state StorageState

	in, out flow // by the goroutine of Run, as the rest
	counted time.Time
	absent  absence
	silent  time.Time     // when the store did not answer
	asked   time.Duration // how long the store was asked in this pass
	said    map[string]time.Time
}

// State is how the spool and the store are, as of the last second.
func (k *Keeper) State() StorageState {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.state
	s.Alarms = slices.Clone(s.Alarms)
	return s
}

// Run keeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	k.said = map[string]time.Time{}
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for last := time.Now(); ; {
		now := time.Now()
		k.look(ctx, now, now.Sub(last))
		last = now
		changed, more := k.evict(ctx)
		if more && ctx.Err() == nil {
			continue // alarms first
		}
		if changed {
			k.look(ctx, time.Now(), 0)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look measures, and raises or ends alarms.
func (k *Keeper) look(ctx context.Context, now time.Time, dt time.Duration) {
	s := k.State()
	space, err := k.Spool.Space()
	if err != nil {
		k.Log.ErrorContext(ctx, "spool not measured", "error", err)
		return
	}
	s.Space, s.Uploads, s.At = space, k.Upload.Stats(), now
	if dt > 0 {
		s.Inflow, s.Outflow = k.in.add(uint64(max(space.Written, 0)), dt), k.out.add(s.Uploads.Bytes, dt) //nolint:gosec // not negative
	}
	if now.Sub(k.counted) >= countEvery {
		short, cancel := context.WithTimeout(ctx, keepTimeout)
		if w, err := k.Store.Waiting(short, k.Upload.Lost()); err == nil {
			s.Waiting, k.counted = w, now
		}
		cancel()
	}
	if k.Retention != nil {
		s.Retention = k.Retention.State()
	}
	if k.Holds != nil {
		s.Holds = k.Holds.Count()
	}
	s.Stuck = s.Stuck && space.Room() < k.ahead(s)
	before := s.Alarms
	s.Alarms = carry(before, s.alarms(), now)
	k.tell(ctx, before, s.Alarms, now)
	k.mu.Lock()
	k.state = s
	k.mu.Unlock()
}

// ahead is how much room there should always be, in bytes.
func (k *Keeper) ahead(s StorageState) int64 {
	want := max(int64(s.Inflow*aheadFor.Seconds()), aheadLeast)
	return min(want, max(s.Space.Capacity()/aheadShare, 1))
}

// tell logs alarms that begin, change, last and end.
func (k *Keeper) tell(ctx context.Context, before, now []Alarm, at time.Time) {
	for _, a := range now {
		was := slices.IndexFunc(before, func(b Alarm) bool { return b.Code == a.Code && b.Level == a.Level })
		if was >= 0 && at.Sub(k.said[a.Code]) < sayAgain {
			continue
		}
		k.said[a.Code] = at
		level := slog.LevelWarn
		if a.Level == Critical {
			level = slog.LevelError
		}
		k.Log.Log(ctx, level, "storage alarm", "code", a.Code, "level", string(a.Level), "since", a.Since, "text", a.EN)
	}
	for _, b := range before {
		if !slices.ContainsFunc(now, func(a Alarm) bool { return a.Code == b.Code }) {
			delete(k.said, b.Code)
			k.Log.InfoContext(ctx, "storage alarm over", "code", b.Code, "since", b.Since)
		}
	}
}
