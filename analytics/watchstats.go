package analytics

import (
	"sync"
	"sync/atomic"

	"wardwatch/ward"
)

// WatchStats count pictures since the start.
type WatchStats struct {
	Looked  uint64 // analysed
	Glanced uint64 // of those only for faces
	Dropped uint64 // key frames skipped: too soon after the one before, or a newer one had come
	Late    uint64 // how often the pictures up to the next key frame were given up, since the worker did not keep up
	Failed  uint64 // the worker gave an error
	Beside  uint64 // key frames of the main stream that were looked at beside a sub stream
	// SubsGivenUp is how often a sub stream could not be had or was of no use.
	SubsGivenUp uint64
}

type watchCounts struct{ looked, glanced, dropped, late, failed, beside, subs atomic.Uint64 }

func (c *watchCounts) stats() WatchStats {
	return WatchStats{c.looked.Load(), c.glanced.Load(), c.dropped.Load(), c.late.Load(), c.failed.Load(), c.beside.Load(), c.subs.Load()}
}

func (c *watchCounts) add(n WatchStats) {
	if c != nil {
		c.looked.Add(n.Looked)
		c.glanced.Add(n.Glanced)
		c.dropped.Add(n.Dropped)
		c.late.Add(n.Late)
		c.failed.Add(n.Failed)
		c.beside.Add(n.Beside)
		c.subs.Add(n.SubsGivenUp)
	}
}

// Watching says which stream of a camera is looked at.
type Watching struct {
	Sub   bool          // the sub stream tells who is there
	Fault ward.SubFault // why it does not though there is one; empty as well while it is tried
}

// watchedMap has the cameras that are watched.
type watchedMap struct {
	mu sync.Mutex // guards by
	by map[ward.CameraID]Watching
}

func (m *watchedMap) set(cam ward.CameraID, v Watching) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.by == nil {
		m.by = map[ward.CameraID]Watching{}
	}
	m.by[cam] = v
}

func (m *watchedMap) forget(cam ward.CameraID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.by, cam)
}

// Watching says which stream of a camera is looked at; ok is false when none
// is. It may be called from any goroutine.
func (l *Lookout) Watching(cam ward.CameraID) (v Watching, ok bool) {
	l.watched.mu.Lock()
	defer l.watched.mu.Unlock()
	v, ok = l.watched.by[cam]
	return v, ok
}

// WatchingAll counts the cameras that are watched, each way. It may be called
// from any goroutine.
func (l *Lookout) WatchingAll() map[Watching]int {
	l.watched.mu.Lock()
	defer l.watched.mu.Unlock()
	all := map[Watching]int{}
	for _, v := range l.watched.by {
		all[v]++
	}
	return all
}
