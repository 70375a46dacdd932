package ingest

import (
	"context"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"wardwatch/ward"
)

// Reader is one consumer's view of a Stream. One goroutine uses it.
type Reader struct {
	s       *Stream
	backlog []keptUnit
	disk    *onDisk // where those of the backlog are that are not in memory
	awaits  bool    // the backlog could not be read: pass over what comes before the next key frame
	depth   int
	most    int           // bytes that the ring may hold, unless it is one unit
	wake    chan struct{} // holds one when there may be something new
	prompt  atomic.Bool   // counts in s.watched

	// The rest is guarded by s.mu.
	ring    []Unit // grows up to depth; holds count units from head on
	head    int
	count   int
	bytes   int // in ring
	closed  bool
	resting bool      // see rest
	until   time.Time // of the resting
	dropped uint64
	skip    bool       // until the next key frame
	lost    ward.Cause // to be told with the next video unit
}

const (
	// readerBytes is how much a ring holds at most, and recorderBytes the
	// recorder's: 20 s at 25 Mbit/s.
	readerBytes   = 8 << 20
	recorderBytes = 64 << 20
	// firstRing is how many units a ring holds before it grows.
	firstRing = 16
	// restBytes is how much may gather in the ring of a resting reader.
	restBytes = 1 << 20
)

// offer queues u or drops it; called with s.mu held. After a dropped picture
// the pictures up to the next key frame are dropped too: they could not be decoded.
func (r *Reader) offer(u Unit, size int, video bool) {
	if r.skip && (!video || !u.Key) {
		if r.lost != "" {
			r.dropped++
		}
		return
	}
	if video && u.Lost == "" {
		u.Lost = r.lost
	}
	if r.count == r.depth || r.count > 0 && r.bytes+size > r.most {
		r.dropped++
		if video {
			r.skip, r.lost = true, ward.CauseSlow
		}
		return
	}
	if video {
		r.skip, r.lost = false, ""
	}
	if r.count == len(r.ring) {
		r.grow()
	}
	r.ring[(r.head+r.count)%len(r.ring)] = u
	r.count++
	r.bytes += size
	if !r.resting || r.count >= (r.depth+1)/2 || r.bytes > restBytes || !u.Arrived.Before(r.until) {
		r.rouse()
	}
}

// grow makes room in the ring; called with s.mu held.
func (r *Reader) grow() {
	bigger := make([]Unit, min(max(2*len(r.ring), firstRing), r.depth))
	n := copy(bigger, r.ring[r.head:])
	copy(bigger[n:], r.ring[:r.head])
	r.ring, r.head = bigger, 0
}

// rouse wakes the consumer; called with s.mu held.
func (r *Reader) rouse() {
	r.resting = false
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Next waits for the next unit. It returns io.EOF after Stream.Close or
// Reader.Close, and ctx's error when ctx ends.
func (r *Reader) Next(ctx context.Context) (Unit, error) {
	if u, ok := r.kept(); ok {
		return u, nil
	}
	for {
		u, ok, closed := r.pop()
		switch {
		case ok && r.awaits && (!u.Key || u.Track != r.s.video):
			continue
		case ok:
			r.awaits = false
			return u, nil
		case closed:
			return Unit{}, io.EOF
		}
		if err := r.wait(ctx); err != nil {
			return Unit{}, err
		}
	}
}

func (r *Reader) wait(ctx context.Context) error {
	select {
	case <-r.wake:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Reader) pop() (u Unit, ok, closed bool) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.count == 0 {
		return Unit{}, false, r.closed
	}
	u, r.ring[r.head] = r.ring[r.head], Unit{}
	r.head = (r.head + 1) % len(r.ring)
	r.count--
	r.bytes -= u.size()
	return u, true, false
}

// take waits for units, appends to into all there are, and returns it; its
// errors are those of Next. When nothing but the ring's bounds make it
// necessary it waits until a unit arrives at until or later: a consumer that
// works in bulk is not woken for every unit.
func (r *Reader) take(ctx context.Context, into []Unit, until time.Time) ([]Unit, error) {
	for u, ok := r.kept(); ok; u, ok = r.kept() {
		into = append(into, u)
	}
	if len(into) > 0 {
		return into, nil
	}
	r.s.mu.Lock()
	r.until = until
	r.resting = until.After(r.newest()) && r.count < (r.depth+1)/2 && r.bytes <= restBytes && !r.closed
	resting := r.resting
	r.s.mu.Unlock()
	for {
		if !resting {
			if into = r.drain(into); len(into) > 0 {
				return into, nil
			}
			if r.over() {
				return nil, io.EOF
			}
		}
		if err := r.wait(ctx); err != nil {
			return r.drain(into), err
		}
		r.s.mu.Lock()
		resting = r.resting // an old wake-up
		r.s.mu.Unlock()
	}
}

// newest is when the last unit of the ring arrived; called with s.mu held.
func (r *Reader) newest() time.Time {
	if r.count == 0 {
		return time.Time{}
	}
	return r.ring[(r.head+r.count-1)%len(r.ring)].Arrived
}

func (r *Reader) over() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.closed && r.count == 0
}

// drain appends what the ring holds.
func (r *Reader) drain(into []Unit) []Unit {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	into = slices.Grow(into, r.count)
	for ; r.count > 0; r.count-- {
		into = append(into, r.ring[r.head])
		r.ring[r.head] = Unit{}
		r.head = (r.head + 1) % len(r.ring)
	}
	r.bytes = 0
	return into
}

// Dropped counts the units that this reader was too slow for.
func (r *Reader) Dropped() uint64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.dropped
}

// Close ends the subscription.
func (r *Reader) Close() {
	r.endBacklog()
	if r.prompt.Swap(false) {
		r.s.watched.Add(-1)
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.readers = slices.DeleteFunc(r.s.readers, func(o *Reader) bool { return o == r })
	r.closed = true
	r.rouse()
}
