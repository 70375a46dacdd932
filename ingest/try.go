package ingest

import (
	"errors"
	"time"

	"wardwatch/ward"
)

const (
	uploadFirstRetry = time.Second
	uploadLastRetry  = 30 * time.Second
	// storeLastRetry bounds how long after its return a store that was down
	// is found again; one segment is tried for all of them.
	storeLastRetry = 5 * time.Second
	// lostRetry is how often a recording is looked for again that is neither
	// in the spool nor in the store: somebody may put its file back.
	lostRetry = 10 * time.Minute
)

// try is a segment that is travelling, or waits after a failure.
type try struct {
	busy  bool
	after time.Time
	wait  time.Duration
	lost  int64 // not 0: its bytes, which are neither in the spool nor in the store
}

// Lost are the recordings that are neither in the spool nor in the store, by
// the last look, with their bytes.
func (p *Uploader) Lost() map[ward.SegmentID]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[ward.SegmentID]int64{}
	for id, t := range p.tries {
		if t.lost > 0 {
			all[id] = t.lost
		}
	}
	return all
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
// the segment travels, and when it is lost.
func (p *Uploader) Claim(id ward.SegmentID) bool {
	p.signal()
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tries[id]
	if t.busy || t.lost > 0 {
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
	if errors.Is(err, errLost) {
		known := t.lost > 0
		t.lost, t.wait, t.after = max(g.Bytes, 1), lostRetry, now.Add(lostRetry)
		p.tries[g.ID] = t
		p.up(now)
		return !known
	}
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
