package simcam_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// camera serves one camera with faults, playing.
func camera(t *testing.T, f simcam.Faults) *simcam.Server {
	t.Helper()
	s, play := serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.AAC), Faults: f})
	play()
	return s
}

func TestCredentialsOfEveryKind(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	for kind, want := range map[string]base.StatusCode{"digest": base.StatusOK, "sha256": base.StatusOK, "basic": base.StatusOK, "wrong_realm": base.StatusUnauthorized} {
		s, _ := serve(t, simcam.Camera{Path: "cam", User: "viewer", Password: "secret", Clip: clip, Faults: simcam.Faults{Auth: kind}})
		_, err := dial(t, strings.Replace(s.URL("cam"), "rtsp://", "rtsp://viewer:secret@", 1), gortsplib.TransportTCP)
		if got := status(err); got != want {
			t.Errorf("%s: got %d (%v), want %d", kind, got, err, want)
		}
		_, err = dial(t, strings.Replace(s.URL("cam"), "rtsp://", "rtsp://viewer:guess@", 1), gortsplib.TransportTCP)
		if got := status(err); got != base.StatusUnauthorized {
			t.Errorf("%s, wrong password: got %d (%v)", kind, got, err)
		}
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	for name, tc := range map[string]struct {
		faults simcam.Faults
		want   string // in the error
	}{
		"status":      {simcam.Faults{Answer: "503"}, "503"},
		"close":       {simcam.Faults{Answer: "close"}, "EOF"},
		"never":       {simcam.Faults{Answer: "never"}, "timed out"},
		"late":        {simcam.Faults{AnswerAfter: 3 * time.Second}, "timed out"},
		"off":         {simcam.Faults{Off: true}, "EOF"},
		"rtsp":        {simcam.Faults{Garbage: "rtsp"}, ""},
		"sdp":         {simcam.Faults{Garbage: "sdp"}, "SDP"},
		"endless sdp": {simcam.Faults{Garbage: "endless_sdp"}, "Content-Length"},
		"bad audio":   {simcam.Faults{Audio: "bad_sdp"}, "media 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := serve(t, simcam.Camera{Path: "cam", Clip: clip, Faults: tc.faults})
			if name == "bad audio" {
				s, _ = serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.AAC), Faults: tc.faults})
			}
			_, err := dialWithin(t, s.URL("cam"), gortsplib.TransportTCP, 2*time.Second)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want …%s…", err, tc.want)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	target := camera(t, simcam.Faults{})
	s, _ := serve(t, simcam.Camera{Path: "cam", Clip: film(t, ward.H264, ward.NoCodec), Faults: simcam.Faults{Redirect: target.URL("cam")}})
	if _, err := dial(t, s.URL("cam"), gortsplib.TransportTCP); err != nil {
		t.Fatal(err)
	}
	if len(target.Requests("cam")) == 0 {
		t.Error("nobody came to where the camera sends")
	}
}

func TestSecureConnection(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{})
	u, err := base.ParseURL(s.TLSURL("cam"))
	if err != nil {
		t.Fatal(err)
	}
	tcp := gortsplib.TransportTCP
	c := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Transport: &tcp, TLSConfig: &tls.Config{
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			sum := sha256.Sum256(state.PeerCertificates[0].Raw)
			if hex.EncodeToString(sum[:]) != s.Fingerprint() {
				return fmt.Errorf("fingerprint %x", sum)
			}
			return nil
		},
	}}
	if err := c.Start2(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, _, err := c.Describe(u); err != nil {
		t.Error(err)
	}
	verified := &gortsplib.Client{Scheme: u.Scheme, Host: u.Host, Transport: &tcp}
	if err := verified.Start2(); err != nil {
		t.Fatal(err)
	}
	defer verified.Close()
	if _, _, err := verified.Describe(u); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a client that trusts nobody blindly: %v", err)
	}
}

func TestTransports(t *testing.T) {
	t.Parallel()
	clip := film(t, ward.H264, ward.NoCodec)
	for _, tc := range []struct {
		fault     string
		transport gortsplib.Transport
		want      base.StatusCode
	}{
		{"tcp_only", gortsplib.TransportUDP, base.StatusUnsupportedTransport},
		{"tcp_only", gortsplib.TransportTCP, base.StatusOK},
		{"udp_only", gortsplib.TransportTCP, base.StatusUnsupportedTransport},
		{"udp_only", gortsplib.TransportUDP, base.StatusOK},
	} {
		s, _ := serve(t, simcam.Camera{Path: "cam", Clip: clip, Faults: simcam.Faults{Transport: tc.fault}})
		v, err := dial(t, s.URL("cam"), tc.transport)
		if err == nil {
			err = v.client.SetupAll(v.desc.BaseURL, v.desc.Medias)
		}
		if got := status(err); got != tc.want {
			t.Errorf("%s over %v: got %d (%v), want %d", tc.fault, tc.transport, got, err, tc.want)
		}
	}
	lost, good := camera(t, simcam.Faults{Transport: "udp_lost"}), camera(t, simcam.Faults{})
	nothing, something := watch(t, lost.URL("cam"), gortsplib.TransportUDP), watch(t, good.URL("cam"), gortsplib.TransportUDP)
	eventually(t, "pictures over UDP", 5*time.Second, func() bool { return len(something.pictures("H264")) > 10 })
	if n := len(nothing.got("H264")); n > 0 {
		t.Errorf("udp_lost: %d packets arrived", n)
	}
}

func TestSessionsEndWithoutKeepAlive(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{SessionTimeout: 2 * time.Second})
	alive := watch(t, s.URL("cam"), gortsplib.TransportTCP) // the library asks often enough
	c := raw(t, s)
	setUp := c.ask("SETUP", s.URL("cam")+"/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
	if !strings.Contains(setUp, "timeout=2") {
		t.Errorf("the timeout is not announced: %s", setUp)
	}
	began := time.Now()
	if n := s.Sessions("cam"); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
	if _, err := io.Copy(io.Discard, c.r); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d < 1800*time.Millisecond || d > 4*time.Second {
		t.Errorf("the silent session ended after %v", d)
	}
	before := len(alive.pictures("H264"))
	eventually(t, "pictures of the session that is kept alive", 5*time.Second, func() bool { return len(alive.pictures("H264")) > before+20 })
	if !slices.ContainsFunc(s.Requests("cam"), func(r simcam.Request) bool { return r.Method == base.GetParameter || r.Method == base.Options }) {
		t.Error("no keep-alive was noted")
	}
}

// rawConn speaks RTSP by hand.
type rawConn struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
	n int
}

func raw(t *testing.T, s *simcam.Server) *rawConn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &rawConn{t: t, c: c, r: bufio.NewReader(c)}
}

// ask returns the head of the answer.
func (c *rawConn) ask(method, url string, headers ...string) string {
	c.t.Helper()
	c.n++
	text := fmt.Sprintf("%s %s RTSP/1.0\r\nCSeq: %d\r\n", method, url, c.n)
	for _, h := range headers {
		text += h + "\r\n"
	}
	if _, err := c.c.Write([]byte(text + "\r\n")); err != nil {
		c.t.Fatal(err)
	}
	var head strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.TrimSpace(line) == "" {
			return head.String()
		}
		head.WriteString(line)
	}
}

func TestGetParameterIsRefused(t *testing.T) {
	t.Parallel()
	for code, offered := range map[int]bool{454: true, 405: false, 501: false, 0: true} {
		s := camera(t, simcam.Faults{GetParameter: code})
		c := raw(t, s)
		options := c.ask("OPTIONS", s.URL("cam"))
		if strings.Contains(options, "GET_PARAMETER") != offered {
			t.Errorf("%d: offered: %s", code, options)
		}
		c.ask("SETUP", s.URL("cam")+"/trackID=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
		want := fmt.Sprint(max(200, code))
		if got := c.ask("GET_PARAMETER", s.URL("cam")); !strings.HasPrefix(got, "RTSP/1.0 "+want) {
			t.Errorf("%d: got %s", code, got)
		}
	}
}

func TestTooManySessions(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{MaxSessions: 1})
	first := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	second, err := dial(t, s.URL("cam"), gortsplib.TransportTCP)
	if err == nil {
		err = second.client.SetupAll(second.desc.BaseURL, second.desc.Medias)
	}
	if got := status(err); got != base.StatusNotEnoughBandwidth {
		t.Errorf("the second: got %d (%v), want 453", got, err)
	}
	first.client.Close()
	eventually(t, "room for another", 5*time.Second, func() bool { return s.Sessions("cam") == 0 })
	watch(t, s.URL("cam"), gortsplib.TransportTCP)
}

// A camera may be unplugged: then its port refuses.
func TestUnplugAndPlug(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{})
	v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	s.Unplug()
	if err := v.client.Wait(); err == nil {
		t.Error("the viewer was not dropped")
	}
	if c, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", s.Addr); err == nil {
		_ = c.Close()
		t.Error("the port still answers")
	}
	if err := s.Plug(); err != nil {
		t.Fatal(err)
	}
	again := watch(t, s.URL("cam"), gortsplib.TransportTCP)
	eventually(t, "a picture", 5*time.Second, func() bool { return len(again.pictures("H264")) > 0 })
}

func TestFlapping(t *testing.T) {
	t.Parallel()
	s := camera(t, simcam.Faults{})
	if err := s.Set("cam", simcam.Faults{FlapUp: 2 * time.Second, FlapDown: time.Second}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		v := watch(t, s.URL("cam"), gortsplib.TransportTCP)
		if err := v.client.Wait(); err == nil {
			t.Error("the viewer was not dropped")
		}
		if len(v.pictures("H264")) == 0 {
			t.Error("no pictures while it was up")
		}
		if _, err := dial(t, s.URL("cam"), gortsplib.TransportTCP); err == nil {
			t.Error("it answers while it is down")
		}
		eventually(t, "it is up again", 3*time.Second, func() bool {
			v, err := dial(t, s.URL("cam"), gortsplib.TransportTCP)
			v.client.Close()
			return err == nil
		})
	}
}
