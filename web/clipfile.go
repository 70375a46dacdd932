package web

import (
	"crypto/sha256"
	"maps"
	"net/http"
	"sync"
	"time"

	"wardwatch/ingest"
)

const (
	// maxCutting clips are cut at once: each reads at full speed.
	maxCutting = 4
	// maxClips are open at once: each holds files until it has been sent.
	maxClips = 32
	// cuttingOfUser and clipsOfUser are a user's part of them. A page downloads
	// the same stretch of all the cameras that it shows.
	cuttingOfUser = 2
	clipsOfUser   = 12
)

// clipSlots bound what clips take of the machine, and know those that were cut last.
type clipSlots struct {
	cutting, open *slots

	mu  sync.Mutex // guards cut
	cut map[string]clipCut
}

func newClipSlots() *clipSlots {
	return &clipSlots{cutting: newSlots(maxCutting, cuttingOfUser, clipsBusy, clipsFull), open: newSlots(maxClips, clipsOfUser, clipsBusy, clipsFull), cut: map[string]clipCut{}}
}

func clipsBusy() *Problem {
	return newProblem(http.StatusServiceUnavailable, "clip.busy", "正在剪辑的录像太多，请稍后再试。", "Too many clips are being made; try again shortly.")
}

func clipsFull() *Problem {
	return newProblem(http.StatusTooManyRequests, "clip.too_many", "您同时打开的录像片段太多，请先关闭一些，稍后再试。", "You have too many clips open at once; close some and try again shortly.")
}

const (
	// maxKept clips are known at once: about half a MB each.
	maxKept = 32
	// keptFor is how long one is after it was asked for last.
	keptFor = 10 * time.Minute
	// keptOpen is how long one that lacks something is: more may be recorded by then.
	keptOpen = 15 * time.Second
)

// clipCut is a clip that was cut: where its bytes are, and their hash.
type clipCut struct {
	plan       *ingest.ClipPlan
	sha256     [sha256.Size]byte
	made, used time.Time
}

func (c clipCut) over(now time.Time) bool {
	return now.Sub(c.used) > keptFor || !c.plan.Complete && now.Sub(c.made) > keptOpen
}

// kept returns a clip that was cut before.
func (c *clipSlots) kept(key string, now time.Time) (clipCut, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.DeleteFunc(c.cut, func(_ string, k clipCut) bool { return k.over(now) })
	k, ok := c.cut[key]
	if ok {
		k.used = now
		c.cut[key] = k
	}
	return k, ok
}

// keep keeps a clip, in place of the one that was not asked for longest when there are too many.
func (c *clipSlots) keep(key string, k clipCut) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut[key] = k
	if len(c.cut) <= maxKept {
		return
	}
	oldest := key
	for other, o := range c.cut {
		if o.used.Before(c.cut[oldest].used) {
			oldest = other
		}
	}
	delete(c.cut, oldest)
}
