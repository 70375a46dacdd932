package ingest_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// httpServer answers RTSP with something else.
func httpServer(t testing.TB) string {
	t.Helper()
	return accepting(t, func(c net.Conn) {
		_, _ = c.Write([]byte("\x00\x01garbage, no RTSP at all\r\n\r\n"))
		_ = c.Close()
	})
}

// accepting is a server that does each with a connection.
func accepting(t testing.TB, each func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { each(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return l.Addr().String()
}

func TestEveryFailureHasItsCauseAndHarmsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	good := serve(t, h264Clip(t))
	login := serve(t, h264Clip(t), withLogin("admin", "right"))
	noise := serve(t, h264Clip(t))
	noise.set(func() {
		noise.mangle = func(p *rtp.Packet) bool {
			p.Payload = []byte{0x1c, 0x05, 0xff, 0xee} // the middle of a fragment that never began
			return true
		}
	})
	silent := serve(t, h264Clip(t))
	silent.set(func() { silent.quiet = true })

	want := map[ward.CameraID]ward.Cause{
		"wrong-password": ward.CauseAuth, "unreachable": ward.CauseUnreachable, "no-name": ward.CauseUnreachable, "no-path": ward.CauseNotFound,
		"no-codec": ward.CauseCodec, "no-rtsp": ward.CauseGarbage, "noise": ward.CauseGarbage, "silent": ward.CauseStalled,
	}
	addCamera(t, r.store, camera("good", good.url))
	for id, url := range map[ward.CameraID]string{
		"wrong-password": login.url, "unreachable": fmt.Sprintf("rtsp://127.0.0.1:%d/cam", freePort(t)), "no-name": "rtsp://camera.invalid/cam",
		"no-path": strings.Replace(good.url, "/cam", "/other", 1), "no-codec": serve(t, nil).url,
		"no-rtsp": "rtsp://" + httpServer(t) + "/cam", "noise": noise.url, "silent": silent.url,
	} {
		c := camera(id, url)
		c.User, c.Password = "admin", "hunter2"
		addCamera(t, r.store, c)
	}
	for id, cause := range want {
		until(t, fmt.Sprintf("%s has a gap with cause %s", id, cause), 15*time.Second, func() bool {
			return slices.ContainsFunc(r.gaps(t, id), func(g ward.Gap) bool { return g.Cause == cause })
		})
		if st := r.fleet.State(id); st.Condition == ingest.Live {
			t.Errorf("%s: state %+v", id, st)
		}
	}
	until(t, "the good camera is recorded", 15*time.Second, func() bool { return len(r.segments(t, "good")) >= 2 })

	// What was broken is recorded as soon as it works.
	noise.set(func() { noise.mangle = nil })
	silent.set(func() { silent.quiet = false })
	for _, id := range []ward.CameraID{"noise", "silent"} {
		until(t, string(id)+" recovers", 30*time.Second, func() bool { return len(r.segments(t, id)) >= 1 })
	}
	r.stop()
	for id := range want {
		checkIdentity(t, r, id, 200*time.Millisecond)
		checkNoOverlap(t, r, id)
	}
	checkIdentity(t, r, "good", 200*time.Millisecond)
	if strings.Contains(r.logs.String(), "hunter2") {
		t.Error("the password is in the log")
	}
}

func TestRebootIsAGapAndTheRestIsComplete(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	cam := serve(t, h264Clip(t))
	addCamera(t, r.store, camera("cam-1", cam.url))
	until(t, "a segment", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })
	cam.Close()
	until(t, "a gap", 15*time.Second, func() bool {
		return slices.ContainsFunc(r.gaps(t, "cam-1"), func(g ward.Gap) bool { return g.Cause == ward.CauseUnreachable && g.To.IsZero() })
	})
	before := len(r.segments(t, "cam-1"))
	if err := cam.start(); err != nil {
		t.Fatal(err)
	}
	until(t, "recorded again", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) > before })
	r.stop()
	checkFiles(t, r, "cam-1")
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	checkNoOverlap(t, r, "cam-1")
}

func TestLossOverUDPIsAGapInsideTheSegment(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	cam := serve(t, plainClip(t))
	n := 0
	cam.set(func() {
		cam.mangle = func(*rtp.Packet) bool {
			n++
			return n < 100 || n%150 > 1
		}
	})
	c := camera("cam-1", cam.url)
	c.Transport = ward.TransportUDP
	addCamera(t, r.store, c)
	until(t, "three segments", 20*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 3 })
	r.stop()
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	if !slices.ContainsFunc(r.gaps(t, "cam-1"), func(g ward.Gap) bool { return g.Cause == ward.CauseLoss && !g.To.IsZero() }) {
		t.Errorf("no loss among %v", r.gaps(t, "cam-1"))
	}
	if st := r.fleet.Stats()["cam-1"]; st.Lost == 0 || st.Packets == 0 {
		t.Errorf("got %+v, want lost packets", st)
	}
}

func TestAutoFallsBackFromUDP(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(f *ingest.Fleet) { f.Stall = 6 * time.Second })
	cam := serve(t, h264Clip(t), func(s *server) { s.tcpOnly = true })
	c := camera("cam-1", cam.url)
	c.Transport = ward.TransportAuto
	addCamera(t, r.store, c)
	until(t, "a segment", 20*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })
}

func TestCameraRowsTakeEffect(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	cam := serve(t, h264Clip(t))
	c := camera("cam-1", cam.url)
	c.Enabled = false
	addCamera(t, r.store, c)
	until(t, "disabled", 5*time.Second, func() bool { return r.fleet.State("cam-1").Condition == ingest.Disabled })
	set := func(f func(*ward.Camera)) {
		c, err := r.store.Camera(t.Context(), "cam-1")
		if err != nil {
			t.Fatal(err)
		}
		f(&c)
		if err := r.store.UpdateCamera(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	set(func(c *ward.Camera) { c.Enabled = true })
	until(t, "a segment", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })
	set(func(c *ward.Camera) { c.URL = serve(t, h265Clip(t)).url })
	until(t, "a segment from the other address", 15*time.Second, func() bool {
		return slices.ContainsFunc(r.segments(t, "cam-1"), func(g ward.Segment) bool { return g.Codec == ward.H265 })
	})
	set(func(c *ward.Camera) { c.Enabled = false })
	until(t, "disabled again", 5*time.Second, func() bool { return r.fleet.State("cam-1").Condition == ingest.Disabled })
	checkFiles(t, r, "cam-1")
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	disabled := 0
	for _, g := range r.gaps(t, "cam-1") {
		if g.Cause == ward.CauseDisabled {
			disabled++
		}
	}
	if disabled != 2 {
		t.Errorf("%d disabled gaps, want 2: %v", disabled, r.gaps(t, "cam-1"))
	}
	if err := r.store.DeleteCamera(t.Context(), "cam-1"); err != nil {
		t.Fatal(err)
	}
	until(t, "no gap lasts", 5*time.Second, func() bool {
		return !slices.ContainsFunc(r.gaps(t, "cam-1"), func(g ward.Gap) bool { return g.To.IsZero() })
	})
}

func TestOrderlyRestartIsAGap(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", serve(t, h264Clip(t)).url))
	until(t, "a segment", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })
	r.stop()
	before := len(r.segments(t, "cam-1"))
	r.run(t, nil)
	until(t, "recorded again", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) > before })
	r.stop()
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	checkNoOverlap(t, r, "cam-1")
	if !slices.ContainsFunc(r.gaps(t, "cam-1"), func(g ward.Gap) bool { return g.Cause == ward.CauseRestart && !g.To.IsZero() }) {
		t.Errorf("no restart among %v", r.gaps(t, "cam-1"))
	}
}
