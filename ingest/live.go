package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"wardwatch/ward"
)

const (
	// liveIdle is how long a sub stream or transcode outlives its last viewer:
	// a page that is reloaded finds it running.
	liveIdle = 5 * time.Second
	// liveBegin bounds how long a viewer waits for one to begin.
	liveBegin = 6 * time.Second
	// liveRest is how long a failed one is not tried again.
	liveRest = 2 * time.Second
)

// LiveSource says which stream of a camera a viewer sees.
type LiveSource string

// The sources.
const (
	LiveMain      LiveSource = "main"      // what is recorded
	LiveSub       LiveSource = "sub"       // the camera's sub stream
	LiveTranscode LiveSource = "transcode" // the main stream, coded again
)

// LiveView finds for every viewer a stream of the camera that it can show, and
// makes LL-HLS of it. Sub streams and transcodes are opened for the first viewer, shared by all, and
// end some seconds after the last one. Close ends them all.
type LiveView struct {
	Fleet      *Fleet
	Transcodes *Transcodes // nil: there are none

	mu      sync.Mutex // guards the rest
	derived map[derivedKey]*derived
	muxers  map[muxKey]*muxed
	closed  bool
	done    sync.WaitGroup
}

// derivedKey names a stream that is made for viewers.
type derivedKey struct {
	camera ward.CameraID
	source LiveSource
}

// derived is a sub stream or a transcode.
type derived struct {
	camera ward.Camera // as it was when this began
	stop   context.CancelFunc
	ready  chan struct{} // closed when stream or err is set

	stream *Stream // of viewers
	err    error

	// The rest is guarded by LiveView.mu.
	uses int
	idle *time.Timer
}

// Showing is a viewer's share of a live stream.
type Showing struct {
	Stream  *Stream
	Source  LiveSource
	release func()
}

// ShowMain is a share of a stream that lasts without viewers.
func ShowMain(s *Stream) *Showing { return &Showing{Stream: s, Source: LiveMain, release: func() {}} }

// Sound is the coding of the stream's sound, NoCodec when it has none.
func (s *Showing) Sound() ward.Codec {
	for _, t := range s.Stream.Tracks() {
		if !t.Video() {
			return t.Codec
		}
	}
	return ward.NoCodec
}

// Close gives the share back; the stream must not be used after it.
func (s *Showing) Close() { s.release() }

// Open returns the stream that the screen can show: the main stream, else
// the sub stream, else a transcode; with sub the sub stream is tried first.
// The error is camera.not_live, whep.codec, whep.reordered or whep.busy, of
// ward.Error's codes.
func (l *LiveView) Open(ctx context.Context, c ward.Camera, screen Screen, sub bool) (*Showing, error) {
	if !c.Enabled {
		return nil, notLive(nil)
	}
	if sub {
		if s, err := l.sub(ctx, c, screen); err == nil {
			return s, nil
		}
	}
	main, ok := l.Fleet.Stream(c.ID)
	if !ok {
		if s, err := l.sub(ctx, c, screen); err == nil {
			return s, nil
		}
		return nil, notLive(nil)
	}
	err := screen.Shows(main)
	if err == nil {
		return ShowMain(main), nil
	}
	if !sub {
		if s, err := l.sub(ctx, c, screen); err == nil {
			return s, nil
		}
	}
	if errors.Is(err, &ward.Error{Code: "whep.reordered"}) || l.Transcodes == nil || !screen.H264 {
		return nil, err
	}
	return l.share(ctx, c, LiveTranscode, func(ctx context.Context, d *derived) { l.transcode(ctx, main, d) })
}

// NotLive is the error of a camera that shows nothing now: camera.not_live.
func NotLive() error { return notLive(nil) }

func notLive(err error) error {
	return &ward.Error{Kind: ward.Unavailable, Code: "camera.not_live", ZH: "摄像头未在线，暂无实时画面。", EN: "The camera is not live; there is nothing to watch now.", Err: err}
}

// share returns the derived stream of the camera; the first caller's run makes
// it, and works until ctx ends.
func (l *LiveView) share(ctx context.Context, c ward.Camera, source LiveSource, run func(context.Context, *derived)) (*Showing, error) {
	key := derivedKey{c.ID, source}
	d, err := l.join(ctx, c, key, run)
	if err != nil {
		return nil, err
	}
	wait := time.NewTimer(liveBegin)
	defer wait.Stop()
	select {
	case <-d.ready:
		err = d.err
	case <-wait.C:
		err = notLive(context.DeadlineExceeded)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		l.leave(key, d)
		return nil, err
	}
	var once sync.Once
	return &Showing{Stream: d.stream, Source: key.source, release: func() { once.Do(func() { l.leave(key, d) }) }}, nil
}

func (l *LiveView) join(ctx context.Context, c ward.Camera, key derivedKey, run func(context.Context, *derived)) (*derived, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, notLive(nil)
	}
	if d := l.derived[key]; d != nil && d.camera != c {
		delete(l.derived, key) // of a camera that was changed: a new one takes its place
		d.stop()
	}
	if d := l.derived[key]; d != nil {
		d.uses++
		if d.idle != nil {
			d.idle.Stop()
			d.idle = nil
		}
		return d, nil
	}
	// It serves later viewers too, so it must not end with the first one's request.
	own, stop := context.WithCancel(context.WithoutCancel(ctx))
	d := &derived{camera: c, stop: stop, ready: make(chan struct{}), uses: 1}
	if l.derived == nil {
		l.derived = map[derivedKey]*derived{}
	}
	l.derived[key] = d
	l.done.Go(func() {
		l.inPlace(own, key.source, d, run)
		stop()
		l.forget(key, d)
	})
	return d, nil
}

// inPlace runs what makes d, with a transcoder of its own where it needs one.
func (l *LiveView) inPlace(ctx context.Context, source LiveSource, d *derived, run func(context.Context, *derived)) {
	if source == LiveTranscode {
		free, err := l.Transcodes.forLive(ctx)
		if err != nil && ctx.Err() != nil {
			err = notLive(err)
		}
		if err != nil {
			d.begin(nil, err)
			return
		}
		defer free()
	}
	run(ctx, d)
}

// leave gives one use back; the last one ends the stream after a while.
func (l *LiveView) leave(key derivedKey, d *derived) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.uses--; d.uses > 0 || l.closed || l.derived[key] != d {
		return
	}
	d.idle = time.AfterFunc(liveIdle, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if d.uses == 0 && l.derived[key] == d {
			delete(l.derived, key) // nobody finds it while it ends
			d.stop()
		}
	})
}

// forget takes what has ended off the list: what failed after a while, what
// worked, or found no transcoder, at once.
func (l *LiveView) forget(key derivedKey, d *derived) {
	drop := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if d.idle != nil {
			d.idle.Stop()
		}
		if l.derived[key] == d {
			delete(l.derived, key)
		}
	}
	if d.stream == nil && !errors.Is(d.err, &ward.Error{Code: "whep.busy"}) {
		time.AfterFunc(liveRest, drop)
		return
	}
	drop()
}

// begin hands the stream to those who wait; err says why there is none.
func (d *derived) begin(s *Stream, err error) {
	d.stream, d.err = s, err
	close(d.ready)
}

// Close ends every sub stream and transcode and waits; nothing opens any more.
func (l *LiveView) Close() {
	l.mu.Lock()
	l.closed = true
	for _, d := range l.derived {
		d.stop()
	}
	for _, m := range l.muxers {
		m.stop()
	}
	l.mu.Unlock()
	l.done.Wait()
}
