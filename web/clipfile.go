package web

import (
	"context"
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
	// clipWait is how long a request waits for either.
	clipWait = 10 * time.Second
)

// clipSlots bound what clips take of the machine; a slot is a place in a channel.
type clipSlots struct {
	cutting, open chan struct{}

	mu  sync.Mutex // guards cut
	cut map[string]clipCut
}

func newClipSlots() *clipSlots {
	return &clipSlots{cutting: make(chan struct{}, maxCutting), open: make(chan struct{}, maxClips), cut: map[string]clipCut{}}
}

// take takes a slot and returns what gives it back. After clipWait it is a
// Problem 503 with Retry-After.
func take(ctx context.Context, slots chan struct{}) (func(), error) {
	return takeOr(ctx, slots, newProblem(http.StatusServiceUnavailable, "clip.busy", "正在剪辑的录像太多，请稍后再试。", "Too many clips are being made; try again shortly."))
}

// takeOr is take with a Problem of its own.
func takeOr(ctx context.Context, slots chan struct{}, busy *Problem) (func(), error) {
	wait := time.NewTimer(clipWait)
	defer wait.Stop()
	select {
	case slots <- struct{}{}:
		return func() { <-slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		busy.retryAfter = clipWait
		return nil, busy
	}
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
