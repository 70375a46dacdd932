package main_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

// client is an administrator's browser. It remembers every answer.
type client struct {
	t    testing.TB
	s    *service
	http *http.Client
	seen *output
}

// signIn uses the one-time link that the service printed.
func signIn(t testing.TB, s *service) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, s: s, http: &http.Client{Jar: jar, Timeout: 30 * time.Second}, seen: &output{}}
	m := oneTime.FindStringSubmatch(s.out.String())
	if m == nil || m[1] != s.base {
		t.Fatalf("no one-time sign-in for %s in %q", s.base, &s.out)
	}
	c.must(200, "POST", "/api/v1/sign-in", map[string]any{"one_time": m[2]}, nil)
	return c
}

// call sends in as JSON, or as it is when it is bytes, and returns the answer.
func (c *client) call(method, path string, in any, headers ...string) (int, []byte) {
	c.t.Helper()
	var body io.Reader
	kind := "application/json"
	switch v := in.(type) {
	case nil:
	case []byte:
		body, kind = bytes.NewReader(v), http.DetectContentType(v)
		if !strings.HasPrefix(kind, "image/") {
			kind = "image/jpeg" // what a browser says of a file by its name
		}
	default:
		b, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.base+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if in != nil {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	_ = res.Body.Close()
	_, _ = c.seen.Write(b)
	return res.StatusCode, b
}

// must is call with a status that must come and an answer to decode.
func (c *client) must(status int, method, path string, in, out any, headers ...string) {
	c.t.Helper()
	got, b := c.call(method, path, in, headers...)
	if got != status {
		c.t.Fatalf("%s %s: %d, want %d: %s", method, path, got, status, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			c.t.Fatalf("%s %s: %v: %s", method, path, err, b)
		}
	}
}

// refused is call with a problem that must come; it must speak both languages.
func (c *client) refused(status int, code, method, path string, in any, headers ...string) {
	c.t.Helper()
	got, b := c.call(method, path, in, headers...)
	var p struct {
		Code     string `json:"code"`
		Detail   string `json:"detail"`
		DetailZH string `json:"detail_zh"`
	}
	if err := json.Unmarshal(b, &p); err != nil || got != status || p.Code != code || p.Detail == "" || p.DetailZH == "" {
		c.t.Errorf("%s %s: %d %s, want %d %s", method, path, got, b, status, code)
	}
}

// camera is a camera as the API shows it.
type camera struct {
	ID   ward.CameraID `json:"id"`
	Live struct {
		State string     `json:"state"`
		Cause ward.Cause `json:"cause"`
	} `json:"live"`
}

// timeline is what was recorded of a camera.
type timeline struct {
	Segments  []ward.Segment `json:"segments"`
	Gaps      []ward.Gap     `json:"gaps"`
	RecordedS float64        `json:"recorded_s"`
	GapS      float64        `json:"gap_s"`
}

// hospital makes institution h1 with one counter.
func (c *client) hospital() {
	c.t.Helper()
	c.must(201, "POST", "/api/v1/institutions", map[string]any{"id": "h1", "name": "第一医院"}, nil)
	c.must(201, "POST", "/api/v1/places", map[string]any{"id": "counter", "institution_id": "h1", "name": "收费窗口", "kind": ward.Charge}, nil)
}

// addCamera adds a camera over the counter that is recorded in short segments.
func (c *client) addCamera(id, url, user, password string) {
	c.t.Helper()
	c.must(201, "POST", "/api/v1/cameras", map[string]any{
		"id": id, "place_id": "counter", "name": id, "url": url, "user": user, "password": password,
		"transport": ward.TransportTCP, "enabled": true, "segment_seconds": 2, "retention_days": 30,
	}, nil)
}

func (c *client) camera(id string) (v camera) {
	c.t.Helper()
	c.must(200, "GET", "/api/v1/cameras/"+id, nil, &v)
	return v
}

func (c *client) timeline(id string, from, to time.Time) (v timeline) {
	c.t.Helper()
	c.must(200, "GET", "/api/v1/cameras/"+id+"/timeline?"+between(from, to), nil, &v)
	return v
}

// recorded waits until at least n segments of a camera are finished.
func (c *client) recorded(id string, n int, limit time.Duration) timeline {
	c.t.Helper()
	var v timeline
	until(c.t, "segments of "+id, limit, func() bool {
		v = c.timeline(id, time.Now().Add(-time.Hour), time.Now().Add(time.Minute))
		return len(v.Segments) >= n
	})
	return v
}

func between(from, to time.Time) string {
	return "from=" + from.UTC().Format(time.RFC3339Nano) + "&to=" + to.UTC().Format(time.RFC3339Nano)
}
