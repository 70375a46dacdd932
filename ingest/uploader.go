package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	uploadPoll       = time.Second
	uploadFirstRetry = time.Second
	uploadLastRetry  = 30 * time.Second
	uploadBatch      = 1000
	// DefaultUploadWorkers is how many segments travel at the same time.
	DefaultUploadWorkers = 3
)

// Uploader moves finished segments from the spool to the object store: put,
// read back and compare, mark archived, and only then remove the spooled
// file. It tries again for ever; rows are its queue, so it goes on after a restart.
type Uploader struct {
	Store   *storage.Store
	Spool   *spool.Spool
	Objects objects.Objects
	Workers int // 0 means DefaultUploadWorkers
	Log     *slog.Logger
	// OnArchived, when set, is called after each segment is archived.
	OnArchived func(ward.Segment)

	once sync.Once
	wake chan struct{}

	mu    sync.Mutex // guards tries
	tries map[ward.SegmentID]try
}

// try is a segment that is travelling, or waits after a failure.
type try struct {
	busy  bool
	after time.Time
	wait  time.Duration
}

// Wake makes the uploader look for work now; it never blocks.
func (p *Uploader) Wake() {
	select {
	case p.signal() <- struct{}{}:
	default:
	}
}

func (p *Uploader) signal() chan struct{} {
	p.once.Do(func() { p.wake = make(chan struct{}, 1) })
	return p.wake
}

// Run uploads until ctx ends.
func (p *Uploader) Run(ctx context.Context) error {
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	p.tries = map[ward.SegmentID]try{}
	workers := p.Workers
	if workers <= 0 {
		workers = DefaultUploadWorkers
	}
	work := make(chan ward.Segment)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for g := range work {
				p.upload(ctx, g)
			}
		})
	}
	defer wg.Wait()
	defer close(work)
	tick := time.NewTicker(uploadPoll)
	defer tick.Stop()
	for {
		if err := p.offer(ctx, work); err != nil && ctx.Err() == nil {
			p.Log.WarnContext(ctx, "spooled segments not listed", "error", err)
		}
		select {
		case <-p.signal():
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// offer hands the segments that are due to the workers.
func (p *Uploader) offer(ctx context.Context, work chan<- ward.Segment) error {
	segs, err := p.Store.SpooledSegments(ctx, uploadBatch)
	if err != nil {
		return err
	}
	for _, g := range segs {
		if !p.take(g.ID) {
			continue
		}
		select {
		case work <- g:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (p *Uploader) take(id ward.SegmentID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tries[id]
	if t.busy || time.Now().Before(t.after) {
		return false
	}
	t.busy = true
	p.tries[id] = t
	return true
}

func (p *Uploader) upload(ctx context.Context, g ward.Segment) {
	err := p.archive(ctx, g)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		delete(p.tries, g.ID)
		return
	}
	t := p.tries[g.ID]
	t.busy, t.wait = false, min(max(2*t.wait, uploadFirstRetry), uploadLastRetry)
	t.after = time.Now().Add(t.wait)
	p.tries[g.ID] = t
	if ctx.Err() == nil {
		p.Log.WarnContext(ctx, "segment not archived, trying again", "segment", g.ID, "source", g.Source.String(), "after", t.wait, "error", err)
	}
}

// archive moves one segment.
func (p *Uploader) archive(ctx context.Context, g ward.Segment) error {
	// A row listed before another worker archived it must not be put again.
	if now, err := p.Store.Segment(ctx, g.ID); err != nil || now.State != ward.Spooled {
		return err
	}
	if err := p.put(ctx, g); err != nil {
		return err
	}
	sum, size, err := objects.Sum(ctx, p.Objects, g.Key)
	if err != nil {
		return err
	}
	if sum != g.SHA256 || size != g.Bytes {
		return fmt.Errorf("object %s: its content differs from the ledger's", g.Key)
	}
	if err := p.Store.MarkArchived(ctx, g.ID); err != nil {
		return err
	}
	if err := p.Spool.Remove(spool.Of(g)); err != nil {
		p.Log.WarnContext(ctx, "archived file not removed", "segment", g.ID, "error", err) // Recover removes it
	}
	if p.OnArchived != nil {
		p.OnArchived(g)
	}
	return nil
}

func (p *Uploader) put(ctx context.Context, g ward.Segment) (err error) {
	f, err := p.Spool.Open(spool.Of(g))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // archived before a crash, and not marked: the sum decides
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return p.Objects.Put(ctx, g.Key, f, g.Bytes)
}
