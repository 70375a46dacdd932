package ingest

import (
	"sync"
	"time"

	"wardwatch/ingest/rtsp"
)

// replay is what a device plays of what it stored: when its pictures were
// taken, by the device's clock.
type replay struct {
	ask      string // the Range that is asked for; empty: the address says it
	from, to time.Time

	mu    sync.Mutex           // guards the rest
	start time.Time            // of the first picture
	moved bool                 // the media's time stamps jumped: what follows has no date but its own
	heard map[uint32]time.Time // by RTP time: pictures that are not whole yet
	taken map[int64]time.Time  // by PTS: pictures that are
	said  rtsp.Report          // the last sender report that tells a moment of the stretch
}

// maxHeard bounds what waits for the rest of its picture, and maxTaken what
// waits to be written.
const (
	maxHeard = 64
	maxTaken = 2 * recorderDepth
)

// reportsAround is how far beyond the stretch a sender report may be and be
// of what was stored; other devices report the time at which they send it.
const reportsAround = time.Minute

// newReplay asks for [from, to) of the device's clock. Addresses and ranges
// tell whole seconds, and devices begin with the key frame before.
func newReplay(from, to time.Time) *replay {
	return &replay{from: from, to: to, start: from.Truncate(time.Second), heard: map[uint32]time.Time{}, taken: map[int64]time.Time{}}
}

// report is told what a sender report says.
func (r *replay) report(said rtsp.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if said.NTP.After(r.from.Add(-reportsAround)) && said.NTP.Before(r.to.Add(reportsAround)) {
		r.said = said
	}
}

// begin is told where the device says that it begins; zero when it does not.
func (r *replay) begin(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !at.IsZero() {
		r.start = at
	}
}

func (r *replay) jumped() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.moved = true
}

// packet notes when the picture that b is a part of was taken.
func (r *replay) packet(b []byte, ts uint32) {
	at, ok := rtsp.ReplayTime(b)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.heard) >= maxHeard {
		clear(r.heard)
	}
	r.heard[ts] = at
}

// unit says that the picture with RTP time ts is whole.
func (r *replay) unit(t Track, ts uint32, pts int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok := r.heard[ts]
	delete(r.heard, ts)
	if !ok && !r.said.NTP.IsZero() {
		at, ok = r.said.NTP.Add(t.span(int64(int32(ts-r.said.RTP)))), true //nolint:gosec // RTP time wraps
	}
	if !ok {
		return
	}
	if len(r.taken) >= maxTaken {
		clear(r.taken)
	}
	r.taken[pts] = at
}

// told is when a picture is to be decoded by the device's clock, if the
// device said so.
func (r *replay) told(t Track, u Unit) (at time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, ok = r.taken[u.PTS]
	delete(r.taken, u.PTS)
	return at.Add(-t.span(u.PTS - u.DTS)), ok
}

// first is when the first picture should be, for want of better.
func (r *replay) first() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.start
}

// steady says whether the media's time stamps tell how long pictures last.
func (r *replay) steady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.moved
}
