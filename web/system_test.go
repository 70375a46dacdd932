package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"wardwatch/ward"
	"wardwatch/web"
)

func TestHealthAndReadiness(t *testing.T) {
	w := newWorld(t)
	var broken error
	w.web.Ready = []web.Part{{Name: "vision", Check: func(context.Context) error { return broken }}}
	w.serve()
	c := w.anonymous()
	c.do(http.MethodGet, "/healthz", nil).want(200, "")
	got := into[web.Readiness](c.do(http.MethodGet, "/readyz", nil).want(200, ""))
	if !got.Ready || len(got.Parts) != 3 {
		t.Errorf("got %+v", got)
	}
	broken = &ward.Error{Kind: ward.Unavailable, Code: "vision.none", ZH: "没有视觉进程。", EN: "No vision worker runs.", Err: errors.New("secret internals")}
	r := c.do(http.MethodGet, "/readyz", nil).want(503, "")
	if got = into[web.Readiness](r); got.Ready || got.Parts[2].Code != "vision.none" || got.Parts[2].ZH == "" || strings.Contains(string(r.body), "internals") {
		t.Errorf("got %s", r.body)
	}
	must(t, w.store.Close())
	got = into[web.Readiness](c.do(http.MethodGet, "/readyz", nil).want(503, ""))
	if got.Parts[0].OK || got.Parts[0].Name != "database" {
		t.Errorf("got %+v", got)
	}
	c.do(http.MethodGet, "/healthz", nil).want(200, "")
	r = c.with("Cookie", "wardwatch=x").do(http.MethodGet, "/api/v1/me", nil).want(500, "internal")
	if p := into[web.Problem](r); p.Instance == "" || strings.Contains(string(r.body), "closed") || !strings.Contains(w.log.String(), p.Instance) {
		t.Errorf("got %s", r.body)
	}
}

func TestMetricsAreBoundedAndGuarded(t *testing.T) {
	w := newWorld(t).serve()
	c := w.anonymous()
	c.do(http.MethodGet, "/api/v1/cameras/some-secret-id", nil).want(401, "sign_in.required")
	r := c.do(http.MethodGet, "/metrics", nil).want(200, "")
	if s := string(r.body); !strings.Contains(s, `wardwatch_http_requests_total{method="GET",route="/api/v1/cameras/{id}",status="4xx"} 1`) || strings.Contains(s, "some-secret-id") {
		t.Errorf("got %s", s)
	}
	c.with("X-Forwarded-For", "203.0.113.9").do(http.MethodGet, "/metrics", nil).want(403, "metrics.denied")
	w.web.MetricsToken = "tok"
	c.do(http.MethodGet, "/metrics", nil).want(403, "metrics.denied")
	c.with("Authorization", "Bearer tok").do(http.MethodGet, "/metrics", nil).want(200, "")
}

func TestPagesAndHeaders(t *testing.T) {
	w := newWorld(t)
	w.web.Console = fstest.MapFS{
		"index.html": {Data: []byte("<title>console</title>")}, "assets/a-1234.js": {Data: []byte("1")}, ".gitkeep": {},
	}
	w.serve()
	c := w.anonymous()
	for path, want := range map[string]struct {
		status      int
		body, cache string
	}{
		"/":                  {200, "<title>console</title>", "no-store"},
		"/cases/1":           {200, "<title>console</title>", "no-store"}, // a screen
		"/assets/a-1234.js":  {200, "1", "public, max-age=31536000, immutable"},
		"/assets/gone.js":    {404, "", ""},
		"/.gitkeep":          {200, "<title>console</title>", "no-store"},
		"/../../etc/passwd":  {200, "<title>console</title>", "no-store"},
		"/bedside":           {404, "run make", "no-store"},
		"/api/v1/no/such":    {404, "not_found", "no-store, private"},
		"/%2e%2e/go.mod.txt": {404, "", ""},
	} {
		r := c.do(http.MethodGet, path, nil)
		if r.status != want.status || !strings.Contains(string(r.body), want.body) || r.header.Get("Cache-Control") != want.cache {
			t.Errorf("%s: got %d %q %q", path, r.status, r.header.Get("Cache-Control"), r.body)
		}
		csp := r.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") || r.header.Get("X-Content-Type-Options") != "nosniff" || r.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: got headers %v", path, r.header)
		}
	}
	c.do(http.MethodGet, "/api/v1/no/such?secret=1", nil).want(404, "not_found")
	if strings.Contains(w.log.String(), "secret=1") {
		t.Error("the log holds a query")
	}
}

func TestPhotos(t *testing.T) {
	w := newWorld(t)
	var answer error
	w.web.EnrolPhoto = func(context.Context, []byte) (ward.Template, string, error) {
		return ward.Template{1, 0}, "model", answer
	}
	w.serve()
	c := w.as(w.user(ward.Administrator, "all")).with("Content-Type", "image/jpeg")
	path := "/api/v1/insured/" + string(w.insured.ID) + "/photo"
	for _, code := range []string{"photo.no_face", "photo.many_faces", "photo.broken"} {
		answer = &ward.Error{Kind: ward.Invalid, Code: code, ZH: "照片", EN: "photo"}
		c.do(http.MethodPut, path, []byte("x")).want(422, code)
	}
	answer = nil
	large := into[web.Problem](c.do(http.MethodPut, path, make([]byte, ward.MaxPhoto+1)).want(413, "request.too_large"))
	if !strings.Contains(large.DetailZH, "8 MB") || !strings.Contains(large.DetailEN, "8 MB") {
		t.Errorf("the limit is not said: %+v", large)
	}
	c.do(http.MethodPut, path, make([]byte, ward.MaxPhoto)).want(200, "")
	c.do(http.MethodPut, "/api/v1/insured/nobody/photo", []byte("x")).want(404, "insured.unknown")
	if got := into[ward.Insured](c.do(http.MethodPut, path, []byte("x")).want(200, "")); !got.Enrolled || got.Name != "张*" {
		t.Errorf("got %+v", got)
	}
	c.do(http.MethodPut, path, []byte("x")).want(200, "") // the same photo again
	old := get(t, w.store.Insured, w.insured.ID).PhotoKey
	c.do(http.MethodPut, path, []byte("y")).want(200, "")
	if _, err := w.objects.Stat(t.Context(), old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the replaced photo is still there: %v", err)
	}
}

// TestPhotoLimitIsOne: the console refuses what the service would.
func TestPhotoLimitIsOne(t *testing.T) {
	raw, err := os.ReadFile("console/people/limits.json")
	must(t, err)
	var limits struct {
		PhotoMB int `json:"photo_mb"`
	}
	must(t, json.Unmarshal(raw, &limits))
	if limits.PhotoMB<<20 != ward.MaxPhoto {
		t.Errorf("the console takes photos of %d MB, the service of %d bytes", limits.PhotoMB, ward.MaxPhoto)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	w := newWorld(t)
	w.web.EnrolPhoto = func(context.Context, []byte) (ward.Template, string, error) { panic("secret internals") }
	w.serve()
	c := w.as(w.user(ward.Administrator, "all"))
	r := c.with("Content-Type", "image/jpeg").do(http.MethodPut, "/api/v1/insured/"+string(w.insured.ID)+"/photo", []byte("x")).want(500, "internal")
	if p := into[web.Problem](r); strings.Contains(string(r.body), "secret") || !strings.Contains(w.log.String(), p.Instance) {
		t.Errorf("got %s", r.body)
	}
	c.do(http.MethodGet, "/healthz", nil).want(200, "")
	c.do(http.MethodPost, "/healthz", nil).want(405, "request.method")
}

// TestRunDrains: shutting down ends event streams at once and lets a request
// in flight finish.
func TestRunDrains(t *testing.T) {
	w := newWorld(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.web.Run(ctx, l) }()
	cookie := w.session(w.user(ward.Inspector, "own"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String()+"/api/v1/events", nil)
	must(t, err)
	req.AddCookie(cookie)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	waitFor(t, func() bool { return w.web.Hub.Listeners() == 1 })
	began := time.Now()
	stop()
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(15 * time.Second):
		t.Fatal("did not stop")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
