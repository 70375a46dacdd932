package main_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

// longFilm is 640x360 at 25 pictures a second, about 2 Mbit/s, with a key
// frame every 4 s.
func longFilm(t testing.TB) *simcam.Clip {
	t.Helper()
	return testcam.Code(t, ward.NoCodec, "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=8", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-b:v", "2M", "-g", "100", "-pix_fmt", "yuv420p")
}

// TestWHEPWithAnotherClient: go2rtc watches by WHEP, with an API token that a
// proxy in front of it adds, and ffmpeg reads what go2rtc serves.
func TestWHEPWithAnotherClient(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "good", Clip: longFilm(t)})
	s := serve(t, t.TempDir())
	c := signIn(t, s)
	c.hospital()
	c.addCamera("good", sim.URL("good"), "", "")
	c.recorded("good", 1, 20*time.Second)
	var me struct{ User ward.User }
	c.must(200, "GET", "/api/v1/me", nil, &me)
	var token struct{ Token string }
	c.must(201, "POST", "/api/v1/users/"+string(me.User.ID)+"/tokens", map[string]any{"days": 1}, &token)
	to, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Set("Authorization", "Bearer "+token.Token)
	}})
	defer proxy.Close()
	from := testserver.Restream(t, "webrtc:"+proxy.URL+"/api/v1/cameras/good/whep")
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-count_frames", "-read_intervals", "%+3",
		"-show_entries", "stream=codec_name,width,height,nb_read_frames", "-of", "csv=p=0", from).CombinedOutput()
	if m := regexp.MustCompile(`(?m)^h264,640,360,(\d\d+)`).FindSubmatch(out); err != nil || m == nil {
		t.Errorf("ffprobe of go2rtc: %v: %s", err, out)
	}
	s.terminate()
}

const linkGood = 16 << 10

// slowLink passes UDP packets on between one client and a server, 1 kB/s
// towards the client, as a bad radio link does: it queues ten and loses the
// rest. It turns bad after linkGood bytes, so that the call is set up. heard is
// when the server last sent something, in Unix seconds.
func slowLink(t testing.TB, server *net.UDPAddr) (link *net.UDPAddr, heard *atomic.Int64) {
	t.Helper()
	front, err1 := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	back, err2 := net.DialUDP("udp", nil, server)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	type packet struct {
		b  []byte
		to *net.UDPAddr
	}
	heard = &atomic.Int64{}
	queue, client := make(chan packet, 10), make(chan *net.UDPAddr, 1)
	ended := make(chan struct{}, 3)
	go func() { // from the client
		defer func() { ended <- struct{}{} }()
		for b := make([]byte, 2048); ; {
			n, from, err := front.ReadFromUDP(b)
			if err != nil {
				return
			}
			select {
			case client <- from:
			default:
			}
			_, _ = back.Write(b[:n])
		}
	}()
	go func() { // from the server
		defer func() { close(queue); ended <- struct{}{} }()
		to := <-client
		for to != nil {
			b := make([]byte, 2048)
			n, err := back.Read(b)
			if err != nil {
				return
			}
			heard.Store(time.Now().Unix())
			select {
			case queue <- packet{b[:n], to}:
			default:
			}
		}
	}()
	go func() {
		defer func() { ended <- struct{}{} }()
		passed := 0
		for p := range queue {
			_, _ = front.WriteToUDP(p.b, p.to)
			if passed += len(p.b); passed < linkGood {
				continue
			}
			<-time.After(time.Duration(len(p.b)) * time.Millisecond)
		}
	}()
	t.Cleanup(func() {
		_ = front.Close()
		_ = back.Close()
		select {
		case client <- nil:
		default:
		}
		for range 3 {
			<-ended
		}
	})
	return front.LocalAddr().(*net.UDPAddr), heard
}

// offer makes a browser that wants to see pictures.
func offer(t testing.TB) (*webrtc.PeerConnection, chan struct{}) {
	t.Helper()
	var m webrtc.MediaEngine
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&m), webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	seen := make(chan struct{})
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for n := 0; ; n++ {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			if n == 500 { // more than the key frame
				close(seen)
			}
		}
	})
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return pc, seen
}

// whep posts an offer and returns the answer and where to end the view.
func (c *client) whep(id, sdp string) (answer, location string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.s.base+"/api/v1/cameras/"+id+"/whep", strings.NewReader(sdp))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/sdp")
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 201 || res.Header.Get("X-Live-Source") != "main" {
		c.t.Fatalf("WHEP: %d %v %s", res.StatusCode, err, b)
	}
	return string(b), res.Header.Get("Location")
}

var loopbackCandidate = regexp.MustCompile(`a=candidate:(\S+) 1 udp (\d+) 127\.0\.0\.1 (\d+) typ host[^\r\n]*`)

// TestSlowViewersHarmNobody: a viewer on a 1 kB/s link, viewers that never
// connect, 200 idle sockets and a player that never reads cost the recording
// nothing and another viewer nothing, and are dropped.
func TestSlowViewersHarmNobody(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "good", Clip: longFilm(t)})
	s := serve(t, t.TempDir())
	c := signIn(t, s)
	c.hospital()
	c.addCamera("good", sim.URL("good"), "", "")
	first := c.recorded("good", 1, 20*time.Second).Segments[0].Start

	host := strings.TrimPrefix(s.base, "http://")
	for i := range 200 {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i%2 == 0 {
			fmt.Fprintf(conn, "POST /api/v1/cameras/good/whep HTTP/1.1\r\nHost: %s\r\n", host)
		}
	}
	base, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	deaf, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	for range 300 {
		fmt.Fprintf(deaf, "GET /api/v1/cameras/good/live.m3u8 HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", host, c.http.Jar.Cookies(base)[0])
	}
	bad, _ := offer(t)
	for range 20 { // nobody ever connects to these
		c.whep("good", bad.LocalDescription().SDP)
	}
	answer, slow := c.whep("good", bad.LocalDescription().SDP)
	m := loopbackCandidate.FindStringSubmatch(answer)
	if m == nil {
		t.Fatalf("no loopback candidate in\n%s", answer)
	}
	var port int
	fmt.Sscan(m[3], &port)
	link, heard := slowLink(t, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	only := fmt.Sprintf("a=candidate:%s 1 udp %s 127.0.0.1 %d typ host", m[1], m[2], link.Port)
	answer = regexp.MustCompile(`(a=candidate:[^\r\n]*\r\n)+`).ReplaceAllString(answer, only+"\r\n")
	if err := bad.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}

	good, seen := offer(t)
	answer, _ = c.whep("good", good.LocalDescription().SDP)
	if err := good.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-seen:
	case <-time.After(20 * time.Second):
		t.Error("a good viewer sees nothing")
	}
	// What it loses ends it, or what is lost of its own connection does.
	until(t, "the slow viewer is dropped", 60*time.Second, func() bool {
		silent := heard.Load() > 0 && time.Now().Unix()-heard.Load() > 5
		return silent || strings.Contains(s.log.String(), "live view ended: the link is too slow")
	})
	c.refused(404, "not_found", "DELETE", slow, nil)
	line := c.recorded("good", 3, 20*time.Second)
	for _, g := range line.Gaps {
		if g.To.IsZero() || g.To.After(first.Add(time.Millisecond)) {
			t.Errorf("the recording has a gap: %+v", g)
		}
	}
	_, metrics := c.call("GET", "/metrics", nil)
	if !strings.Contains(string(metrics), `wardwatch_camera_recorder_dropped_total{camera="good"} 0`) {
		t.Errorf("the recorder lost units:\n%s", regexp.MustCompile(`.*recorder_dropped.*`).Find(metrics))
	}
	s.terminate()
	s.fsck()
}
