package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"wardwatch/ward"
)

// yieldWait is how long a live view waits for a transcoder that a piece of
// recording gives up for it: its worker must end.
const yieldWait = 3 * time.Second

// errYielded is the cause with which a piece's turn ends for a live view.
var errYielded = errors.New("a live view needs the transcoder")

// Transcodes lends transcoders to live views and to the playing of
// recordings, which share them: each is a core's work. Live views go first:
// with two or more the last one is never lent to a piece, and a live view that
// finds all lent takes that of a piece, which is begun anew.
type Transcodes struct {
	// New begins a transcoder, which ends with Close or ctx.
	New  func(context.Context, ward.Codec) Transcoder
	Most int // at the same time

	mu       sync.Mutex // guards the rest
	live     int        // lent to live views
	pieces   []*turn    // lent to pieces, the oldest first
	promised int        // live views that wait for what a piece gives up
	freed    chan struct{}
}

// turn is a transcoder that a piece has.
type turn struct {
	end     context.CancelCauseFunc
	yielded bool
}

// Running counts those that are lent.
func (t *Transcodes) Running() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live + len(t.pieces)
}

// forLive lends one to a live view; free gives it back. The error is
// ward.Unavailable "whep.busy", or ctx's.
func (t *Transcodes) forLive(ctx context.Context) (free func(), err error) {
	asked := false
	err = t.lend(ctx, yieldWait, func() (ok, hope bool) {
		if ok = t.live+len(t.pieces) < t.Most; ok {
			t.live++
		} else if !asked {
			asked = t.yield()
		}
		return ok, asked
	})
	if asked {
		t.change(func() { t.promised-- })
	}
	if err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { t.change(func() { t.live-- }) }), nil
}

// yield ends the youngest turn of a piece, which has done least. Called locked.
func (t *Transcodes) yield() bool {
	for _, p := range slices.Backward(t.pieces) {
		if !p.yielded {
			p.yielded = true
			p.end(errYielded)
			t.promised++
			return true
		}
	}
	return false
}

// forPiece lends one to a piece of recording, and waits at most so long for
// it. The turn ends with the context that is returned, whose cause is errYielded
// when a live view needs it; free gives it back. The error is
// ward.Unavailable "whep.busy", or ctx's.
func (t *Transcodes) forPiece(ctx context.Context, wait time.Duration) (in context.Context, free func(), err error) {
	in, end := context.WithCancelCause(ctx)
	mine := &turn{end: end}
	err = t.lend(ctx, wait, func() (ok, hope bool) {
		ok = len(t.pieces) < max(1, t.Most-1) && t.live+len(t.pieces)+t.promised < t.Most
		if ok {
			t.pieces = append(t.pieces, mine)
		}
		return ok, true
	})
	if err != nil {
		end(err)
		return nil, nil, err
	}
	return in, sync.OnceFunc(func() {
		end(nil)
		t.change(func() { t.pieces = slices.DeleteFunc(t.pieces, func(p *turn) bool { return p == mine }) })
	}), nil
}

// lend tries, called locked, until it is ok, there is no hope, or wait is over.
func (t *Transcodes) lend(ctx context.Context, wait time.Duration, try func() (ok, hope bool)) error {
	limit := time.NewTimer(wait)
	defer limit.Stop()
	for {
		t.mu.Lock()
		ok, hope := try()
		if t.freed == nil {
			t.freed = make(chan struct{})
		}
		freed := t.freed
		t.mu.Unlock()
		switch {
		case ok:
			return nil
		case !hope:
			return transcodesBusy()
		}
		select {
		case <-freed:
		case <-limit.C:
			return transcodesBusy()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// change does what may let others have one, and tells them.
func (t *Transcodes) change(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
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
