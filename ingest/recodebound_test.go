package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// gushing is a transcoder whose every picture is a MB.
type gushing struct {
	mu    sync.Mutex
	calls int
}

func (g *gushing) Transcode(_ context.Context, in ingest.Coded, _, _ bool) ([]ingest.Coded, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls++
	kind := byte(0x41)
	if g.calls == 1 {
		kind = 0x65
	}
	return []ingest.Coded{{PTS: in.PTS, Key: g.calls == 1, Data: append([]byte{0, 0, 0, 1, kind}, bytes.Repeat([]byte{7}, 1<<20)...)}}, nil
}

func (g *gushing) Flush(context.Context) ([]ingest.Coded, error) { return nil, nil }
func (g *gushing) Close()                                        {}

// TestCodingAgainStopsAtItsBound: while pictures come out, not when all are in memory.
func TestCodingAgainStopsAtItsBound(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	g := &gushing{}
	s.lib.Transcodes = &ingest.Transcodes{Most: 1, New: func(context.Context, ward.Codec) ingest.Transcoder { return g }}
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	s.record(start, 60, session{codec: ward.MJPEG, clip: motionJPEG(t, "320x240", 4, 0)})
	p, err := s.lib.Piece(t.Context(), inst, s.src, playbackNames(t, s, start, ward.H264)[1])
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if g.calls != 24 || p.Size < 23<<20 || p.Size > 24<<20 {
		t.Errorf("%d of 100 pictures were coded, into %d MB", g.calls, p.Size>>20)
	}
}

// TestSlowReadersOfCodedPiecesShareARoom: however many viewers read slowly,
// what their pieces take is bounded; the next one waits until one is done.
func TestSlowReadersOfCodedPiecesShareARoom(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.lib.Transcodes = &ingest.Transcodes{Most: 1, New: func(context.Context, ward.Codec) ingest.Transcoder { return &gushing{} }}
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	s.record(start, 60, session{codec: ward.MJPEG, clip: motionJPEG(t, "320x240", 2, 0)})
	name := playbackNames(t, s, start, ward.H264)[1]
	const most = 192 << 20
	var open []*ingest.Piece
	held := int64(0)
	for {
		p, err := s.lib.Piece(t.Context(), inst, s.src, name)
		if errors.Is(err, &ward.Error{Kind: ward.Unavailable, Code: "playback.busy"}) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, p)
		if held += p.Size; held > most {
			t.Fatalf("%d pieces of %d MB are held", len(open), p.Size>>20)
		}
	}
	if len(open) < 6 {
		t.Fatalf("no room after %d pieces", len(open))
	}
	next := make(chan error, 1)
	go func() {
		p, err := s.lib.Piece(t.Context(), inst, s.src, name)
		if err == nil {
			err = p.Close()
		}
		next <- err
	}()
	if err := open[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-next; err != nil {
		t.Errorf("after one was read: %v", err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := s.lib.Piece(gone, inst, s.src, name); !errors.Is(err, context.Canceled) {
		t.Errorf("who left gets %v", err)
	}
	for _, p := range open[1:] {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 20 { // all of the room is back
		p, err := s.lib.Piece(t.Context(), inst, s.src, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLongPiecesAreCodedInParts: a camera that seldom sends a key frame costs
// a transcoder no more at a time, and every picture and the sound are there.
func TestLongPiecesAreCodedInParts(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.lib.Transcodes = &ingest.Transcodes{New: newCoders(t), Most: 1}
	start := time.Now().Add(-5 * time.Minute).UTC().Truncate(time.Millisecond)
	film := numbered(t, "320x240", 30, 0, "-ar", "16000", "-c:v", "libx265", "-x265-params", "keyint=9999:min-keyint=9999:scenecut=0:bframes=2:log-level=none")
	end := s.record(start, 60, session{codec: ward.H265, clip: film})
	list := string(playlistOf(t, s, start, end, ward.H264).Playlist)
	parts := 0
	for line := range strings.Lines(list) {
		if rest, ok := strings.CutPrefix(line, "#EXTINF:"); ok {
			length, err := strconv.ParseFloat(strings.TrimRight(rest, ",\n"), 64)
			if parts++; err != nil || length > 20 {
				t.Errorf("a part lasts %v", rest)
			}
		}
	}
	if parts != 2 || strings.Contains(string(playlistOf(t, s, start, end).Playlist), "-0-1") {
		t.Errorf("%d parts:\n%s", parts, list)
	}
	all := s.serve(start, end, ward.H264)
	if n := len(hashes(t, all)); n != 30*25 {
		t.Errorf("%d pictures of %d", n, 30*25)
	}
	if was, is := soundOK(t, s.serve(start, end)), soundOK(t, all); is < was-.1 || is > was+.1 {
		t.Errorf("%.2f s of sound, recorded were %.2f", is, was)
	}
	name, _, _ := strings.Cut(playbackNames(t, s, start, ward.H264)[1], ".")
	for _, wrong := range []string{name + "-2.h264.m4s", name + "-0.h264.m4s", name + "-1.m4s"} {
		if _, err := s.lib.Piece(t.Context(), inst, s.src, wrong); ward.KindOf(err) != ward.NotFound {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// TestLiveViewsGoBeforePieces: pieces leave the last transcoder of several,
// and give up theirs when a live view needs it; they go on when it is over.
func TestLiveViewsGoBeforePieces(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	s.record(start, 4, session{codec: ward.MJPEG, clip: motionJPEG(t, "320x240", 12, 0)})
	sim := testcam.Play(t, simcam.Camera{Path: "a", Clip: h265Film(t)}, simcam.Camera{Path: "b", Clip: h265Film(t)})
	r := newRig(t, nil)
	a, b := camera("cam-a", sim.URL("a")), camera("cam-b", sim.URL("b"))
	addCamera(t, r.store, a)
	addCamera(t, r.store, b)
	until(t, "live", 20*time.Second, func() bool { return r.fleet.Stats()["cam-a"].Frames > 10 && r.fleet.Stats()["cam-b"].Frames > 10 })
	l := newView(t, r, 2)
	coders, asked := l.Transcodes.New, make(chan bool, 100)
	h := hanging{asked: asked, closed: new(atomic.Int64)}
	l.Transcodes.New = func(ctx context.Context, c ward.Codec) ingest.Transcoder {
		if c == ward.MJPEG {
			return h
		}
		return coders(ctx, c)
	}
	s.lib.Transcodes = l.Transcodes
	names := playbackNames(t, s, start, ward.H264)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 2)
	for _, name := range []string{names[1], names[3]} {
		go func() {
			for ctx.Err() == nil { // as a player does
				_, err := s.lib.Piece(ctx, inst, s.src, name)
				if ctx.Err() == nil && !errors.Is(err, &ward.Error{Code: "whep.busy"}) {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	until(t, "a piece is coded", time.Minute, func() bool { return len(asked) > 0 })
	for i, c := range []ward.Camera{a, b} { // the second one has what the piece gave up
		show, err := l.Open(t.Context(), c, ingest.Screen{H264: true}, false)
		if err != nil {
			t.Fatalf("live view %d: %v", i, err)
		}
		defer show.Close()
		if i == 0 && (l.Transcodes.Running() != 2 || h.closed.Load() != 0) {
			t.Errorf("%d run beside the first view, %d pieces were ended", l.Transcodes.Running(), h.closed.Load())
		}
		if i == 1 {
			until(t, "the piece is ended", time.Minute, func() bool { return h.closed.Load() == 1 })
			show.Close()
		}
	}
	until(t, "the piece is begun anew", time.Minute, func() bool { return len(asked) > 1 })
	leave()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r.stop()
}
