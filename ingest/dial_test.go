package ingest_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// sendsAway is a server that answers every DESCRIBE with a redirect to the
// address that to returns, and counts its connections.
func sendsAway(t *testing.T, to func() string) (addr string, connections *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = &atomic.Int32{}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			wg.Go(func() {
				defer c.Close()
				redirect(c, to)
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String(), connections
}

func redirect(c net.Conn, to func() string) {
	var method, seq string
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	for in := bufio.NewScanner(c); in.Scan(); {
		switch line := in.Text(); {
		case method == "":
			method, _, _ = strings.Cut(line, " ")
		case strings.HasPrefix(line, "CSeq:"):
			seq = line
		case line == "":
			answer := "RTSP/1.0 200 OK\r\n" + seq + "\r\nPublic: DESCRIBE\r\n\r\n"
			if method == "DESCRIBE" {
				answer = "RTSP/1.0 302 Moved\r\n" + seq + "\r\nLocation: " + to() + "\r\n\r\n"
			}
			if _, err := c.Write([]byte(answer)); err != nil {
				return
			}
			method = ""
		}
	}
}

func TestNoRedirectLeadsToAnotherAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	other, visits := sendsAway(t, func() string { return "" })
	bad, _ := sendsAway(t, func() string { return "rtsp://" + other + "/cam" })
	byName, _ := sendsAway(t, func() string { return strings.Replace("rtsp://"+other+"/cam", "127.0.0.1", "localhost", 1) })
	var self string
	self, connections := sendsAway(t, func() string { return "rtsp://" + self + "/cam" })
	ids := map[ward.CameraID]string{"bad": bad, "by-name": byName, "self": self}
	for id, addr := range ids {
		c := camera(id, fmt.Sprintf("rtsp://%s/cam", addr))
		c.User, c.Password = "admin", "hunter2"
		addCamera(t, r.store, c)
	}
	for id := range ids {
		until(t, string(id)+" is refused", 10*time.Second, func() bool {
			return slices.ContainsFunc(r.gaps(t, id), func(g ward.Gap) bool { return g.Cause == ward.CauseUnreachable })
		})
	}
	n := connections.Load()
	if sessions := int32(r.fleet.Stats()["self"].Reconnects) + 1; n > 4*sessions {
		t.Errorf("%d connections in %d sessions of a camera that redirects to itself", n, sessions)
	}
	r.stop()
	if n := visits.Load(); n != 0 {
		t.Errorf("%d connections to the address that a camera named", n)
	}
	if log := r.logs.String(); !strings.Contains(log, "redirects to another address") || strings.Contains(log, "hunter2") {
		t.Errorf("log: %s", log)
	}
}

// A camera that sends no more key frames is connected anew, since most begin
// a connection with one.
func TestCameraWithoutKeyFramesIsConnectedAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(f *ingest.Fleet) { f.Stall = 10 * time.Second })
	cam := serve(t, plainClip(t))
	c := camera("cam-1", cam.url)
	addCamera(t, r.store, c) // segments of 2 s
	until(t, "a segment", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })
	cam.set(func() { cam.mangle = func(p *rtp.Packet) bool { return !ofKeyFrame(p.Payload) } })
	until(t, "it is connected anew", 40*time.Second, func() bool { return r.fleet.Stats()["cam-1"].Reconnects > 0 })
	before := len(r.segments(t, "cam-1"))
	cam.set(func() { cam.mangle = nil })
	until(t, "recorded again", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) > before })
	r.stop()
	if !slices.ContainsFunc(r.gaps(t, "cam-1"), func(g ward.Gap) bool { return g.Cause == ward.CauseCodec && !g.To.IsZero() }) {
		t.Errorf("gaps %v", r.gaps(t, "cam-1"))
	}
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	checkNoOverlap(t, r, "cam-1")
}

// ofKeyFrame says whether an H.264 payload holds (a part of) an IDR picture.
func ofKeyFrame(b []byte) bool {
	kind := b[0] & 0x1f
	if kind == 28 && len(b) > 1 {
		kind = b[1] & 0x1f
	}
	return kind == 5 || kind == 24 && strings.Contains(string(b), "\x65")
}
