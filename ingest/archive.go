package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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
	errDiffers = errors.New("its content differs from the ledger's")
	errLost    = errors.New("the spool does not have it")
	errSilent  = errors.New("the store does not answer")
)

// archive moves one segment; done says that this call did it.
func (p *Uploader) archive(ctx context.Context, g ward.Segment) (done bool, err error) {
	// A row listed before another worker archived it must not be put again.
	if now, err := p.Store.Segment(ctx, g.ID); err != nil || now.State != ward.Spooled {
		return false, err
	}
	spooled, err := p.put(ctx, g)
	if err != nil {
		return false, err
	}
	if err := p.throttle.wait(ctx, 0); err != nil {
		return false, err
	}
	if err := p.verify(ctx, g); err != nil {
		if !spooled && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDiffers)) {
			err = errors.Join(errLost, err)
		}
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

// put stores the object of g from its spooled file; spooled says whether
// there is one. Without, it was archived before a crash and not marked, or is
// lost: the sum decides.
func (p *Uploader) put(ctx context.Context, g ward.Segment) (spooled bool, err error) {
	f, err := p.Spool.Open(spool.Of(g))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return true, p.Objects.Put(ctx, g.Key, &throttled{ctx, p.throttle, f}, g.Bytes)
}

// verify reads the object of g back and compares it with the ledger.
func (p *Uploader) verify(ctx context.Context, g ward.Segment) error {
	sum, size, err := objects.Sum(ctx, p.Objects, g.Key)
	if err == nil && (sum != g.SHA256 || size != g.Bytes) {
		err = fmt.Errorf("object %s: %w", g.Key, errDiffers)
	}
	return err
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
	err = p.verify(ctx, g)
	if errors.Is(err, errDiffers) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
