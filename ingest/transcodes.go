package ingest

import (
	"context"
	"sync"
	"time"

	"wardwatch/ward"
)

// Transcodes lends transcoders to live views and to the playing of
// recordings, which share them: each is a core's work.
type Transcodes struct {
	// New begins a transcoder, which ends with Close or ctx.
	New  func(context.Context, ward.Codec) Transcoder
	Most int // at the same time

	mu    sync.Mutex // guards the rest
	lent  int
	freed chan struct{} // closed and replaced when one is given back
}

// Running counts those that are lent.
func (t *Transcodes) Running() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lent
}

// take lends one, and waits at most so long for it; free gives it back. The
// error is ward.Unavailable "whep.busy", or ctx's.
func (t *Transcodes) take(ctx context.Context, wait time.Duration) (free func(), err error) {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	for {
		freed, ok := t.try()
		if ok {
			var once sync.Once
			return func() { once.Do(t.give) }, nil
		}
		if wait <= 0 {
			return nil, transcodesBusy()
		}
		select {
		case <-freed:
		case <-limit.C:
			return nil, transcodesBusy()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// try lends one if there is room, else it returns what is closed when there may be.
func (t *Transcodes) try() (freed <-chan struct{}, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lent < t.Most {
		t.lent++
		return nil, true
	}
	if t.freed == nil {
		t.freed = make(chan struct{})
	}
	return t.freed, false
}

func (t *Transcodes) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lent--
	if t.freed != nil {
		close(t.freed)
		t.freed = nil
	}
}

func transcodesBusy() error {
	return &ward.Error{
		Kind: ward.Unavailable, Code: "whep.busy",
		ZH: "同时转码的画面已达上限，请先关闭其他 H.265 或 MJPEG 画面，或为摄像头填写 H.264 子码流地址。",
		EN: "No more streams can be transcoded at once; close another H.265 or MJPEG view, or give the camera an H.264 substream.",
	}
}
