package ingest_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// plainClip is what WebRTC can show: no B-frames, a key frame every 2 s.
func plainClip(t testing.TB) *clip {
	return makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "4",
		"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "50", "-pix_fmt", "yuv420p")
}

func newAPI(t testing.TB, port int) *webrtc.API {
	t.Helper()
	api, stop, err := ingest.NewWebRTC(ingest.WebRTCConfig{Loopback: true, UDPPort: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	return api
}

// browser is a WHEP client.
type browser struct {
	pc      *webrtc.PeerConnection
	packets chan []byte
	state   chan webrtc.PeerConnectionState
}

// newBrowser returns one and its offer to see pictures and, as given, for sound.
func newBrowser(t testing.TB, sound ...webrtc.RTPTransceiverDirection) (*browser, string) {
	t.Helper()
	pc, err := newAPI(t, 0).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	b := &browser{pc: pc, packets: make(chan []byte, 10000), state: make(chan webrtc.PeerConnectionState, 10)}
	pc.OnTrack(func(tr *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			p, _, err := tr.ReadRTP()
			if err != nil {
				return
			}
			b.packets <- p.Payload
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) { b.state <- s })
	if _, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	for _, d := range sound {
		if _, err = pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: d}); err != nil {
			t.Fatal(err)
		}
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return b, pc.LocalDescription().SDP
}

func TestViewerSeesAKeyFrameAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", serve(t, plainClip(t)).url))
	until(t, "live", 10*time.Second, func() bool { return r.fleet.State("cam-1").Condition == ingest.Live })
	s, ok := r.fleet.Stream("cam-1")
	if !ok {
		t.Fatal("no stream")
	}
	whep := &ingest.WHEP{API: newAPI(t, freePort(t))}
	b, offer := newBrowser(t)
	began := time.Now()
	answer, v, err := whep.View(t.Context(), s, offer)
	if err != nil {
		t.Fatal(err)
	}
	answered := time.Since(began)
	if err := b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	for state := range b.state {
		if state == webrtc.PeerConnectionStateConnected {
			break
		}
	}
	t.Logf("answered after %s, connected after %s", answered, time.Since(began))
	var depacket codecs.H264Packet
	var got []byte
	key := func(b []byte) bool { return bytes.Contains(b, []byte{0, 0, 0, 1, 0x65}) }
	for pictures := 0; pictures < 60; {
		select {
		case p := <-b.packets:
			nalu, err := depacket.Unmarshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 && len(nalu) > 0 && !key(nalu) && nalu[4]&0x1f < 6 {
				t.Fatalf("the first picture is no key frame: % x", nalu[:5])
			}
			if key(nalu) && len(got) == 0 {
				t.Logf("first key frame after %s", time.Since(began))
				got = nalu
			}
			if len(nalu) > 0 {
				pictures++
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("no media: %d pictures", pictures)
		}
	}
	v.Close()
	v.Wait()
	r.stop()
}

func TestViewerOfBFramesIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", serve(t, h264Clip(t)).url))
	addCamera(t, r.store, camera("cam-2", serve(t, h265Clip(t)).url))
	whep := &ingest.WHEP{API: newAPI(t, 0)}
	for id, code := range map[ward.CameraID]string{"cam-1": "whep.reordered", "cam-2": "whep.codec"} {
		until(t, "ten pictures", 10*time.Second, func() bool { return r.fleet.Stats()[id].Frames > 10 })
		s, ok := r.fleet.Stream(id)
		if !ok {
			t.Fatal("no stream")
		}
		_, offer := newBrowser(t)
		offer = strings.ReplaceAll(offer, "H265/90000", "X/90000")
		if _, _, err := whep.View(t.Context(), s, offer); !errors.Is(err, &ward.Error{Code: code}) {
			t.Errorf("%s: got %v, want %s", id, err, code)
		}
	}
}

// TestLossDoesNotLookLikeReordering: decode times are guesses after a loss,
// so they do not decide what a browser can show.
func TestLossDoesNotLookLikeReordering(t *testing.T) {
	t.Parallel()
	whep := &ingest.WHEP{API: newAPI(t, 0)}
	for name, c := range map[string]struct {
		pts  []int64
		want string
	}{
		"lossy":              {[]int64{0, 1, 2, 5, 6, 7, 9}, ""},
		"frozen":             {[]int64{0, 1, 2, 2, 2, 2}, ""},
		"reordered":          {[]int64{0, 3, 1, 2, 6, 4, 5}, "whep.reordered"},
		"reordered no more":  {[]int64{0, 3, 1, 2, 10, 11, 12, 13, 20, 21}, ""},
		"reordered at first": {[]int64{0, 3, 1, 2, 10, 11}, "whep.reordered"},
	} {
		s := newStream()
		for _, pts := range c.pts {
			u := picture(pts, pts%10 == 0)
			u.DTS = pts / 2
			s.Write(u)
		}
		_, offer := newBrowser(t)
		_, v, err := whep.View(t.Context(), s, offer)
		if e, _ := errors.AsType[*ward.Error](err); e == nil && c.want != "" || e != nil && e.Code != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if v != nil {
			v.Close()
			v.Wait()
		}
	}
}
