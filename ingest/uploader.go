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
	// storeLastRetry bounds how long after its return a store that was down
	// is found again; one segment is tried for all of them.
	storeLastRetry = 5 * time.Second
	uploadBatch    = 500
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

// try is a segment that is travelling, or waits after a failure.
type try struct {
	busy  bool
	after time.Time
	wait  time.Duration
}

// UploadStats say how uploading does since the process started.
type UploadStats struct {
	Segments, Bytes, Failures uint64
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
	return p.stats
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

// due claims a segment whose time has come. more is false when none should be
// looked at now, because the store is down and one was just tried.
func (p *Uploader) due(id ward.SegmentID) (take, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	down := !p.stats.Down.IsZero()
	if down && now.Before(p.probe) {
		return false, false
	}
	t := p.tries[id]
	if t.busy || now.Before(t.after) {
		return false, true
	}
	if down {
		p.probe = now.Add(p.wait)
	}
	t.busy = true
	p.tries[id] = t
	return true, true
}

// Claim keeps a segment from being uploaded until Release. It is false while
// the segment travels.
func (p *Uploader) Claim(id ward.SegmentID) bool {
	p.signal()
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tries[id]
	if t.busy {
		return false
	}
	t.busy = true
	p.tries[id] = t
	return true
}

// Release ends a Claim.
func (p *Uploader) Release(id ward.SegmentID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.tries, id)
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
	p.Log.WarnContext(ctx, "segment not archived, trying again", "segment", g.ID, "source", g.Source.String(), "error", err)
}

// ended notes how an upload went, and says whether to log a failure: while
// the store is down one line says so, not one per segment.
func (p *Uploader) ended(g ward.Segment, done bool, err error) (log bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if err == nil {
		delete(p.tries, g.ID)
		if done {
			p.stats.Segments++
			p.stats.Bytes += uint64(g.Bytes) //nolint:gosec // not negative
		}
		p.up(now)
		return false
	}
	p.stats.Failures++
	t := p.tries[g.ID]
	t.busy, t.wait = false, min(max(2*t.wait, uploadFirstRetry), uploadLastRetry)
	t.after = now.Add(t.wait)
	if !ofStore(err) {
		p.tries[g.ID] = t
		p.up(now) // it answered, as far as this one tells
		return true
	}
	was := p.stats.Down
	if p.stats.Err = err; was.IsZero() {
		p.stats.Down, p.stats.Since, p.wait = now, now, 0
	}
	p.wait = min(max(2*p.wait, uploadFirstRetry), storeLastRetry)
	p.probe = now.Add(p.wait)
	// Another one is tried next, lest one object that the store cannot take
	// stands for all.
	t.wait, t.after = 0, now.Add(3*p.wait/2)
	p.tries[g.ID] = t
	return was.IsZero()
}

// up is called locked: the store is known to work, and all that waited for it
// may go at once.
func (p *Uploader) up(now time.Time) {
	if p.stats.Down.IsZero() {
		return
	}
	p.stats.Down, p.stats.Err, p.stats.Since = time.Time{}, nil, now
	for id, t := range p.tries {
		if t.wait == 0 {
			t.after = time.Time{}
			p.tries[id] = t
		}
	}
	p.Wake()
}

// ofStore says whether err concerns every object, not this one.
func ofStore(err error) bool {
	for _, code := range []string{"objects.unreachable", "objects.full", "objects.denied"} {
		if errors.Is(err, &ward.Error{Code: code}) {
			return true
		}
	}
	return false
}

// archive moves one segment; done says that this call did it.
func (p *Uploader) archive(ctx context.Context, g ward.Segment) (done bool, err error) {
	// A row listed before another worker archived it must not be put again.
	if now, err := p.Store.Segment(ctx, g.ID); err != nil || now.State != ward.Spooled {
		return false, err
	}
	if err := p.put(ctx, g); err != nil {
		return false, err
	}
	if err := p.throttle.wait(ctx, 0); err != nil {
		return false, err
	}
	sum, size, err := objects.Sum(ctx, p.Objects, g.Key)
	if err != nil {
		return false, err
	}
	if sum != g.SHA256 || size != g.Bytes {
		return false, fmt.Errorf("object %s: its content differs from the ledger's", g.Key)
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

func (p *Uploader) put(ctx context.Context, g ward.Segment) (err error) {
	f, err := p.Spool.Open(spool.Of(g))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // archived before a crash, and not marked: the sum decides
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return p.Objects.Put(ctx, g.Key, &throttled{ctx, p.throttle, f}, g.Bytes)
}
