package analytics

import "sync/atomic"

// WatchStats count pictures since the start.
type WatchStats struct {
	Looked  uint64 // analysed
	Glanced uint64 // of those only for faces
	Dropped uint64 // key frames skipped: too soon after the one before, or a newer one had come
	Late    uint64 // how often the pictures up to the next key frame were given up, since the worker did not keep up
	Failed  uint64 // the worker gave an error
}

type watchCounts struct{ looked, glanced, dropped, late, failed atomic.Uint64 }

func (c *watchCounts) stats() WatchStats {
	return WatchStats{c.looked.Load(), c.glanced.Load(), c.dropped.Load(), c.late.Load(), c.failed.Load()}
}

func (c *watchCounts) add(n WatchStats) {
	if c != nil {
		c.looked.Add(n.Looked)
		c.glanced.Add(n.Glanced)
		c.dropped.Add(n.Dropped)
		c.late.Add(n.Late)
		c.failed.Add(n.Failed)
	}
}
