package ingest

import (
	"context"
	"errors"
	"fmt"

	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Recovered counts what Recover did.
type Recovered struct {
	Repaired  int   // torn files cut at their last complete fragment and committed
	Committed int   // finished files whose row was missing
	Removed   int   // files that the object store has, or without one complete fragment
	CutBytes  int64 // after the last complete fragments
	Unread    int   // files that could not be read, or longer ones without a beginning; left where they are
	Unknown   int   // files of sources that nobody knows; storage.Reconciler puts them aside
}

// Recover puts the spool in order after a crash. It must be called before
// any recorder starts, and may be called again after it was interrupted.
// Every torn file is cut at its last complete fragment (the bytes before the
// cut stay as they are), made durable, hashed and committed as Repaired.
func Recover(ctx context.Context, store *storage.Store, sp *spool.Spool) (Recovered, error) {
	var done Recovered
	entries, err := sp.Entries()
	if err != nil {
		return done, fmt.Errorf("recover: %w", err)
	}
	known := map[ward.Source]bool{}
	for _, e := range entries {
		if err = ctx.Err(); err != nil {
			return done, err
		}
		is, seen := known[e.Source]
		if !seen {
			if is, err = store.KnownSource(ctx, e.Source); err != nil {
				return done, fmt.Errorf("recover: %w", err)
			}
			known[e.Source] = is
		}
		if !is {
			done.Unknown++
			continue
		}
		if e.Part {
			err = done.part(ctx, store, sp, e)
		} else {
			err = done.finished(ctx, store, sp, e)
		}
		if err != nil {
			return done, fmt.Errorf("recover recording of %s: %w", e.Source, err)
		}
	}
	return done, nil
}

func (d *Recovered) part(ctx context.Context, store *storage.Store, sp *spool.Spool, e spool.Entry) error {
	x, err := verified(sp, e)
	if errors.Is(err, errTorn) && e.Size > maxMoov {
		d.Unread++ // more than a torn beginning: for a person to look at
		return nil
	}
	if errors.Is(err, errTorn) || err == nil && len(x.parts) == 0 {
		d.Removed++
		return sp.Remove(e)
	}
	if err != nil {
		return err
	}
	sum, err := sp.Repair(e, x.size)
	if err != nil {
		return err
	}
	d.Repaired++
	d.CutBytes += e.Size - x.size
	g := x.segment(e)
	g.SHA256, g.Repaired = sum, true
	_, err = store.CommitSegment(ctx, g)
	return err
}

func (d *Recovered) finished(ctx context.Context, store *storage.Store, sp *spool.Spool, e spool.Entry) error {
	g, err := store.SegmentStarting(ctx, e.Source, e.Start)
	switch {
	case ward.KindOf(err) == ward.NotFound:
		x, err := indexOf(sp, e)
		if errors.Is(err, errTorn) || err == nil && (len(x.parts) == 0 || x.size != e.Size) {
			d.Unread++
			return nil
		}
		if err != nil {
			return err
		}
		sum, err := sp.Sum(e)
		if err != nil {
			return err
		}
		g := x.segment(e)
		g.SHA256 = sum
		d.Committed++
		_, err = store.CommitSegment(ctx, g)
		return err
	case err != nil:
		return err
	case g.State != ward.Spooled:
		d.Removed++
		return sp.Remove(e)
	}
	return nil
}

// verified is indexOf, up to the first fragment that is damaged.
func verified(sp *spool.Spool, e spool.Entry) (x *index, err error) {
	f, err := sp.Open(e)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if x, err = readIndex(f, sizeOf(f)); err != nil {
		return nil, err
	}
	return x, x.verify(f)
}

func indexOf(sp *spool.Spool, e spool.Entry) (x *index, err error) {
	f, err := sp.Open(e)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readIndex(f, sizeOf(f))
}

func sizeOf(f spool.Handle) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0 // then nothing can be read either
	}
	return info.Size()
}

// segment is the row of a recording as its file tells it.
func (x *index) segment(e spool.Entry) ward.Segment {
	g := x.header.segment()
	g.Start, g.Bytes, g.Chunks = e.Start, x.size, x.chunks()
	g.End, g.Media = x.end()
	return g
}
