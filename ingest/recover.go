package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/disk"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Recovered counts what Recover did.
type Recovered struct {
	Repaired  int   // torn files cut at their last complete fragment and committed
	Committed int   // finished files whose row was missing
	Removed   int   // files that the object store has, or that hold no fragment
	CutBytes  int64 // after the last complete fragments
	Aside     int   // damaged files, and cut tails with whole fragments, put into the spool's quarantine; fsck lists them
	Unread    int   // files that could not be read, committed or understood; left where they are for the next start
	Unknown   int   // files of sources that nobody knows; storage.Reconciler puts them aside
}

// Recover puts the spool in order after a crash. It must be called before
// any recorder starts, and may be called again after it was interrupted.
// Every torn file is cut at its last complete fragment (the bytes before the
// cut stay as they are), made durable, hashed and committed as Repaired.
// Nothing that holds a fragment is deleted: what cannot be committed is put
// aside. A file that cannot be dealt with is logged, counted as Unread and
// left: errors are ctx's end, a spool that cannot be listed and a catalogue
// that does not answer.
func Recover(ctx context.Context, store *storage.Store, sp *spool.Spool, log *slog.Logger) (Recovered, error) {
	var done Recovered
	entries, err := sp.Entries()
	if err != nil {
		return done, fmt.Errorf("recover: %w", err)
	}
	known, left := map[ward.Source]bool{}, map[ward.Source]bool{}
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
		if err == nil {
			continue
		}
		// Whose fault it is, the catalogue says by answering.
		if _, down := store.KnownSource(ctx, e.Source); down != nil {
			return done, fmt.Errorf("recover recording of %s: %w", e.Source, errors.Join(err, down))
		}
		done.Unread++
		left[e.Source] = true
		log.ErrorContext(ctx, "recording not recovered, left in the spool", "source", e.Source.String(), "file", e.Path(), "error", err)
	}
	for src, is := range known {
		if !is || left[src] { // what is damaged may be in the file that was left
			continue
		}
		if err := store.EndDamage(ctx, src); err != nil {
			return done, fmt.Errorf("recover: %w", err)
		}
	}
	return done, nil
}

func (d *Recovered) part(ctx context.Context, store *storage.Store, sp *spool.Spool, e spool.Entry) error {
	x, keep, err := verified(sp, e)
	if err != nil {
		return err
	}
	switch {
	case x == nil && keep:
		d.Aside++
		return store.PutAside(ctx, sp, e)
	case x == nil && e.Size > maxMoov:
		return errOdd // more than a torn beginning
	case x == nil:
		d.Removed++
		return sp.Remove(e)
	case keep:
		if err := store.CopyTailAside(ctx, sp, e, x.size); err != nil {
			return err
		}
		d.Aside++
	}
	sum, err := sp.Repair(e, x.size)
	if err != nil {
		return err
	}
	g := x.segment(e)
	g.SHA256, g.Repaired = sum, true
	if _, err = store.CommitSegment(ctx, kept(g, time.Now())); err != nil {
		return err
	}
	d.Repaired++
	d.CutBytes += e.Size - x.size
	return sp.Settle(e)
}

func (d *Recovered) finished(ctx context.Context, store *storage.Store, sp *spool.Spool, e spool.Entry) error {
	g, err := store.SegmentStarting(ctx, e.Source, e.Start)
	switch {
	case ward.KindOf(err) == ward.NotFound:
		if err := commitFinished(ctx, store, sp, e); err != nil {
			return err
		}
		d.Committed++
	case err != nil:
		return err
	case g.State != ward.Spooled:
		d.Removed++
		if err := sp.Remove(e); err != nil {
			return err
		}
	}
	return sp.Settle(e)
}

// commitFinished makes the row of a finished file.
func commitFinished(ctx context.Context, store *storage.Store, sp *spool.Spool, e spool.Entry) error {
	x, err := indexOf(sp, e)
	if errors.Is(err, errTorn) || err == nil && (len(x.parts) == 0 || x.size != e.Size) {
		return errOdd
	}
	if err != nil {
		return err
	}
	g := x.segment(e)
	g.Repaired = sp.Repaired(e)
	if g.SHA256, err = sp.Sum(e); err != nil {
		return err
	}
	_, err = store.CommitSegment(ctx, kept(g, time.Now()))
	return err
}

// errOdd is the error of a file that no crash makes: for a person to look at.
var errOdd = errors.New("not a recording as it should be")

// verified reads a torn file up to the first fragment that is damaged; x is
// nil when none is whole before that. keep says that there is more to be kept
// than can be committed: without x any fragment, after x a whole one.
func verified(sp *spool.Spool, e spool.Entry) (x *index, keep bool, err error) {
	f, err := sp.Open(e)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size := sizeOf(f)
	x, err = readIndex(f, size)
	if err == nil {
		err = x.verify(f)
	}
	switch {
	case errors.Is(err, errTorn) || err == nil && len(x.parts) == 0:
		keep, err = holdsMoof(f, 0, size)
		return nil, keep, err
	case err != nil:
		return nil, false, err
	}
	keep, err = holdsWhole(f, x.size, size)
	return x, keep, err
}

func indexOf(sp *spool.Spool, e spool.Entry) (x *index, err error) {
	f, err := sp.Open(e)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return readIndex(f, sizeOf(f))
}

func sizeOf(f disk.Handle) int64 {
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
