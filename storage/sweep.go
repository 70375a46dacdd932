package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	// retentionEvery is how long after a pass with nothing left the next begins.
	retentionEvery = 10 * time.Minute
	// planSize is how many recordings a plan holds: one ledger leaf for all of
	// them, and not more than a minute's work that a stop leaves half done.
	planSize = 100
)

// Retention deletes what is past its retention: plan, delete, look that it is
// gone, confirm. Rows are its queue, so that it goes on after a crash
// wherever it was.
type Retention struct {
	Store   *Store
	Objects objects.Objects
	Log     *slog.Logger
	Now     func() time.Time // nil means time.Now
}

// Swept counts what a pass did.
type Swept struct {
	Segments, Pictures int // deleted and confirmed
	Spared             int // planned, and held by then
	Kept               int // the store protects or refuses them; tried again in the next pass
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
// due. Between two deletions it rests as long as the last one took, so that
// recording and uploads go first.
func (r *Retention) Once(ctx context.Context) (Swept, error) {
	var done Swept
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	for {
		p, err := r.Store.Planned(ctx, planSize)
		if err != nil {
			return done, err
		}
		if p.ID == "" {
			if p, err = r.Store.PlanDeletion(ctx, now(), planSize); err != nil {
				return done, err
			}
			done.Refused = len(p.Refused)
			for _, no := range p.Refused {
				r.Log.ErrorContext(ctx, "segment not deleted: it is newer than its policy", "segment", no.ID, "why", no.Why)
			}
		}
		if len(p.Segments)+len(p.Pictures) == 0 {
			return done, nil
		}
		kept := done.Kept
		if err := r.carryOut(ctx, p, &done); err != nil {
			return done, err
		}
		if done.Kept > kept {
			return done, nil // this plan's rest is tried again in the next pass
		}
	}
}

// carryOut deletes a plan's objects and confirms those that are gone.
func (r *Retention) carryOut(ctx context.Context, p Plan, done *Swept) error {
	var segs []ward.SegmentID
	var pics []ward.SightingID
	var failed error
	for _, g := range p.Segments {
		gone, err := r.deleteSegment(ctx, g, done)
		if err != nil {
			failed = err
			break
		}
		if gone {
			segs = append(segs, g.ID)
		}
	}
	for _, v := range p.Pictures {
		if failed != nil {
			break
		}
		gone, err := r.remove(ctx, v.Key, done)
		failed = err
		if gone {
			pics = append(pics, v.ID)
		}
	}
	if err := r.Store.ConfirmDeletion(ctx, p.ID, segs, pics); err != nil {
		return errors.Join(failed, err)
	}
	done.Segments, done.Pictures = done.Segments+len(segs), done.Pictures+len(pics)
	return failed
}

// deleteSegment removes one segment's object, unless it came under hold since
// it was planned and is still there.
func (r *Retention) deleteSegment(ctx context.Context, g PlannedSegment, done *Swept) (gone bool, err error) {
	held, err := r.Store.HeldNow(ctx, g.ID)
	if err != nil {
		return false, err
	}
	if !held {
		return r.remove(ctx, g.Key, done)
	}
	_, err = r.Objects.Stat(ctx, g.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil // removed before a crash, and held since
	}
	if err != nil {
		return false, err
	}
	done.Spared++
	return false, r.Store.Spare(ctx, g.ID)
}

// remove deletes an object and looks that it is gone.
func (r *Retention) remove(ctx context.Context, key string, done *Swept) (gone bool, err error) {
	began := time.Now()
	err = r.Objects.Delete(ctx, key)
	if errors.Is(err, &ward.Error{Code: "objects.locked"}) {
		done.Kept++
		r.Log.WarnContext(ctx, "object past its retention is locked by the store", "key", key)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err = r.Objects.Stat(ctx, key); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fmt.Errorf("object %s is still there after its deletion", key)
		}
		return false, err
	}
	select {
	case <-time.After(time.Since(began)):
	case <-ctx.Done():
	}
	return true, nil
}
