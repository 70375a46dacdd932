package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	uploadPoll  = time.Second
	uploadBatch = 500
	// DefaultUploadWorkers is how many segments travel at the same time.
	DefaultUploadWorkers = 3
)

// Uploader moves finished segments from the spool to the object store: put,
// read back and compare, mark archived, and only then remove the spooled
// file. It tries again for ever; rows are its queue, so it goes on after a
// restart. The oldest goes first: it is what a full spool would lose next, so
// nothing is evicted that could have been saved, and the backlog ends at one
// moment before which everything is safe.
type Uploader struct {
	Store   *storage.Store
	Spool   *spool.Spool
	Objects objects.Objects
	Workers int     // 0 means DefaultUploadWorkers
	MbitS   float64 // most megabits a second of all together; 0 means no limit
	Log     *slog.Logger
	// OnArchived, when set, is called after each segment is archived.
	OnArchived func(ward.Segment)

	once     sync.Once
	wake     chan struct{}
	throttle *throttle

	mu    sync.Mutex // guards the rest
	tries map[ward.SegmentID]try
	left  []spool.Entry // archived, and could not be removed
	stats UploadStats
	probe time.Time     // while the store is down: when it is tried next
	wait  time.Duration // and how long after that again
}

// UploadStats say how uploading does since the process started.
type UploadStats struct {
	Segments, Bytes, Failures uint64
	// Lost is how many recordings have a row that waits, and are nowhere.
	Lost int
	// Down is since when the store takes nothing; zero while it does. Err is why.
	Down time.Time
	Err  error
	// Since is when the store was first known to be as it is.
	Since time.Time
}

// Stats says how uploading does.
func (p *Uploader) Stats() UploadStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	for _, t := range p.tries {
		if t.lost > 0 {
			s.Lost++
		}
	}
	return s
}

// Wake makes the uploader look for work now; it never blocks.
func (p *Uploader) Wake() {
	select {
	case p.signal() <- struct{}{}:
	default:
	}
}

func (p *Uploader) signal() chan struct{} {
	p.once.Do(func() {
		p.mu.Lock() // Stats may be asked for before
		defer p.mu.Unlock()
		p.wake = make(chan struct{}, 1)
		p.tries = map[ward.SegmentID]try{}
		p.throttle = newThrottle(p.MbitS, p.Spool)
		p.stats.Since = time.Now()
		if p.Log == nil {
			p.Log = slog.New(slog.DiscardHandler)
		}
	})
	return p.wake
}

// Run uploads until ctx ends.
func (p *Uploader) Run(ctx context.Context) error {
	wake := p.signal()
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
		p.clean(ctx)
		select {
		case <-wake:
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// offer hands the segments that are due to the workers, oldest first.
func (p *Uploader) offer(ctx context.Context, work chan<- ward.Segment) error {
	var last ward.Segment
	for {
		segs, err := p.Store.SpooledAfter(ctx, last, uploadBatch)
		if err != nil {
			return err
		}
		for _, g := range segs {
			last = g
			take, more := p.due(g.ID)
			if !more {
				return nil
			}
			if !take {
				continue
			}
			select {
			case work <- g:
			case <-ctx.Done():
				p.Release(g.ID)
				return ctx.Err()
			}
		}
		if len(segs) < uploadBatch {
			return nil
		}
	}
}

func (p *Uploader) upload(ctx context.Context, g ward.Segment) {
	done, err := p.archive(ctx, g)
	if ctx.Err() != nil {
		p.Release(g.ID)
		return
	}
	if !p.ended(g, done, err) {
		return
	}
	if errors.Is(err, errLost) {
		p.Log.ErrorContext(ctx, "recording lost: it is neither in the spool nor in the store", "segment", g.ID, "source", g.Source.String(), "start", g.Start, "error", err)
		return
	}
	p.Log.WarnContext(ctx, "segment not archived, trying again", "segment", g.ID, "source", g.Source.String(), "error", err)
}
