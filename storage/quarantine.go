package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	// orphanAge is how long an object or a file may be without a row: longer
	// than an upload or a commit that is under way takes.
	orphanAge = 10 * time.Minute
	// reconcileRest is the least time between two passes, and reconcileShare
	// how many times as long as a pass took the rest is: listing is cheap, and
	// not free.
	reconcileRest  = 5 * time.Minute
	reconcileShare = 10
	// knownPage is how many keys are looked up at once.
	knownPage = 200
)

// Reconciler looks for objects and spooled files that no row knows and puts
// them aside, each with a sealed record. It deletes nothing.
type Reconciler struct {
	Store *Store
	Media Media
	Log   *slog.Logger
	Now   func() time.Time // nil means time.Now
}

// Run reconciles until ctx ends.
func (r *Reconciler) Run(ctx context.Context) error {
	for {
		began := time.Now()
		n, err := r.Once(ctx)
		if err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "reconciling interrupted, trying again", "error", err)
		}
		if n > 0 {
			r.Log.WarnContext(ctx, "things without a row put aside; wardwatch fsck lists them", "count", n)
		}
		select {
		case <-time.After(max(reconcileRest, reconcileShare*time.Since(began))):
		case <-ctx.Done():
			return nil
		}
	}
}

// Once looks at every object below v1/ and every spooled file, and returns
// how many it put aside.
func (r *Reconciler) Once(ctx context.Context) (int, error) {
	now := time.Now()
	if r.Now != nil {
		now = r.Now()
	}
	n, err := r.objects(ctx, now.Add(-orphanAge))
	if err != nil {
		return n, err
	}
	m, err := r.files(ctx, now.Add(-orphanAge))
	if s3, ok := r.Media.Objects.(*objects.S3); ok && err == nil {
		err = r.abandon(ctx, s3, now.Add(-abandonedFor))
	}
	return n + m, err
}

// abandonedFor is how far back evicted segments are looked up whose upload
// may have been cut off.
const abandonedFor = 30 * 24 * time.Hour

// abandon ends uploads in parts of what does not wait for upload any more:
// those that the server lists, and those of evicted segments, since MinIO
// lists one key's only.
func (r *Reconciler) abandon(ctx context.Context, s3 *objects.S3, since time.Time) error {
	prefixes := []string{"v1/"}
	evicted, err := r.Store.EvictedSince(ctx, since, objects.LargeSize)
	if err != nil {
		return err
	}
	for _, g := range evicted {
		prefixes = append(prefixes, g.Key)
	}
	waits := func(key string) (bool, error) {
		var n int
		err := r.Store.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM segment WHERE object_key = $1 AND state = 'spooled'`, key).Scan(&n)
		return n > 0, err
	}
	for _, p := range prefixes {
		n, err := s3.Abandon(ctx, p, waits)
		if err != nil {
			return err
		}
		if n > 0 {
			r.Log.InfoContext(ctx, "unfinished uploads ended", "count", n)
		}
	}
	return nil
}

func (r *Reconciler) objects(ctx context.Context, before time.Time) (int, error) {
	var orphans []objects.Info
	err := eachUnknown(ctx, r.Store, r.Media.Objects, "", nil, func(o objects.Info) {
		if o.Modified.Before(before) {
			orphans = append(orphans, o)
		}
	})
	n := 0
	for _, o := range orphans {
		moved, err := r.object(ctx, o.Key)
		if err != nil {
			return n, fmt.Errorf("put object %s aside: %w", o.Key, err)
		}
		if moved {
			n++
		}
	}
	return n, err
}

// object copies one object aside, verifies the copy, records it, and only
// then removes the original. moved is false when it is gone, or a row names
// it by now: a pass takes long.
func (r *Reconciler) object(ctx context.Context, key string) (moved bool, err error) {
	objs := r.Media.Objects
	sum, size, err := objects.Sum(ctx, objs, key)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	to := "quarantine/" + hex.EncodeToString(sum[:8]) + "/" + key
	body, err := objs.Get(ctx, key, 0, -1)
	if err != nil {
		return false, err
	}
	if err = errors.Join(objs.Put(ctx, to, body, size), body.Close()); err != nil {
		return false, err
	}
	copied, _, err := objects.Sum(ctx, objs, to)
	if err != nil {
		return false, err
	}
	if copied != sum {
		return false, fmt.Errorf("the copy %s differs", to)
	}
	query, args := knownKeys(key)
	had, err := r.Store.quarantined(ctx, "object/"+key, "object/"+to, size, sum, query, args...)
	if errors.Is(err, errOwned) {
		if had { // the copy has its record from a pass that was broken off
			return false, nil
		}
		return false, objs.Delete(ctx, to)
	}
	if err != nil {
		return false, err
	}
	if err := objs.Delete(ctx, key); err != nil {
		return false, err
	}
	back, err := r.putBack(ctx, key, to, size)
	return !back, err
}

// putBackFor bounds putting one object back, which a stop does not end.
const putBackFor = time.Minute

// putBack looks again whether a row names key, which was just removed: one
// may have come after the look with the ledger locked. Then the object gets
// its place again, and its copy stays, with its record.
func (r *Reconciler) putBack(ctx context.Context, key, from string, size int64) (back bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackFor)
	defer cancel()
	query, args := knownKeys(key)
	known, err := listed(ctx, r.Store, "look for objects", scanKey, query, args...)
	if err != nil || len(known) == 0 {
		return false, err
	}
	body, err := r.Media.Objects.Get(ctx, from, 0, -1)
	if err != nil {
		return false, err
	}
	return true, errors.Join(r.Media.Objects.Put(ctx, key, body, size), body.Close())
}

// files puts aside what is in the spool, without a row, of a source that
// nobody knows. What a known source left is Recover's to commit.
func (r *Reconciler) files(ctx context.Context, before time.Time) (int, error) {
	if r.Media.Spool == nil {
		return 0, nil
	}
	entries, err := r.Media.Spool.Entries()
	if err != nil {
		return 0, err
	}
	known := map[ward.Source]bool{}
	n := 0
	for _, e := range entries {
		if !e.Modified.Before(before) {
			continue
		}
		is, seen := known[e.Source]
		if !seen {
			if is, err = r.Store.KnownSource(ctx, e.Source); err != nil {
				return n, err
			}
			known[e.Source] = is
		}
		if is {
			continue
		}
		err := r.Store.putAside(ctx, r.Media.Spool, e, knownSource, e.Source.Kind, e.Source.ID)
		if errors.Is(err, errOwned) {
			known[e.Source] = true
			continue
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
