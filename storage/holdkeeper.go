package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage/objects"
)

const (
	// holdEvery is how soon the store is asked for a new hold.
	holdEvery = 5 * time.Second
	// queueEvery is how soon what was stored late is found to be under a hold.
	// Wardwatch itself deletes nothing of that anyway.
	queueEvery = 10 * time.Minute
	// lockAgain is how soon a store without holds is asked again: somebody has to
	// make another bucket.
	lockAgain = time.Hour
	// holdWait bounds how long after a failure it is tried again.
	holdWait = 10 * time.Minute
	// holdPage is how many are read at a time.
	holdPage = 100
)

// HoldKeeper sees to it that the object store itself withholds what cases
// hold, and lets go of what none holds any more. What is to be done is in the
// catalogue: whenever it is cut off, the next pass goes on, also in another
// process.
type HoldKeeper struct {
	Store   *Store
	Objects objects.Objects
	Log     *slog.Logger
	Now     func() time.Time // nil means time.Now

	queued time.Time

	mu    sync.Mutex // guards count
	count HoldCount
}

// Count is how many objects were held after the last pass.
func (k *HoldKeeper) Count() HoldCount {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.count
}

// Run works until ctx ends.
func (k *HoldKeeper) Run(ctx context.Context) error {
	for {
		if _, err := k.Once(ctx); err != nil && ctx.Err() == nil {
			k.Log.WarnContext(ctx, "holding objects interrupted, trying again", "error", err)
		}
		select {
		case <-time.After(holdEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// Once does what is due and returns how many holds it placed or took away.
func (k *HoldKeeper) Once(ctx context.Context) (done int, err error) {
	now := time.Now()
	if k.Now != nil {
		now = k.Now()
	}
	if now.Sub(k.queued) >= queueEvery || now.Before(k.queued) {
		if _, err := k.Store.QueueHolds(ctx); err != nil {
			return 0, err
		}
		k.queued = now
	}
	for {
		some, err := k.Store.HoldsToDo(ctx, now, holdPage)
		if err != nil {
			return done, err
		}
		for _, h := range some {
			is, err := k.one(ctx, h, now)
			if err != nil {
				return done, err
			}
			if is {
				done++
			}
		}
		if len(some) == 0 {
			break
		}
	}
	c, err := k.Store.HoldCount(ctx)
	if err == nil {
		k.mu.Lock()
		k.count = c
		k.mu.Unlock()
	}
	return done, err
}

// one asks the store for one hold, or to let go of one.
func (k *HoldKeeper) one(ctx context.Context, h ObjectHold, now time.Time) (done bool, err error) {
	if h.State == HoldEnding {
		may, err := k.Store.MayUnhold(ctx, h)
		if err != nil || !may {
			return false, err
		}
		err = objects.Unhold(ctx, k.Objects, h.Key)
		if errors.Is(err, objects.ErrNoHolds) {
			err = nil // it never had one
		}
		return k.outcome(ctx, h, now, err)
	}
	return k.outcome(ctx, h, now, objects.Hold(ctx, k.Objects, h.Key))
}

func (k *HoldKeeper) outcome(ctx context.Context, h ObjectHold, now time.Time, failed error) (done bool, err error) {
	if failed == nil {
		return true, k.Store.HoldDone(ctx, h)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	why, again := HoldRefused, now.Add(min(max(now.Sub(h.Since), holdEvery), holdWait))
	switch {
	case errors.Is(failed, objects.ErrNoHolds):
		why, again = HoldNoLock, now.Add(lockAgain)
	case errors.Is(failed, fs.ErrNotExist):
		why = HoldMissing // it is in the spool still, or fsck names it
	}
	if why != h.Why {
		k.Log.WarnContext(ctx, "the object store does not hold what a case holds, trying again", "key", h.Key, "why", why, "again", again, "error", failed)
	}
	return false, k.Store.HoldFailed(ctx, h, why, again)
}

// objectHolds asks the store for every hold that it is said to have.
func (f *fsck) objectHolds(ctx context.Context) error {
	id := func(h ObjectHold) string { return h.Key }
	return each(ctx, f, "list holds of objects", objectHoldColumns+` WHERE state = 'held' AND object_key > $1 ORDER BY object_key LIMIT $2`, scanObjectHold, id, func(h ObjectHold) error {
		is, err := objects.Held(ctx, f.media.Objects, h.Key)
		where := "object_hold/" + h.Key
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f.bad(where, "被案件冻结的文件在存储中不可见：可能被人删除，或被删除标记遮住（存储管理员移除删除标记后可恢复）。",
				"A case holds it, and the store does not show it: somebody removed it, or hid it with a delete marker (an administrator of the store brings it back by removing that)")
		case errors.Is(err, objects.ErrNoHolds), err == nil && !is:
			f.bad(where, "存储上的冻结已被他人解除。", "Somebody took its hold away in the store")
		case err != nil:
			return fmt.Errorf("ask for the hold of %s: %w", h.Key, err)
		}
		return nil
	})
}
