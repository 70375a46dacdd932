package ingest

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"wardwatch/ward"
)

const (
	// maxCodedHeld bounds, in bytes, what pieces that were coded again take
	// together while they are made and sent: a viewer with a slow link holds
	// the whole piece for as long as it takes.
	maxCodedHeld = 8 * maxRecoded
	// codedHeldWait is how long a piece waits for room.
	codedHeldWait = 8 * time.Second
)

// codedRoom is the room for those pieces. Its zero value is ready to use.
type codedRoom struct {
	once sync.Once
	free *semaphore.Weighted // bytes
}

// take takes room for the largest piece. shrink gives back what a piece of
// fewer bytes leaves, and done all of it; done may be called more than once.
// The error is ward.Unavailable "playback.busy", or ctx's.
func (c *codedRoom) take(ctx context.Context) (shrink func(bytes int), done func(), err error) {
	c.once.Do(func() { c.free = semaphore.NewWeighted(maxCodedHeld) })
	waiting, cancel := context.WithTimeout(ctx, codedHeldWait)
	defer cancel()
	const most = maxRecoded
	if err := c.free.Acquire(waiting, most); err != nil {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, &ward.Error{
			Kind: ward.Unavailable, Code: "playback.busy",
			ZH: "正在播放的转码录像太多，请稍后再试，或下载原始录像。", EN: "Too many transcoded recordings are being played; try again shortly, or download the original.",
		}
	}
	held := int64(most) // of one goroutine at a time
	shrink = func(bytes int) {
		if rest := held - int64(bytes); rest > 0 {
			held -= rest
			c.free.Release(rest)
		}
	}
	return shrink, func() { shrink(0) }, nil
}
