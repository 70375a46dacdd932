package bench_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

const (
	pictureEvery = time.Second / 25
	soundEvery   = 20 * time.Millisecond
)

var (
	benchH264 = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}
	benchOpus = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
)

// bedFilm is what a camera shows, through ffmpeg's filter: 10 s at 1.2 Mbit/s, of
// which only the first picture is a key frame.
func bedFilm(b *testing.B, filter string) (pictures [][]byte) {
	b.Helper()
	for i, u := range modeltest.Units(b, modeltest.Clip(b, "franck.mp4"), ward.H264, "10", "10", "-vf", filter, "-profile:v", "baseline", "-preset", "veryfast",
		"-g", "1000", "-sc_threshold", "0", "-b:v", "1200k", "-maxrate", "1200k", "-bufsize", "240k", "-x264-params", "repeat-headers=1") {
		if u.Key != (i == 0) {
			b.Fatalf("picture %d: key frame %v", i, u.Key)
		}
		pictures = append(pictures, u.Data)
	}
	return pictures
}

// benchPC is a connection on loopback that knows one codec for each medium.
func benchPC(b *testing.B) *webrtc.PeerConnection {
	b.Helper()
	var m webrtc.MediaEngine
	must(b, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: withFeedback(benchH264), PayloadType: 96}, webrtc.RTPCodecTypeVideo))
	must(b, m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: benchOpus, PayloadType: 111}, webrtc.RTPCodecTypeAudio))
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	must(b, err)
	return pc
}

func withFeedback(c webrtc.RTPCodecCapability) webrtc.RTPCodecCapability {
	c.RTCPFeedback = []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	return c
}

// offerOf is an offer with all candidates.
func offerOf(b *testing.B, pc *webrtc.PeerConnection) string {
	b.Helper()
	offer, err := pc.CreateOffer(nil)
	must(b, err)
	gathered := webrtc.GatheringCompletePromise(pc)
	must(b, pc.SetLocalDescription(offer))
	<-gathered
	return pc.LocalDescription().SDP
}

func answered(b *testing.B, pc *webrtc.PeerConnection, sdp string) {
	b.Helper()
	must(b, pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}))
}

// bedside is a page at the bedside.
type bedside struct {
	pc     *webrtc.PeerConnection
	device string
	stop   func() // only of openLink
}

// openLink does what the page does from the click on the link on; whoever
// reads the notice agrees at once. Like a browser's its encoder makes a key
// frame when asked, and else none.
func (h *house) openLink(link string, film [][]byte) *bedside {
	b := h.b
	b.Helper()
	video, err := webrtc.NewTrackLocalStaticSample(benchH264, "camera", "bedside")
	must(b, err)
	audio, err := webrtc.NewTrackLocalStaticSample(benchOpus, "microphone", "bedside")
	must(b, err)
	up, ended, asked := make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)
	var once, end sync.Once
	var all sync.WaitGroup
	s := h.openOn(link, func(pc *webrtc.PeerConnection) {
		for _, t := range []webrtc.TrackLocal{video, audio} {
			x, err := pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendrecv})
			must(b, err)
			if t == webrtc.TrackLocal(video) {
				all.Go(func() { tellKeyRequests(x.Sender(), asked) })
			}
		}
		pc.OnConnectionStateChange(func(st webrtc.PeerConnectionState) {
			if st == webrtc.PeerConnectionStateConnected {
				once.Do(func() { close(up) })
			}
		})
	})
	all.Go(func() { shoot(up, ended, asked, film, video, audio) })
	s.stop = func() { end.Do(func() { close(ended); _ = s.pc.Close(); all.Wait() }) }
	b.Cleanup(s.stop)
	return s
}

// openOn uses the link up, agrees, and connects what prepare has made ready.
func (h *house) openOn(link string, prepare func(*webrtc.PeerConnection)) *bedside {
	h.b.Helper()
	var opened struct{ Device string }
	h.post("/bedside/open", map[string]any{"token": tokenOf(link)}, &opened)
	s := &bedside{device: opened.Device}
	s.post(h, "consent", map[string]any{"agree": true})
	s.pc = benchPC(h.b)
	prepare(s.pc)
	obeys(h.b, s.pc)
	answered(h.b, s.pc, s.post(h, "session", offerOf(h.b, s.pc)))
	return s
}

// tokenOf is what the page reads from its address.
func tokenOf(link string) string {
	_, token, _ := strings.Cut(link, "#")
	return token
}

// post sends as the device, and returns the answer.
func (s *bedside) post(h *house, path string, in any) string {
	h.b.Helper()
	other := &house{b: h.b, base: h.base, http: &http.Client{Transport: device(s.device)}}
	status, _, answer := other.call(http.MethodPost, "/bedside/"+path, in)
	if status >= 300 {
		h.b.Fatalf("bedside %s: %d %s", path, status, answer)
	}
	return string(answer)
}

// device adds the credential of a bedside's page.
type device string

func (d device) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+string(d))
	return http.DefaultTransport.RoundTrip(r)
}

// obeys answers every command with its receipt.
func obeys(b *testing.B, pc *webrtc.PeerConnection) {
	b.Helper()
	channel, err := pc.CreateDataChannel("ward", nil)
	must(b, err)
	channel.OnMessage(func(m webrtc.DataChannelMessage) {
		var c struct {
			ID      int    `json:"id"`
			Command string `json:"cmd"`
		}
		if json.Unmarshal(m.Data, &c) == nil && c.Command != "" {
			_ = channel.SendText(fmt.Sprintf(`{"receipt":%d}`, c.ID)) // the line may be gone
		}
	})
}

// tellKeyRequests reads a sender's RTCP until its connection closes.
func tellKeyRequests(s *webrtc.RTPSender, asked chan<- struct{}) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				select {
				case asked <- struct{}{}:
				default:
				}
			}
		}
	}
}

// shoot sends the film, from its key frame whenever one is asked for, and
// silence, in real time.
func shoot(up, ended, asked <-chan struct{}, film [][]byte, video, audio *webrtc.TrackLocalStaticSample) {
	select {
	case <-up:
	case <-ended:
		return
	}
	picture, sound := time.NewTicker(pictureEvery), time.NewTicker(soundEvery)
	defer picture.Stop()
	defer sound.Stop()
	for i := 0; ; {
		var err error
		select {
		case <-ended:
			return
		case <-asked:
			i = 0
		case <-picture.C:
			err = video.WriteSample(media.Sample{Data: film[i], Duration: pictureEvery})
			i = (i + 1) % len(film)
		case <-sound.C:
			err = audio.WriteSample(media.Sample{Data: []byte{0xf8, 0xff, 0xfe}, Duration: soundEvery})
		}
		if err != nil {
			return // the connection is gone
		}
	}
}
