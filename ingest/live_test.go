package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// coded is 8 s of 640x360 at 25 pictures a second; args are ffmpeg's.
func coded(t testing.TB, args ...string) *simcam.Clip {
	t.Helper()
	return testcam.Code(t, ward.NoCodec, append([]string{"-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=8"}, args...)...)
}

// plainFilm has a key frame every 4 s and no B-frames.
func plainFilm(t testing.TB) *simcam.Clip {
	return coded(t, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "100", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
}

func h265Film(t testing.TB) *simcam.Clip {
	return coded(t, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=100:min-keyint=100:log-level=none", "-pix_fmt", "yuv420p")
}

// coder is the vision worker as ingest sees it.
type coder struct{ *vision.Coder }

func (c coder) Transcode(ctx context.Context, in ingest.Coded, show, fresh bool) ([]ingest.Coded, error) {
	return toldOf(c.Code(ctx, vision.CodeRequest{PTS: in.PTS, Key: in.Key, Show: show, Fresh: fresh, Data: in.Data}))
}

func (c coder) Flush(ctx context.Context) ([]ingest.Coded, error) { return toldOf(c.Coder.Flush(ctx)) }

func toldOf(got []vision.Coded, err error) ([]ingest.Coded, error) {
	out := make([]ingest.Coded, 0, len(got))
	for _, g := range got {
		out = append(out, ingest.Coded{PTS: g.PTS, Key: g.Key, Data: g.Data})
	}
	return out, err
}

func newCoders(t testing.TB) func(context.Context, ward.Codec) ingest.Transcoder {
	path, log := filepath.Join(modeltest.Root(t), "bin", "wardwatch-vision"), slog.New(slog.NewTextHandler(t.Output(), nil))
	return func(ctx context.Context, c ward.Codec) ingest.Transcoder {
		return coder{vision.NewCoder(ctx, path, c, log)}
	}
}

// spectator is a browser that shows H.264: it decodes access units.
type spectator struct {
	*browser

	viewer *ingest.Viewer
	began  time.Time
	packet codecs.H264Packet
}

// watch opens the camera as a browser does, which shows H.264 only.
func watch(t testing.TB, l *ingest.LiveView, whep *ingest.WHEP, c ward.Camera, sub bool) (*spectator, *ingest.Showing) {
	t.Helper()
	b, offer := newBrowser(t)
	offer = strings.ReplaceAll(offer, "H265/90000", "X/90000")
	s := &spectator{browser: b, began: time.Now()}
	show, err := l.Open(t.Context(), c, ingest.ScreenOf(offer), sub)
	if err != nil {
		t.Fatal(err)
	}
	answer, v, err := whep.View(t.Context(), show.Stream, offer)
	if err != nil {
		t.Fatal(err)
	}
	s.viewer = v
	if err := b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close(); v.Wait(); show.Close() })
	return s, show
}

// key waits for the next key frame and returns it.
func (s *spectator) key(t testing.TB) []byte {
	t.Helper()
	for limit := time.After(20 * time.Second); ; {
		select {
		case p := <-s.packets:
			nalu, err := s.packet.Unmarshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(nalu, []byte{0, 0, 0, 1, 0x65}) {
				return nalu
			}
		case <-limit:
			t.Fatal("no key frame in 20 s")
		}
	}
}

func newView(t testing.TB, r *rig, transcodes int) *ingest.LiveView {
	l := &ingest.LiveView{Fleet: r.fleet, Transcodes: &ingest.Transcodes{New: newCoders(t), Most: transcodes}}
	t.Cleanup(l.Close)
	return l
}

// liveWithSub records a camera with a sub stream, and returns once it is live.
func liveWithSub(t *testing.T, faults simcam.Faults) (*simcam.Server, *rig, ward.Camera) {
	t.Helper()
	sim := testcam.Play(t, simcam.Camera{Path: "main", Clip: h265Film(t)}, simcam.Camera{Path: "sub", Clip: plainFilm(t), Faults: faults})
	r := newRig(t, nil)
	c := camera("cam-1", sim.URL("main"))
	c.SubURL = sim.URL("sub")
	addCamera(t, r.store, c)
	until(t, "live", time.Minute, func() bool { return r.fleet.Stats()["cam-1"].Frames > 10 })
	return sim, r, c
}

// TestOneConnectionForAllViewers: whatever the number of viewers, the camera
// sees one connection to its main stream, and while the sub stream is shown one
// to that.
func TestOneConnectionForAllViewers(t *testing.T) {
	t.Parallel()
	sim, r, c := liveWithSub(t, simcam.Faults{})
	l, whep := newView(t, r, 0), &ingest.WHEP{API: newAPI(t, freePort(t))}
	var shows []*ingest.Showing
	for range 3 {
		s, show := watch(t, l, whep, c, false)
		s.key(t)
		if shows = append(shows, show); show.Source != ingest.LiveSub {
			t.Errorf("H.265 is shown by %s, want the sub stream", show.Source)
		}
	}
	if main, sub := sim.Sessions("main"), sim.Sessions("sub"); main != 1 || sub != 1 {
		t.Errorf("%d connections to the main stream, %d to the sub stream", main, sub)
	}
	for _, s := range shows {
		s.Close()
	}
	until(t, "the sub stream is left", 20*time.Second, func() bool { return sim.Sessions("sub") == 0 })
	if n := sim.Sessions("main"); n != 1 {
		t.Errorf("%d connections to the main stream", n)
	}
	r.stop()
}

// TestTranscodedView: H.265 and MJPEG without a sub stream are shown as
// H.264, as many as allowed, once for all viewers; a crash costs a restart.
func TestTranscodedView(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "a", Clip: h265Film(t)}, simcam.Camera{Path: "b", Clip: coded(t, "-c:v", "mjpeg", "-q:v", "5", "-f", "mjpeg")})
	r := newRig(t, nil)
	a, b := camera("cam-a", sim.URL("a")), camera("cam-b", sim.URL("b"))
	addCamera(t, r.store, a)
	addCamera(t, r.store, b)
	until(t, "live", 10*time.Second, func() bool { return r.fleet.Stats()["cam-a"].Frames > 10 && r.fleet.Stats()["cam-b"].Frames > 10 })
	l, whep := newView(t, r, 1), &ingest.WHEP{API: newAPI(t, freePort(t))}
	first, show := watch(t, l, whep, a, false)
	first.key(t)
	t.Logf("first key frame after %s", time.Since(first.began))
	second, other := watch(t, l, whep, a, false)
	second.key(t)
	if show.Source != ingest.LiveTranscode || other.Stream != show.Stream || l.Transcodes.Running() != 1 {
		t.Errorf("shown by %s, %d transcodes", show.Source, l.Transcodes.Running())
	}
	if n := sim.Sessions("a"); n != 1 {
		t.Errorf("%d connections to the camera", n)
	}
	if _, err := l.Open(t.Context(), b, ingest.Screen{H264: true}, false); !errors.Is(err, &ward.Error{Kind: ward.Unavailable, Code: "whep.busy"}) {
		t.Errorf("a second transcode: %v, want whep.busy", err)
	}
	for _, s := range []*spectator{first, second} {
		s.viewer.Close()
	}
	show.Close()
	other.Close()
	until(t, "the transcode ends", 20*time.Second, func() bool { return l.Transcodes.Running() == 0 })
	third, show := watch(t, l, whep, b, false)
	third.key(t)
	if track, _ := show.Stream.Video(); track.Codec != ward.H264 {
		t.Errorf("shown as %s", track.Codec)
	}
	r.stop()
}

// faulty is a transcoder that fails now and then, and counts.
type faulty struct {
	ingest.Transcoder

	mu    sync.Mutex
	calls int
}

func (f *faulty) Transcode(ctx context.Context, in ingest.Coded, show, fresh bool) ([]ingest.Coded, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls++; f.calls%40 == 0 {
		return nil, errors.New("it broke")
	}
	return f.Transcoder.Transcode(ctx, in, show, fresh)
}

// TestSubStreamThatFails: no viewer waits for long, and the transcode is shown.
func TestSubStreamThatFails(t *testing.T) {
	t.Parallel()
	_, r, c := liveWithSub(t, simcam.Faults{Answer: "404"})
	l, whep := newView(t, r, 1), &ingest.WHEP{API: newAPI(t, freePort(t))}
	coders := l.Transcodes.New
	l.Transcodes.New = func(ctx context.Context, c ward.Codec) ingest.Transcoder { return &faulty{Transcoder: coders(ctx, c)} }
	s, show := watch(t, l, whep, c, true)
	if s.key(t); show.Source != ingest.LiveTranscode {
		t.Errorf("shown by %s", show.Source)
	}
	s.key(t) // the errors cost pictures, not the view
	if _, err := l.Open(t.Context(), c, ingest.Screen{VP8: true}, false); !errors.Is(err, &ward.Error{Code: "whep.codec"}) {
		t.Errorf("a browser without H.264: %v", err)
	}
	r.stop()
}
