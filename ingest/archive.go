package ingest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"time"

	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	// thereTimeout bounds the look for an object before its recording is given
	// up: room is needed soon.
	thereTimeout = 200 * time.Millisecond
)

var (
	errLost   = errors.New("the spool does not have it")
	errSilent = errors.New("the store does not answer")
)

// archive moves one segment; done says that this call did it.
func (p *Uploader) archive(ctx context.Context, g ward.Segment) (done bool, err error) {
	// A row listed before another worker archived it must not be put again.
	if now, err := p.Store.Segment(ctx, g.ID); err != nil || now.State != ward.Spooled {
		return false, err
	}
	if err := p.keep(ctx, g); err != nil {
		return false, err
	}
	if err := p.Store.MarkArchived(ctx, g.ID); err != nil {
		return false, err
	}
	if err := p.Spool.Remove(spool.Of(g)); err != nil {
		p.Log.WarnContext(ctx, "archived file not removed, trying again", "segment", g.ID, "error", err)
		p.mu.Lock()
		p.left = append(p.left, spool.Of(g))
		p.mu.Unlock()
	}
	if p.OnArchived != nil {
		p.OnArchived(g)
	}
	return true, nil
}

// clean removes archived files that could not be removed at first: in a full
// spool they are the first to go.
func (p *Uploader) clean(ctx context.Context) {
	p.mu.Lock()
	left := p.left
	p.left = nil
	p.mu.Unlock()
	for _, e := range left {
		if err := p.Spool.Remove(e); err != nil {
			p.Log.DebugContext(ctx, "archived file still not removed", "source", e.Source.String(), "error", err)
			p.mu.Lock()
			p.left = append(p.left, e)
			p.mu.Unlock()
		}
	}
}

// keep makes the store have the object of g with the ledger's SHA-256, from
// its spooled file. Without one it was archived before a crash and not marked,
// or is lost: the sum decides.
func (p *Uploader) keep(ctx context.Context, g ward.Segment) (err error) {
	f, err := p.Spool.Open(spool.Of(g))
	if errors.Is(err, fs.ErrNotExist) {
		err = objects.Verify(ctx, p.Objects, g.Key, g.Bytes, g.SHA256)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, objects.ErrDiffers) {
			err = errors.Join(errLost, err)
		}
		return err
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	from := func() io.Reader { return &throttled{ctx, p.throttle, io.NewSectionReader(f, 0, math.MaxInt64)} }
	return objects.Keep(ctx, p.Objects, g.Key, objects.File{Disk: f, Reader: from, Size: g.Bytes, SHA256: g.SHA256})
}

// there says whether the object store has g whole, though its row does not
// say so: it was put before a crash, or the answer got lost. A store that does
// not answer is errSilent; any other error is that it has something of g's
// size and does not let it be read within the time given.
func (p *Uploader) there(ctx context.Context, g ward.Segment, within time.Duration) (bool, error) {
	if !p.Stats().Down.IsZero() {
		return false, errSilent
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	short, cancel := context.WithTimeout(ctx, thereTimeout)
	defer cancel()
	info, err := p.Objects.Stat(short, g.Key)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size != g.Bytes {
		return false, nil
	}
	if err != nil {
		return false, errors.Join(errSilent, err)
	}
	err = objects.Verify(ctx, p.Objects, g.Key, g.Bytes, g.SHA256)
	if errors.Is(err, objects.ErrDiffers) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
