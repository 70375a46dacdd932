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
	start time.Time            // of the first picture, as the device says; zero: it does not
	now   bool                 // sender reports tell the time of sending, or of what happens now
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

// reportsBefore is how far before the stretch a device may begin: at a key
// frame, or a file's beginning.
const reportsBefore = time.Minute

// newReplay asks for [from, to) of the device's clock.
func newReplay(from, to time.Time) *replay {
	return &replay{from: from, to: to, heard: map[uint32]time.Time{}, taken: map[int64]time.Time{}}
}

// of says whether at can be a moment of the stretch. What happens now cannot:
// the gap was over before the device was asked.
func (r *replay) of(at time.Time) bool {
	return at.After(r.from.Add(-reportsBefore)) && at.Before(r.to)
}

// report is told what a sender report says. Devices that report the time at
// which they send, and those that play what happens now, do not date anything.
func (r *replay) report(said rtsp.Report) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of(said.NTP) {
		r.said = said
	} else if !said.NTP.Before(r.to) && r.said.NTP.IsZero() {
		r.now = true
	}
}

// begin is told where the device says that it begins; zero when it does not.
func (r *replay) begin(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of(at) {
		r.start = at
	}
}

// begins is where the device says that it begins, unless it says later that
// it sends what happens now.
func (r *replay) begins() (at time.Time, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.start, !r.start.IsZero() && !r.now
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
	if at.Before(r.from.Add(-reportsBefore)) {
		return
	}
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

// steady says whether the media's time stamps tell how long pictures last.
func (r *replay) steady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.moved
}
