package main_test

import (
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error", "-nostdin", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg %v: %v: %s", args, err, out)
	}
	return out
}

// nobodyAt is an address of this machine where nothing listens.
func nobodyAt(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestBadCamerasSayWhyAndHarmNobody(t *testing.T) {
	t.Parallel()
	clip := testcam.Film(t)
	const right, wrong = "right-p4ssword", "wrong-p4ssword"
	sim := testcam.Play(t,
		simcam.Camera{Path: "good", User: "admin", Password: right, Clip: clip},
		simcam.Camera{Path: "locked", User: "admin", Password: right, Clip: clip},
		simcam.Camera{Path: "odd", User: "admin", Password: right, Clip: clip, Faults: simcam.Faults{OddCodec: true}},
		simcam.Camera{Path: "noise", User: "admin", Password: right, Clip: clip, Faults: simcam.Faults{Garbage: "payload"}},
		simcam.Camera{Path: "silent", User: "admin", Password: right, Clip: clip, Faults: simcam.Faults{Stall: true}},
	)
	s := serve(t, t.TempDir())
	c := signIn(t, s)
	c.hospital()
	c.addCamera("good", sim.URL("good"), "admin", right)
	c.recorded("good", 1, 10*time.Second)
	for _, bad := range []struct{ id, url, password string }{
		{"locked", sim.URL("locked"), wrong},
		{"away", "rtsp://" + nobodyAt(t) + "/x", right},
		{"absent", sim.URL("absent"), right},
		{"odd", sim.URL("odd"), right},
		{"noise", sim.URL("noise"), right},
		{"silent", sim.URL("silent"), right},
	} {
		c.addCamera(bad.id, bad.url, "admin", bad.password)
	}
	for id, want := range map[string]ward.Cause{
		"locked": ward.CauseAuth, "away": ward.CauseUnreachable, "absent": ward.CauseNotFound,
		"odd": ward.CauseCodec, "noise": ward.CauseGarbage, "silent": ward.CauseStalled,
	} {
		var v camera
		t.Cleanup(func() { t.Logf("camera %s was %+v", id, v.Live) })
		until(t, fmt.Sprintf("camera %s is down because %s", id, want), time.Minute, func() bool {
			v = c.camera(id)
			return v.Live.State == "down" && v.Live.Cause == want
		})
		until(t, fmt.Sprintf("camera %s has a gap because %s", id, want), 5*time.Second, func() bool {
			gaps := c.timeline(id, time.Now().Add(-time.Minute), time.Now()).Gaps
			return slices.ContainsFunc(gaps, func(g ward.Gap) bool { return g.Cause == want })
		})
	}
	before := len(c.recorded("good", 1, time.Second).Segments)
	line := c.recorded("good", before+1, 10*time.Second)
	first := line.Segments[0].Start
	for _, g := range line.Gaps {
		if g.To.IsZero() || g.To.After(first.Add(time.Millisecond)) {
			t.Errorf("the good camera has a gap: %+v", g)
		}
	}
	// A camera's own address with credentials in it is refused, not stored.
	status, _ := c.call("POST", "/api/v1/cameras", map[string]any{"id": "inline", "place_id": "counter", "name": "x", "url": "rtsp://admin:inl1ne-secret@127.0.0.1/x", "enabled": true})
	if status != 422 {
		t.Errorf("a URL with credentials: %d, want 422", status)
	}
	c.must(200, "GET", "/api/v1/cameras", nil, nil)
	s.terminate()
	for what, text := range map[string]string{"log": s.log.String(), "output": s.out.String(), "API": c.seen.String()} {
		for _, secret := range []string{right, wrong, "inl1ne-secret"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s shows a camera's password", what)
			}
		}
	}
	s.fsck()
}
