package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"wardwatch/ward"
)

// carryOut deletes a plan's objects and confirms those that are gone.
func (r *Retention) carryOut(ctx context.Context, p Plan, done *Swept) error {
	var all []doomed
	for _, g := range p.Segments {
		all = append(all, segmentOf(g))
	}
	for _, v := range p.Pictures {
		all = append(all, pictureOf(v))
	}
	gone := map[doomed]bool{}
	var failed error
	for some := range slices.Chunk(all, deletesAtOnce) {
		if failed = r.deleteSome(ctx, some, gone, done); failed != nil {
			break
		}
	}
	var segs []ward.SegmentID
	for _, g := range p.Segments {
		if gone[segmentOf(g)] {
			segs = append(segs, g.ID)
		}
	}
	var pics []ward.SightingID
	for _, v := range p.Pictures {
		if gone[pictureOf(v)] {
			pics = append(pics, v.ID)
		}
	}
	if err := r.Store.ConfirmDeletion(ctx, p.ID, segs, pics); err != nil {
		return errors.Join(failed, err)
	}
	done.Segments, done.Pictures = done.Segments+len(segs), done.Pictures+len(pics)
	return failed
}

// deleteSome removes some planned objects at once and notes those that are
// gone. It spares what came under hold since it was planned and is still
// there, and sets aside what cannot be deleted; the error is that nothing
// should be tried any more in this pass.
func (r *Retention) deleteSome(ctx context.Context, some []doomed, gone map[doomed]bool, done *Swept) error {
	free, err := r.Store.beginRemoval(ctx, some)
	if err != nil {
		return err
	}
	began := time.Now()
	errs := make([]error, len(some))
	var wg sync.WaitGroup
	for i, d := range some {
		if free[i] {
			wg.Go(func() { errs[i] = r.remove(ctx, d.key) })
		}
	}
	wg.Wait()
	took := time.Since(began)
	var failed error
	for i, d := range some {
		is, err := r.outcome(ctx, d, free[i], errs[i], done)
		if is {
			gone[d] = true
		}
		failed = errors.Join(failed, err)
	}
	if failed == nil {
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return failed
}

// outcome says whether the object of d is gone, after its removal ended with
// removed, or was not tried because d is not free.
func (r *Retention) outcome(ctx context.Context, d doomed, free bool, removed error, done *Swept) (gone bool, err error) {
	if free && removed == nil {
		r.failed = 0
		return true, nil
	}
	err = removed
	if !free {
		if _, err = r.Objects.Stat(ctx, d.key); errors.Is(err, fs.ErrNotExist) {
			return true, nil // removed before a crash, and held since
		}
		if err == nil {
			done.Spared++
			return false, r.Store.spare(ctx, d)
		}
	}
	if ctx.Err() != nil {
		return false, err
	}
	locked := errors.Is(err, &ward.Error{Code: "objects.locked"})
	r.Log.WarnContext(ctx, "object past its retention not deleted, trying again later", "key", d.key, "after", keptFor.String(), "error", err)
	_, there := r.Objects.Stat(ctx, d.key)
	if errors.Is(there, fs.ErrNotExist) {
		return true, nil
	}
	done.Kept++
	if asideErr := r.Store.setAside(ctx, d, r.now().Add(keptFor), there == nil); asideErr != nil {
		return false, errors.Join(err, asideErr)
	}
	if r.failed++; locked {
		r.failed = 0 // the store works
	}
	if r.failed < failuresInRow {
		err = nil
	}
	return false, err
}

// remove deletes an object and looks that it is gone.
func (r *Retention) remove(ctx context.Context, key string) error {
	if err := r.Objects.Delete(ctx, key); err != nil {
		return err
	}
	_, err := r.Objects.Stat(ctx, key)
	if err == nil {
		return fmt.Errorf("object %s is still there after its deletion", key)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
