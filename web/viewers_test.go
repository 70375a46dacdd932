package web_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/ward"
)

// watcher is a browser that watches a live stream.
type watcher struct {
	pc     *webrtc.PeerConnection
	frames chan struct{} // the first packet
	gone   chan struct{} // the connection ended
}

func newWatcher(t testing.TB) *watcher {
	t.Helper()
	pc, err := loopback().NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	w := &watcher{pc, make(chan struct{}), make(chan struct{})}
	t.Cleanup(func() { must(t, pc.Close()) })
	_, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	must(t, err)
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if _, _, err := track.ReadRTP(); err == nil {
			close(w.frames)
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateClosed || s == webrtc.PeerConnectionStateDisconnected || s == webrtc.PeerConnectionStateFailed {
			select {
			case <-w.gone:
			default:
				close(w.gone)
			}
		}
	})
	return w
}

// loopback is WebRTC on this machine only.
func loopback() *webrtc.API {
	var m webrtc.MediaEngine
	if err := m.RegisterDefaultCodecs(); err != nil {
		panic(err)
	}
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	return webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(s))
}

func (b *watcher) offer(t testing.TB) string {
	t.Helper()
	o, err := b.pc.CreateOffer(nil)
	must(t, err)
	gathered := webrtc.GatheringCompletePromise(b.pc)
	must(t, b.pc.SetLocalDescription(o))
	<-gathered
	return b.pc.LocalDescription().SDP
}

func (b *watcher) take(t *testing.T, answer string) {
	t.Helper()
	must(t, b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	within(t, "the first picture", b.frames)
}

func within(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not come in 20 s", what)
	}
}

// liveStream sends a key frame every 100 ms until the test ends.
func liveStream(t *testing.T, c ward.CameraID) *ingest.Stream {
	t.Helper()
	sps, pps := []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0x00, 0xa0, 0x5b, 0x20}, []byte{0x68, 0xce, 0x38, 0x80}
	s := ingest.NewStream(ward.Source{Kind: ward.FromCamera, ID: string(c)}, own, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000, SPS: sps, PPS: pps}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := int64(0); ; i++ {
			s.Write(ingest.Unit{Track: 1, PTS: i * 9000, DTS: i * 9000, Arrived: time.Now(), Key: true, AU: [][]byte{sps, pps, {0x65, 0x88, 0x84, 0, 0x10}}})
			select {
			case <-tick.C:
			case <-ctx.Done():
				s.Close()
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return s
}

// TestLiveView: a picture arrives, the view is recorded, only its user ends
// it, and it ends with the user's rights.
func TestLiveView(t *testing.T) {
	w := newWorld(t)
	w.web.WHEP = &ingest.WHEP{API: loopback()}
	w.serve()
	stream := liveStream(t, w.camera.ID)
	u := w.user(ward.Inspector, "own")
	cookie := w.session(u)
	watch := func() (*watcher, string) {
		b := newWatcher(t)
		location, answer, err := w.web.Watch(t.Context(), u, storage.HashToken(cookie.Value), w.camera, stream, b.offer(t))
		must(t, err)
		b.take(t, answer)
		return b, location
	}
	first, location := watch()
	views := w.seen()
	if len(views) != 1 || views[0].Object != "camera/"+string(w.camera.ID)+"/live" || views[0].Actor != u.ID {
		t.Errorf("got %+v", views)
	}
	w.as(w.user(ward.Inspector, "own")).do(http.MethodDelete, location, nil).want(404, "not_found")
	client{w, http.Header{"Cookie": {cookie.String()}}}.do(http.MethodDelete, location, nil).want(204, "")
	within(t, "the end after DELETE", first.gone)
	waitFor(t, func() bool { return w.web.Viewers(u.ID) == 0 })

	third, _ := watch()
	c := w.camera
	c.Enabled = false
	must(t, w.store.UpdateCamera(t.Context(), c))
	within(t, "the end after the camera was disabled", third.gone)
	must(t, w.store.UpdateCamera(t.Context(), w.camera))

	second, _ := watch()
	u.Institutions = []ward.InstitutionID{other}
	must(t, w.store.UpdateUser(t.Context(), u, ""))
	within(t, "the end after the scope changed", second.gone)
	waitFor(t, func() bool { return w.web.Viewers(u.ID) == 0 })
}

// TestLowLatencyHLSHasItsLimits: a user watches so many cameras at once, by
// LL-HLS and WHEP together, and who has no room opens nothing, which costs no view.
func TestLowLatencyHLSHasItsLimits(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	w.web.Now = func() time.Time { return now }
	w.web.WHEP, w.web.Live = &ingest.WHEP{API: loopback()}, &ingest.LiveView{Fleet: &ingest.Fleet{}}
	t.Cleanup(w.web.Live.Close)
	w.serve()
	u := w.user(ward.Inspector, "own")
	c := w.as(u)
	path := func(n int) string {
		cam := w.camera
		cam.ID, cam.Name = ward.CameraID(fmt.Sprintf("wall-%d", n)), fmt.Sprintf("wall %d", n)
		if _, err := w.store.Camera(t.Context(), cam.ID); err != nil {
			must(t, w.store.AddCamera(t.Context(), cam))
		}
		return "/api/v1/cameras/" + string(cam.ID)
	}
	for n := range 32 {
		c.do(http.MethodGet, path(n)+"/live.m3u8", nil).want(503, "camera.not_live") // there is room for it, but no picture
	}
	views := len(w.seen())
	c.do(http.MethodGet, path(32)+"/live.m3u8", nil).want(409, "live.too_many")
	c.with("Content-Type", "application/sdp").do(http.MethodPost, path(32)+"/whep", []byte(newWatcher(t).offer(t))).want(409, "live.too_many")
	if n := len(w.seen()); views != 32 || n != views {
		t.Errorf("%d views of 32 cameras, %d after what was refused", views, n)
	}
	c.do(http.MethodGet, path(3)+"/live.m3u8", nil).want(503, "camera.not_live") // one that counts already
	w.as(w.user(ward.Inspector, "own")).do(http.MethodGet, path(32)+"/live.m3u8", nil).want(503, "camera.not_live")
	now = now.Add(16 * time.Second) // nothing was asked for since
	c.do(http.MethodGet, path(32)+"/live.m3u8", nil).want(503, "camera.not_live")
}
