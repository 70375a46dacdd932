package web_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
	"wardwatch/web"
)

// TestProbeUsesTheStoredPassword: where the camera is, and nowhere else; and
// only for whoever may manage it.
func TestProbeUsesTheStoredPassword(t *testing.T) {
	w := newWorld(t)
	cams := testcam.Play(t, simcam.Camera{Path: "1", User: "u", Password: "secret-password"})
	trap := testcam.Play(t, simcam.Camera{Path: "1", User: "u", Password: "secret-password"})
	w.web.Fleet = &ingest.Fleet{Store: w.store, Spool: w.spool}
	w.serve()
	c := w.as(w.user(ward.Operator, "own"))
	stored := w.newCamera()
	stored.URL = cams.URL("1")
	must(t, w.store.UpdateCamera(t.Context(), stored))
	ask := m{"camera_id": stored.ID, "url": stored.URL, "user": "u", "transport": "tcp"}
	r := c.do(http.MethodPost, "/api/v1/cameras/probe", ask).want(200, "")
	if got := into[ingest.ProbeReport](r); !got.OK || got.Video == nil || got.Video.Width != 320 {
		t.Fatalf("%s", r.body)
	}
	if bytes.Contains(r.body, []byte("secret-password")) || bytes.Contains(r.body, []byte(":null")) {
		t.Errorf("%s", r.body)
	}
	ask["url"] = trap.URL("1")
	c.do(http.MethodPost, "/api/v1/cameras/probe", ask).want(422, "camera.password_again")
	ask["url"], ask["sub_url"] = stored.URL, trap.URL("1")
	c.do(http.MethodPost, "/api/v1/cameras/probe/live", ask).want(422, "camera.password_again")
	if n := len(trap.Requests("1")); n > 0 {
		t.Errorf("%d requests reached the other server", n)
	}
	delete(ask, "sub_url")
	w.as(w.user(ward.Operator, "other")).do(http.MethodPost, "/api/v1/cameras/probe", ask).want(422, "camera.unknown")
	ask["url"] = "rtsp://u:secret-password@192.0.2.1/1"
	c.do(http.MethodPost, "/api/v1/cameras/probe", ask).want(422, "camera.url_credentials")
	if strings.Contains(w.log.String(), "secret-password") {
		t.Error("the password is in the log")
	}
}

// TestProbeIsWatched reads the steps line by line, and meets the limit.
func TestProbeIsWatched(t *testing.T) {
	w := newWorld(t)
	w.web.Fleet = &ingest.Fleet{Store: w.store, Spool: w.spool, Guard: &ingest.Guard{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}}
	w.serve()
	c := w.as(w.user(ward.Operator, "own"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	r := c.do(http.MethodPost, "/api/v1/cameras/probe/live", m{"url": "rtsp://" + l.Addr().String() + "/1"}).want(200, "")
	lines := strings.Split(strings.TrimSpace(string(r.body)), "\n")
	if len(lines) != 2 || r.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("%s", r.body)
	}
	var step, end web.ProbeEvent
	must(t, json.Unmarshal([]byte(lines[0]), &step))
	must(t, json.Unmarshal([]byte(lines[1]), &end))
	if step.Step == nil || step.Step.Step != "connect" || step.Step.OK || end.Report == nil || end.Report.OK {
		t.Errorf("%s", r.body)
	}
	for range 19 {
		c.do(http.MethodPost, "/api/v1/cameras/probe", m{"url": "rtsp://169.254.169.254/"}).want(200, "")
	}
	c.do(http.MethodPost, "/api/v1/cameras/probe", m{"url": "rtsp://169.254.169.254/"}).want(429, "too_many")
	w.as(w.user(ward.Operator, "own")).do(http.MethodPost, "/api/v1/cameras/probe", m{"url": "rtsp://169.254.169.254/"}).want(200, "")
}
