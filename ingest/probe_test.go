package ingest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// TestProbe meets every way in which a camera can be wrong and reads the
// sentence that is said of it.
func TestProbe(t *testing.T) {
	t.Parallel()
	h264 := testcam.FilmWith(t, ward.PCMA)
	h265 := testcam.FilmWith(t, ward.NoCodec, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "bframes=0:keyint=10:repeat-headers=1:log-level=none")
	reordered := testcam.FilmWith(t, ward.NoCodec, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "10")
	cams := testcam.Play(t,
		simcam.Camera{Path: "good", User: "admin", Password: "geheim", Clip: h264},
		simcam.Camera{Path: "h265", Clip: h265},
		simcam.Camera{Path: "bframes", Clip: reordered},
		simcam.Camera{Path: "forbidden", Clip: h264, Faults: simcam.Faults{Answer: "403"}},
		simcam.Camera{Path: "busy", Clip: h264, Faults: simcam.Faults{Answer: "453"}},
		simcam.Camera{Path: "broken", Clip: h264, Faults: simcam.Faults{Answer: "503"}},
		simcam.Camera{Path: "mute", Clip: h264, Faults: simcam.Faults{Answer: "never"}},
		simcam.Camera{Path: "close", Clip: h264, Faults: simcam.Faults{Answer: "close"}},
		simcam.Camera{Path: "odd", Clip: h264, Faults: simcam.Faults{OddCodec: true}},
		simcam.Camera{Path: "stalled", Clip: h264, Faults: simcam.Faults{Stall: true}},
		simcam.Camera{Path: "garbage", Clip: h264, Faults: simcam.Faults{Garbage: "payload"}},
		simcam.Camera{Path: "nokey", Clip: h264, Faults: simcam.Faults{NoKey: true}},
		simcam.Camera{Path: "lost", Clip: h264, Faults: simcam.Faults{Transport: "udp_lost"}},
		simcam.Camera{Path: "tcponly", Clip: h264, Faults: simcam.Faults{Transport: "tcp_only"}},
		simcam.Camera{Path: "away", Clip: h264, Faults: simcam.Faults{Redirect: "rtsp://127.0.0.1:1/elsewhere"}},
		simcam.Camera{Path: "realm", User: "admin", Password: "geheim", Clip: h264, Faults: simcam.Faults{Auth: "wrong_realm"}},
	)
	cam := func(path string) ward.Camera {
		return ward.Camera{URL: cams.URL(path), User: "admin", Password: "geheim", Transport: ward.TransportTCP}
	}
	at := func(url string) ward.Camera { return ward.Camera{URL: url, Transport: ward.TransportTCP} }
	with := func(c ward.Camera, change func(*ward.Camera)) ward.Camera { change(&c); return c }
	tests := map[string]struct {
		cam  ward.Camera
		step string
		en   string // part of the last step's sentence
		zh   string
	}{
		"name":        {at("rtsp://no-such-camera.invalid/1"), "name", "no-such-camera.invalid was not found", "找不到主机名"},
		"refused":     {at("rtsp://" + nobody(t) + "/1"), "connect", "Connection refused", "连接被拒绝"},
		"timeout":     {at("rtsp://" + deaf(t) + "/1"), "connect", "Timed out: nothing answered in 4 s", "连接超时"},
		"untrusted":   {at(cams.TLSURL("good")), "tls", "pin its fingerprint " + cams.Fingerprint(), cams.Fingerprint()},
		"wrong pin":   {with(at(cams.TLSURL("good")), func(c *ward.Camera) { c.TLSFingerprint = strings.Repeat("0", 64) }), "tls", "not the one of the fingerprint", "与所填指纹不符"},
		"no TLS":      {at("rtsps://" + speaks(t, "HTTP/1.1 400 Bad Request\r\n\r\n") + "/1"), "tls", "does not encrypt", "没有使用加密"},
		"not RTSP":    {at("rtsp://" + speaks(t, "HTTP/1.1 400 Bad Request\r\n\r\n") + "/1"), "answer", "What answers is no RTSP", "不是 RTSP"},
		"anonymous":   {at(cams.URL("good")), "answer", "asks for a user and password (401)", "需要用户名和密码"},
		"password":    {with(cam("good"), func(c *ward.Camera) { c.Password = "falsch" }), "answer", "Wrong user or password (401)", "用户名或密码不对"},
		"realm":       {cam("realm"), "answer", "Wrong user or password (401)", "用户名或密码不对"},
		"403":         {cam("forbidden"), "answer", "may not watch (403)", "无权取流"},
		"404":         {cam("nothing"), "answer", "No such stream (404)", "没有这个码流"},
		"453":         {cam("busy"), "answer", "no connection to spare (453)", "连接数已满"},
		"503":         {cam("broken"), "answer", "refused with status 503", "状态码 503"},
		"461":         {with(cam("tcponly"), func(c *ward.Camera) { c.Transport = ward.TransportUDP }), "answer", "does not support this transport (461)", "传输方式"},
		"never":       {cam("mute"), "answer", "no answer to RTSP in 5 s", "没有回答 RTSP 请求"},
		"close":       {cam("close"), "answer", "hung up without an answer", "不回答就断开"},
		"redirect":    {cam("away"), "answer", "redirects to another address", "不予跟随"},
		"codec":       {cam("odd"), "answer", "MPEG-4 Video cannot be recorded", "不能录制"},
		"no video":    {at("rtsp://" + describes(t, soundOnly) + "/1"), "answer", "There is no video at this address, only sound or data", "没有视频"},
		"no media":    {cam("stalled"), "media", "no pictures came in 5 s", "没有收到任何画面数据"},
		"garbage":     {cam("garbage"), "", "no pictures that can be decoded", "不是能解码的画面"},
		"no key":      {cam("nokey"), "key_frame", "No key frame in 1", "没有关键帧"},
		"UDP lost":    {with(cam("lost"), func(c *ward.Camera) { c.Transport = ward.TransportUDP }), "media", "but TCP works", "但 TCP 可以"},
		"no address":  {at("rtsp://"), "name", "cannot be parsed", "无法解析"},
		"auto to TCP": {with(cam("lost"), func(c *ward.Camera) { c.Transport = ward.TransportAuto }), "measure", "H.264 320×240, ", "关键帧间隔 1."},
		"good":        {cam("good"), "measure", "H.264 320×240, ", "关键帧间隔 1."},
		"good TLS":    {with(cam("good"), func(c *ward.Camera) { c.URL, c.TLSFingerprint = cams.TLSURL("good"), cams.Fingerprint() }), "measure", "H.264 320×240, ", "关键帧间隔 1."},
		"H.265":       {cam("h265"), "measure", "H.265 320×240, ", "关键帧间隔 1."},
		"B-frames":    {cam("bframes"), "measure", "with B-frames", "含 B 帧"},
	}
	type outcome struct {
		report ingest.ProbeReport
		told   []ingest.ProbeStep
		took   time.Duration
	}
	outcomes := map[string]*outcome{}
	var wg sync.WaitGroup
	for name, x := range tests { // all at once: each waits most of its time
		o := &outcome{}
		outcomes[name] = o
		wg.Go(func() {
			began := time.Now()
			o.report = (&ingest.Fleet{}).Probe(t.Context(), x.cam, func(s ingest.ProbeStep) { o.told = append(o.told, s) })
			o.took = time.Since(began)
		})
	}
	wg.Wait()
	for name, x := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, told := outcomes[name].report, outcomes[name].told
			if took := outcomes[name].took; took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
			if len(r.Steps) == 0 || len(told) != len(r.Steps) {
				t.Fatalf("%d steps, told of %d", len(r.Steps), len(told))
			}
			last := r.Steps[len(r.Steps)-1]
			if x.step != "" && last.Step != x.step || !strings.Contains(last.EN, x.en) || !strings.Contains(last.ZH, x.zh) {
				t.Errorf("got %+v, want %s: %q %q", r.Steps, x.step, x.en, x.zh)
			}
			if good := x.step == "measure"; r.OK != good || last.OK != good || (r.Video != nil) != good {
				t.Errorf("ok: %+v", r)
			}
			for _, s := range r.Steps {
				if strings.Contains(s.ZH+s.EN, "geheim") || strings.Contains(s.ZH+s.EN, "falsch") {
					t.Errorf("a password is in %+v", s)
				}
			}
		})
	}
}

// TestProbeMeasures looks at the figures of main and sub stream.
func TestProbeMeasures(t *testing.T) {
	t.Parallel()
	cams := testcam.Play(t,
		simcam.Camera{Path: "main", Clip: testcam.FilmWith(t, ward.PCMA), Faults: simcam.Faults{ClockOffset: 90 * time.Second}},
		simcam.Camera{Path: "sub", Clip: testcam.FilmWith(t, ward.NoCodec, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "20", "-s", "160x120")},
	)
	r := (&ingest.Fleet{}).Probe(t.Context(), ward.Camera{URL: cams.URL("main"), SubURL: cams.URL("sub"), Transport: ward.TransportTCP}, nil)
	if !r.OK || r.Video == nil || r.Sub == nil || r.Sub.Video == nil || r.Audio == nil {
		t.Fatalf("%+v", r)
	}
	near := func(what string, got, want, off float64) {
		if got < want-off || got > want+off {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	near("width", float64(r.Video.Width), 320, 0)
	near("height", float64(r.Video.Height), 240, 0)
	near("fps", r.Video.FPS, 10, 2)
	near("gop", r.Video.GOP, 1, 0.3)
	near("sub width", float64(r.Sub.Video.Width), 160, 0)
	near("sub gop", r.Sub.Video.GOP, 2, 0.5)
	if r.Audio.Codec != ward.PCMA || r.Sub.Audio != nil || r.Video.Kbit < 10 || r.Video.Reordered {
		t.Errorf("audio %v, %v; video %+v", r.Audio, r.Sub.Audio, r.Video)
	}
	if r.ClockOffset == nil {
		t.Fatal("the camera's clock is not known")
	}
	near("clock offset", *r.ClockOffset, 90, 2)
}

// TestProbeIsGuarded: whatever is or is not at an address where no camera may
// be, the answer is the same, and nothing is sent there.
func TestProbeIsGuarded(t *testing.T) {
	t.Parallel()
	cams := testcam.Play(t, simcam.Camera{Path: "good", Clip: testcam.Film(t)})
	_, port, err := net.SplitHostPort(cams.Addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &ingest.Fleet{Guard: &ingest.Guard{}}
	var first ingest.ProbeStep
	for i, url := range []string{cams.URL("good"), "rtsp://localhost:" + port + "/good", "rtsp://" + nobody(t) + "/1", "rtsp://169.254.169.254/latest", "rtsp://[::1]:1/", "rtsp://0.0.0.0:22/", "rtsps://127.0.0.1:443/"} {
		r := f.Probe(t.Context(), ward.Camera{URL: url, Transport: ward.TransportTCP}, nil)
		if len(r.Steps) != 1 || r.OK {
			t.Fatalf("%s: %+v", url, r)
		}
		r.Steps[0].MS = 0
		if i == 0 {
			first = r.Steps[0]
		}
		if r.Steps[0] != first || !strings.Contains(first.EN, "cameras.networks") {
			t.Errorf("%s: %+v, want %+v", url, r.Steps[0], first)
		}
	}
	if n := len(cams.Requests("good")); n > 0 {
		t.Errorf("%d requests reached the camera", n)
	}
	f.Guard = &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if r := f.Probe(t.Context(), ward.Camera{URL: cams.URL("good"), Transport: ward.TransportTCP}, nil); !r.OK {
		t.Errorf("allowed: %+v", r)
	}
}

// nobody is an address of this machine where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// deaf is an address that answers no SYN: its queue of connections is full.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(name.(*syscall.SockaddrInet4).Port)).String()
	for range 4 { // until one is left without an answer
		c, err := net.DialTimeout("tcp", addr, 200*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { _ = c.Close() })
	}
	t.Fatal("the queue does not fill")
	return ""
}

// speaks is a server that answers everything with text.
func speaks(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = c.Read(make([]byte, 1024))
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// soundOnly is the description of an address that has no video.
const soundOnly = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:trackID=1\r\n"

// describes is a camera that answers every RTSP request, with sdp when it is asked for one.
func describes(t *testing.T, sdp string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			done.Go(func() {
				defer c.Close()
				lines := bufio.NewScanner(c)
				for method, seq := "", ""; lines.Scan(); {
					switch key, value, _ := strings.Cut(lines.Text(), ": "); {
					case strings.HasSuffix(key, " RTSP/1.0"):
						method, _, _ = strings.Cut(key, " ")
					case strings.EqualFold(key, "CSeq"):
						seq = value
					case key == "":
						body := ""
						if method == "DESCRIBE" {
							body = sdp
						}
						_, _ = fmt.Fprintf(c, "RTSP/1.0 200 OK\r\nCSeq: %s\r\nPublic: DESCRIBE, SETUP, PLAY\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", seq, len(body), body)
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		done.Wait()
	})
	return l.Addr().String()
}
