package ingest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Library reads recordings back: from the object store, from the spool, and
// from the file that is being written.
type Library struct {
	Store   *storage.Store
	Objects objects.Objects
	Spool   *spool.Spool
	// Transcodes codes again what a player cannot show; nil: nothing does.
	Transcodes *Transcodes
	Log        *slog.Logger

	known  remembered
	coded  Latest // pieces that were coded again
	room   codedRoom
	opened opened
}

// recording is one file of a source, wherever it is, opened.
type recording struct {
	place

	size int64
	io.ReaderAt
	close func() error
}

// locate returns the rows of src that touch [from, to), as far as they are
// inst's, and the places of what can be read there, both in the order of
// recording. Rows of another
// institution than inst are left out: a camera's id may have been used there
// before. What has no row yet says whose it is in its header; see
// recording.index.
func (l *Library) locate(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) (rows []ward.Segment, all []place, err error) {
	// The spool is listed first: a file that leaves it has its row by then.
	entries, err := l.Spool.EntriesOf(src)
	if err != nil {
		return nil, nil, err
	}
	segs, err := l.Store.SegmentsBetween(ctx, src, from, to)
	if err != nil {
		return nil, nil, err
	}
	starts := make(map[int64]bool, len(segs))
	for _, g := range segs {
		starts[g.Start.UnixMicro()] = true
		if g.InstitutionID != inst {
			continue
		}
		rows = append(rows, g)
		if g.State.Readable() {
			all = append(all, place{segment: g})
		}
	}
	for i, e := range entries {
		if i+1 < len(entries) && !entries[i+1].Start.After(from) {
			continue // over when the next one began
		}
		if !e.Start.Before(to) || starts[e.Start.UnixMicro()] {
			continue
		}
		if _, err := l.Store.SegmentStarting(ctx, src, e.Start); err == nil {
			continue // it has a row, and ends before from
		}
		all = append(all, place{entry: e})
	}
	return rows, inOrder(all), nil
}

// find locates the files of src that touch [from, to) and opens them. The
// caller closes each.
func (l *Library) find(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) ([]*recording, error) {
	_, places, err := l.locate(ctx, inst, src, from, to)
	if err != nil {
		return nil, err
	}
	var all []*recording
	for _, p := range places {
		rec, err := l.open(ctx, p)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		if rec != nil {
			all = append(all, rec)
		}
	}
	return all, nil
}

// index reads the recording's index. ok is false for one without a row that
// cannot be read, because it is only being begun, or that is not inst's.
func (r *recording) index(inst ward.InstitutionID) (x *index, ok bool, err error) {
	return r.indexOf(inst, 0, r.size)
}

// indexBetween is index, of at least the pictures and the sound in [from, to)
// and what is needed to decode them.
func (r *recording) indexBetween(inst ward.InstitutionID, from, to time.Time) (x *index, ok bool, err error) {
	begin, end := int64(0), r.size
	c := clockOf(r.segment)
	for i, k := range r.segment.Chunks { // a chunk's time is rounded
		if i > 0 && !r.start().Add(c.after(k.At+time.Millisecond)).After(from) {
			begin = r.segment.Chunks[i-1].Offset // its sound may be in the chunk before
		}
		if r.start().Add(c.after(k.At)).After(to.Add(time.Second)) { // a picture may be shown that late after it is decoded
			end = k.Offset
			break
		}
	}
	return r.indexOf(inst, begin, end)
}

func (r *recording) indexOf(inst ward.InstitutionID, begin, end int64) (x *index, ok bool, err error) {
	x, err = readIndexBetween(r, r.size, begin, end)
	if r.segment.ID != "" {
		return x, err == nil, err
	}
	return x, err == nil && x.header.InstitutionID == inst, nil
}

// clock is the recording's; see clockOf.
func (r *recording) clock() mediaClock {
	c := clockOf(r.segment)
	c.start = r.start()
	return c
}

func closeAll(all []*recording) {
	for _, r := range all {
		_ = r.close() // only read
	}
}

// open opens a committed segment, its spooled file while there is one, else
// the object; or a file without a row, being written or about to be
// committed. It is nil when such a file is gone.
func (l *Library) open(ctx context.Context, p place) (*recording, error) {
	if p.segment.ID == "" {
		return l.live(p.entry)
	}
	g := p.segment
	if g.State == ward.Archived {
		return l.archived(ctx, g), nil
	}
	f, err := l.Spool.Open(spool.Of(g))
	if err == nil {
		return &recording{place: p, size: g.Bytes, ReaderAt: f, close: f.Close}, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return l.archived(ctx, g), nil // meanwhile
}

func (l *Library) archived(ctx context.Context, g ward.Segment) *recording {
	r := &objectReader{ctx: ctx, objects: l.Objects, key: g.Key, size: g.Bytes}
	return &recording{place: place{segment: g}, size: g.Bytes, ReaderAt: r, close: func() error { return nil }}
}

func (l *Library) live(e spool.Entry) (*recording, error) {
	f, err := l.Spool.Open(e)
	if errors.Is(err, fs.ErrNotExist) && e.Part {
		e.Part = false // finished meanwhile
		f, err = l.Spool.Open(e)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // documented
	}
	if err != nil {
		return nil, err
	}
	return &recording{place: place{entry: e}, size: sizeOf(f), ReaderAt: f, close: f.Close}, nil
}
