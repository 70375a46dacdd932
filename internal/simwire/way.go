package simwire

import (
	"container/heap"
	"math/rand/v2"
	"sync"
	"time"
)

// way is one direction of a wire: frames wait in it until they are due.
type way struct {
	mu     sync.Mutex // guards the rest
	line   Line
	free   time.Time // when the last frame has gone out, at the line's rate
	frames due
	sent   uint64
	wake   chan struct{} // has room for one: an earlier frame waits, or the line has changed
}

// frame is sent at its time, those of one time in their order.
type frame struct {
	at time.Time
	n  uint64
	b  []byte
}

// push takes a frame, or loses it.
func (w *way) push(b []byte, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.line
	if !l.passes(b) || etherType(b) != arp && rand.Float64()*100 < l.Loss { //nolint:gosec // no secret
		return
	}
	at := now
	if l.Rate > 0 {
		at = later(w.free, now)
		wait := l.Queue
		if wait == 0 {
			wait = defaultQueue
		}
		if at.Sub(now) > wait {
			return
		}
		at = at.Add(time.Duration(len(b)) * 8 * time.Second / time.Duration(l.Rate))
		w.free = at
	}
	at = at.Add(l.Delay)
	if l.Jitter > 0 {
		at = at.Add(rand.N(l.Jitter)) //nolint:gosec // likewise
	}
	w.sent++
	heap.Push(&w.frames, frame{at, w.sent, b})
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// pop returns the next frame if it is due, else how long to wait for it.
func (w *way) pop(now time.Time) (b []byte, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.frames) == 0 {
		return nil, time.Hour
	}
	if wait = w.frames[0].at.Sub(now); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&w.frames).(frame).b, 0 //nolint:forcetypeassert // holds nothing else
}

// due is a heap of frames.
type due []frame

func (d due) Len() int { return len(d) }
func (d due) Less(i, j int) bool {
	return d[i].at.Before(d[j].at) || d[i].at.Equal(d[j].at) && d[i].n < d[j].n
}
func (d due) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *due) Push(x any)   { *d = append(*d, x.(frame)) } //nolint:forcetypeassert // of heap.Push above
func (d *due) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}
