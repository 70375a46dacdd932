package rtsp

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

const sdpOf = "v=0\r\no=- 0 0 IN IP4 1.1.1.1\r\ns=cam\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track1\r\n" +
	"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/16000\r\na=control:track2\r\n"

// whole is a camera's part of a conversation.
var whole = "RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: GET_PARAMETER\r\n\r\n" +
	"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n" +
	"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Base: rtsp://1.1.1.1/cam/\r\nContent-Type: application/sdp\r\nContent-Length: " + strconv.Itoa(len(sdpOf)) + "\r\n\r\n" + sdpOf +
	"RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 12;timeout=8\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n" +
	"RTSP/1.0 200 OK\r\nCSeq: 5\r\nSession: 12\r\n\r\n$\x00\x00\x10\x80\x60\x00\x01aaaabbbbpict"

// pair is a connection with both ends.
func pair(t testing.TB) (here, there *net.UnixConn) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close() // c has its own
		ends[i] = c.(*net.UnixConn)
	}
	return ends[0], ends[1]
}

// converse lets a camera say said, whatever it is asked, and hang up.
func converse(t testing.TB, said string, timeout time.Duration) (packets int, err error) {
	t.Helper()
	here, there := pair(t)
	var camera sync.WaitGroup
	camera.Go(func() {
		// One answer after each request; the client may be gone before the last.
		for buf := make([]byte, 4096); said != ""; {
			if _, err := there.Read(buf); err != nil {
				break
			}
			n := strings.Index(said[1:], "RTSP/1.0 ") + 1
			if n == 0 {
				n = len(said)
			}
			if _, err := there.Write([]byte(said[:n])); err != nil {
				break
			}
			said = said[n:]
		}
		_ = there.CloseWrite()
		_, _ = io.Copy(io.Discard, there)
		_ = there.Close()
	})
	defer func() { _ = here.Close(); camera.Wait() }()
	u, err := base.ParseURL("rtsp://192.0.2.1/cam")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := Connect(ctx, Config{
		URL: u, User: "u", Password: "p", Timeout: timeout, Buffers: &Buffers{},
		Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d, _, err := c.Describe(ctx)
	if err != nil {
		return 0, err
	}
	h := Handler{RTP: func(_ []byte, _, _ time.Time) { packets++ }, RTCP: func([]byte, time.Time) {}}
	for _, m := range d.Medias[:1] {
		if err := c.Setup(ctx, d, m, h); err != nil {
			return packets, err
		}
	}
	if err := c.Play(ctx); err != nil {
		return packets, err
	}
	return packets, c.Run(50*time.Millisecond, func(time.Time) error { return nil })
}

func TestConversation(t *testing.T) {
	t.Parallel()
	packets, err := converse(t, whole, 5*time.Second)
	if packets != 1 || !errors.Is(err, io.EOF) {
		t.Errorf("got %d packets, %v", packets, err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]error{
		"":                                 io.EOF,
		"HTTP/1.1 400 Bad Request\r\n\r\n": ErrAnswer,
		"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n\x00\xff\xfe":                                               ErrAnswer,
		"RTSP/1.0 abc OK\r\nCSeq: 1\r\n\r\n":                                                           ErrAnswer,
		"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\nRTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 3\r\n\r\nv=1": ErrAnswer,
	} {
		if _, err := converse(t, said, 5*time.Second); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", said, err, want)
		}
	}
}

// FuzzAnswers: whatever a camera says, the client returns, and leaves nothing behind.
func FuzzAnswers(f *testing.F) {
	f.Add(whole)
	f.Add("RTSP/1.0 302 Moved\r\nCSeq: 2\r\nLocation: rtsp://192.0.2.1/cam\r\n\r\n")
	f.Add("RTSP/1.0 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\nRTSP/1.0 401 No\r\nWWW-Authenticate: Digest stale=\"true\"\r\n\r\n")
	f.Add("OPTIONS * RTSP/1.0\r\n\r\n$\x00\x00\x00")
	f.Fuzz(func(t *testing.T, said string) {
		if _, err := converse(t, said, 10*time.Millisecond); err == nil {
			t.Error("the conversation has no end")
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add(sdpOf)
	f.Add("m=video 0 RTP/AVP 96\nm=audio 0 RTP/AVP 8\n")
	f.Add(sdpOf + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/90000\r\na=fmtp:107 %%%\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, _, _, err := ParseDescription([]byte(text))
		if err == nil && len(d.Medias) == 0 {
			t.Error("a description of nothing")
		}
	})
}

// What is wrong with the sound does not spoil the pictures.
func TestAPartOfADescriptionMayBeWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		medias int
		odd    int
	}{
		"right":                {sdpOf + "", 2, 0},
		"broken sound":         {strings.Replace(sdpOf, "MPEG4-GENERIC/16000", "MPEG4-GENERIC/never", 1), 1, 1},
		"broken sets":          {strings.Replace(sdpOf, "a=control:track1", "a=fmtp:96 sprop-parameter-sets=!!!,???\r\na=control:track1", 1), 2, 1},
		"application metadata": {sdpOf + "m=application 0 RTP/AVP 107\r\na=rtpmap:107 vnd.onvif.metadata/x/y/z\r\na=control:track3\r\n", 2, 1},
	} {
		d, odd, _, err := ParseDescription([]byte(strings.Replace(c.text, "MPEG4-GENERIC/16000\r\n", "PCMU/8000\r\n", 1)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(d.Medias) < c.medias || len(odd) != c.odd || d.Medias[0].Control != "track1" {
			t.Errorf("%s: %d media, odd %q", name, len(d.Medias), odd)
		}
	}
	if _, _, _, err := ParseDescription([]byte("nothing")); !errors.Is(err, ErrAnswer) {
		t.Errorf("got %v", err)
	}
}
