package storage

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage/objects"
)

const (
	// retentionEvery is how long after a pass with nothing left the next begins.
	retentionEvery = 10 * time.Minute
	// planSize is how many recordings a plan holds: one ledger leaf for all of
	// them, and not more than a minute's work that a stop leaves half done.
	planSize = 100
	// keptFor is for how long what the store refuses to delete is left alone,
	// failuresInRow how many failures end a pass, and keptInPass how many
	// refusals.
	keptFor       = 6 * time.Hour
	failuresInRow = 3
	// deletesAtOnce is how many objects are removed at a time: each is some
	// round trips to the store, and one transaction begins them all.
	deletesAtOnce = 8
	keptInPass    = 1000
)

// Retention deletes what is past its retention: plan, delete, look that it is
// gone, confirm. Rows are its queue, so that it goes on after a crash
// wherever it was.
type Retention struct {
	Store   *Store
	Objects objects.Objects
	Log     *slog.Logger
	Now     func() time.Time     // nil means time.Now
	Mono    func() time.Duration // a clock that nobody can set; nil means the process's

	began  time.Time // of the process's
	clock  retentionClock
	failed int // deletions in a row

	mu    sync.Mutex // guards state
	state RetentionState
}

// RetentionState is what a person must know of retention.
type RetentionState struct {
	// ClockAhead is by how much the wall clock is ahead of what it should be;
	// while it is not 0 nothing is planned.
	ClockAhead time.Duration
	// Kept is how many objects the store refused to delete.
	Kept int
}

// State is how the last pass left it.
func (r *Retention) State() RetentionState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Swept counts what a pass did.
type Swept struct {
	Segments, Pictures int // deleted and confirmed
	Spared             int // planned, and held by then
	Kept               int // the store protects or refuses them; tried again after keptFor
	Refused            int // newer than their policy by what was sealed
}

// Run deletes until ctx ends.
func (r *Retention) Run(ctx context.Context) error {
	for {
		done, err := r.Once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // told to stop
		case err != nil:
			r.Log.WarnContext(ctx, "retention interrupted, trying again", "error", err)
		case done != (Swept{}):
			r.Log.InfoContext(ctx, "retention applied", "segments", done.Segments, "pictures", done.Pictures, "spared", done.Spared, "kept", done.Kept, "refused", done.Refused)
		}
		select {
		case <-time.After(retentionEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// Once finishes what was planned and then plans and deletes until nothing is
// due, deletesAtOnce objects at a time. In between it rests as long as they
// took, so that recording and uploads go first. It plans nothing by a clock that is ahead of
// what it should be: see retentionClock.
func (r *Retention) Once(ctx context.Context) (done Swept, err error) {
	r.failed = 0
	for done.Kept < keptInPass && err == nil {
		var p Plan
		if p, err = r.next(ctx, &done); err != nil || len(p.Segments)+len(p.Pictures) == 0 {
			break
		}
		err = r.carryOut(ctx, p, &done)
	}
	kept, countErr := r.Store.Kept(ctx)
	if countErr == nil {
		r.mu.Lock()
		r.state.Kept = kept
		r.mu.Unlock()
	}
	return done, errors.Join(err, countErr)
}

// next is what was planned and not done, or else a new plan; an empty one
// when nothing is due, or the clock is not believed.
func (r *Retention) next(ctx context.Context, done *Swept) (Plan, error) {
	p, err := r.Store.Planned(ctx, r.now(), planSize)
	if err != nil || p.ID != "" {
		return p, err
	}
	now := r.now()
	if ok, err := r.believe(ctx, now); err != nil || !ok {
		return p, err
	}
	p, err = r.Store.PlanDeletion(ctx, now, planSize)
	if err != nil {
		return p, err
	}
	done.Refused += len(p.Refused)
	for _, no := range p.Refused { // each once in refusedFor
		r.Log.ErrorContext(ctx, "segment not deleted: it is newer than its policy", "segment", no.ID, "why", no.Why, "again", refusedFor.String())
	}
	return p, nil
}

func (r *Retention) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

func (r *Retention) mono() time.Duration {
	if r.Mono != nil {
		return r.Mono()
	}
	if r.began.IsZero() {
		r.began = time.Now()
	}
	return time.Since(r.began)
}

// believe says whether to plan by now, and says so when it is not to be.
func (r *Retention) believe(ctx context.Context, now time.Time) (bool, error) {
	mono := r.mono()
	if r.clock.known.IsZero() {
		known, err := r.Store.KnownTime(ctx)
		if err != nil {
			return false, err
		}
		r.clock.known, r.clock.knownAt = known, mono
	}
	ok, ahead := r.clock.judge(now, mono)
	if ok {
		ahead = 0
	}
	r.mu.Lock()
	r.state.ClockAhead = ahead
	r.mu.Unlock()
	if !ok {
		if ahead > 0 {
			r.Log.ErrorContext(ctx, "nothing is deleted: the clock is ahead of what it should be", "ahead", ahead.String(), "expected", r.clock.expected(mono))
		}
		return false, nil
	}
	return true, r.Store.SetKnownTime(ctx, r.clock.expected(mono))
}
