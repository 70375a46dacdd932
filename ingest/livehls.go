package ingest

import (
	"context"
	"strings"
	"time"

	"wardwatch/ward"
)

const (
	// hlsIdle is how long a muxer outlives the last request.
	hlsIdle = 15 * time.Second
	// maxMuxers bounds the memory of LL-HLS: about 5 MB each at 2 Mbit/s.
	maxMuxers = 48
)

// HLS is where a player is in a playlist: the query _HLS_msn and _HLS_part.
type HLS struct {
	Segment int64 // to wait for; below 0: none
	Part    int   // of it; below 0: all
}

// muxed is a muxer at work.
type muxed struct {
	*muxer

	camera ward.Camera // as it was when this began
	source LiveSource
	stop   context.CancelFunc
	ready  chan struct{} // closed when the muxer or err is set
	err    error
}

// Playlist returns the LL-HLS playlist of a camera, for a player that shows
// H.264, with reordered pictures too: the main stream, else the sub stream or
// a transcode; with sub the sub stream first. Files are named relative to
// prefix. The muxer begins with the first request and ends some time after the last.
func (l *LiveView) Playlist(ctx context.Context, c ward.Camera, sub bool, prefix string, at HLS) ([]byte, LiveSource, error) {
	m, err := l.mux(ctx, c, sub)
	if err != nil {
		return nil, "", err
	}
	b, err := m.playlist(ctx, prefix, at.Segment, at.Part)
	return b, m.source, err
}

// File returns a file that a playlist of the camera names.
func (l *LiveView) File(ctx context.Context, c ward.Camera, name string) ([]byte, error) {
	if !c.Enabled {
		return nil, notLive(nil)
	}
	of, file, _ := strings.Cut(name, "-")
	l.mu.Lock()
	var found *muxed
	for _, sub := range []bool{false, true} {
		if m := l.muxers[muxKey{c.ID, sub}]; m != nil && m.camera == c && m.muxer != nil && m.name == of {
			found = m
		}
	}
	l.mu.Unlock()
	if found == nil {
		return nil, noSuchPart()
	}
	return found.file(ctx, file)
}

type muxKey struct {
	camera ward.CameraID
	sub    bool
}

// mux returns the camera's muxer; the first caller makes it.
func (l *LiveView) mux(ctx context.Context, c ward.Camera, sub bool) (*muxed, error) {
	key := muxKey{c.ID, sub}
	l.mu.Lock()
	m := l.muxers[key]
	if m != nil && m.camera != c {
		delete(l.muxers, key) // of a camera that was changed: a new one takes its place
		m.stop()
		m = nil
	}
	switch {
	case !c.Enabled:
		l.mu.Unlock()
		return nil, notLive(nil)
	case m != nil:
	case l.closed:
		l.mu.Unlock()
		return nil, notLive(nil)
	case len(l.muxers) >= maxMuxers:
		l.mu.Unlock()
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "whep.busy", ZH: "同时以 LL-HLS 观看的画面已达上限，请稍后再试。", EN: "No more cameras can be watched by LL-HLS at once; try again later."}
	default:
		own, stop := context.WithCancel(context.WithoutCancel(ctx)) // it serves others too
		m = &muxed{camera: c, ready: make(chan struct{}), stop: stop}
		if l.muxers == nil {
			l.muxers = map[muxKey]*muxed{}
		}
		l.muxers[key] = m
		l.done.Go(func() {
			defer stop()
			l.runMuxer(own, c, key, m)
		})
	}
	l.mu.Unlock()
	select {
	case <-m.ready:
		return m, m.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// runMuxer is a muxer's life.
func (l *LiveView) runMuxer(ctx context.Context, c ward.Camera, key muxKey, m *muxed) {
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.muxers[key] == m {
			delete(l.muxers, key)
		}
	}()
	show, err := l.Open(ctx, c, Screen{H264: true, Reordered: true}, key.sub)
	if err != nil {
		m.err = err
		close(m.ready)
		return
	}
	defer show.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	mux := newMuxer(show.Stream, time.Now())
	l.mu.Lock()
	m.muxer, m.source = mux, show.Source
	l.mu.Unlock()
	close(m.ready)
	l.done.Go(func() {
		defer stop()
		mux.untilIdle(ctx)
	})
	if err := mux.run(ctx, show.Stream); err != nil {
		l.Fleet.logger().WarnContext(ctx, "live playlist ended", "camera", c.ID, "reason", err)
	}
}

// untilIdle returns when nothing has been asked for a while, or ctx ends.
func (m *muxer) untilIdle(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.mu.Lock()
		idle := time.Since(m.asked) > hlsIdle
		m.mu.Unlock()
		if idle {
			return
		}
	}
}
