package analytics

import (
	"slices"
	"sync"
	"time"

	"wardwatch/ingest"
)

const (
	// maxFeedUnits and maxFeedBytes bound what is kept of the pictures between
	// two key frames; of a longer stretch only the key frame is looked at.
	maxFeedUnits = 300     // 12 s at 25 a second
	maxFeedBytes = 4 << 20 // 8 s at 4 Mbit/s
)

// feed holds what a stream brought since its newest key frame, for the one who
// looks: it is never further behind than that. The reading goroutine puts,
// Run's takes.
type feed struct {
	mu     sync.Mutex    // guards the rest
	units  []ingest.Unit // from the newest key frame on, without holes
	bytes  int
	taken  int           // of units
	closed bool          // units has no more until the next key frame
	ended  bool          // the stream is over
	wake   chan struct{} // may be of several feeds

	came   time.Time     // when the newest unit did
	keyed  time.Time     // when the newest key frame did
	keyGap time.Duration // between the two newest key frames
}

func newFeed(wake chan struct{}) *feed { return &feed{wake: wake} }

func (f *feed) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// put adds a unit of video, and says whether a key frame that nobody took gave way to it.
func (f *feed) put(u ingest.Unit) (dropped bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.rouse()
	size := 0
	for _, b := range u.AU {
		size += len(b)
	}
	if f.came = u.Arrived; u.Key {
		if !f.keyed.IsZero() {
			f.keyGap = u.Arrived.Sub(f.keyed)
		}
		f.keyed = u.Arrived
	}
	switch {
	case u.Key:
		dropped = len(f.units) > 0 && f.taken == 0
		clear(f.units)
		f.units, f.bytes, f.taken, f.closed = append(f.units[:0], u), size, 0, false
	case len(f.units) == 0 || f.closed:
	case u.Lost != "" || len(f.units) == maxFeedUnits || f.bytes+size > maxFeedBytes:
		f.close()
	default:
		f.units, f.bytes = append(f.units, u), f.bytes+size
	}
	return dropped
}

// close forgets what was not taken but the key frame, and takes nothing more
// before the next one; called locked.
func (f *feed) close() {
	keep := min(max(f.taken, 1), len(f.units))
	clear(f.units[keep:])
	f.units, f.closed = f.units[:keep], true
}

// rest gives the pictures up to the next key frame up.
func (f *feed) rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.close()
}

// end makes next return nothing once everything is taken.
func (f *feed) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	f.rouse()
}

// pace says what the looker wants next.
type pace struct {
	last    time.Time     // when the last picture that was looked at came
	gap     time.Duration // least time to the next
	between bool          // also pictures between key frames
}

// due says whether a picture that came at at is wanted. A key frame may come
// a little early, or every second one would be passed over.
func (p pace) due(at time.Time, key bool) bool {
	gap := p.gap
	if key {
		gap = gap * 3 / 4
	}
	gone := at.Sub(p.last)
	return p.last.IsZero() || gone < 0 || gone >= gap
}

// take returns the units to decode next, of which the last is the picture to
// look at; over says that nothing more will come.
func (f *feed) take(p pace) (us []ingest.Unit, over bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.taken == len(f.units) {
		return nil, f.ended
	}
	newest := f.units[len(f.units)-1]
	switch {
	case p.between && p.due(newest.Arrived, newest.Key):
		us, f.taken = f.units[f.taken:], len(f.units)
	case !p.between && f.taken == 0 && p.due(f.units[0].Arrived, true):
		us, f.taken = f.units[:1], 1
	case !p.between:
		f.close()
	}
	return slices.Clone(us), f.ended
}

// newest says when the newest unit and the newest key frame came, zero before
// the first, and how far the two newest key frames are apart.
func (f *feed) newest() (came, keyed time.Time, keyGap time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.came, f.keyed, f.keyGap
}
