package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"wardwatch/ward"
)

// Part is something that must work for the whole to be ready. Check returns
// nil or an error; a *ward.Error's text is shown.
type Part struct {
	Name  string
	Check func(context.Context) error
}

// Readiness is the answer of /readyz.
type Readiness struct {
	Ready bool         `json:"ready"`
	Parts []PartStatus `json:"parts"`
}

// PartStatus is the state of one part.
type PartStatus struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Code string `json:"code,omitempty"`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// partTimeout bounds the check of one part.
const partTimeout = 5 * time.Second

const (
	// probeKey is the object that readiness writes and deletes again.
	probeKey = "v1/probe/ready"
	// probeEvery bounds how often: anybody may ask /readyz.
	probeEvery = 10 * time.Second
)

// probe remembers how writing an object went.
type probe struct {
	mu  sync.Mutex // guards the rest, and is held while it writes
	at  time.Time
	err error
}

func (s *Server) systemRoutes(r *routes) {
	if s.Registry == nil {
		s.Registry = newRegistry()
	}
	r.plain(http.MethodGet, "/healthz", anyone(), func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]string{"status": "ok"})
	})
	r.plain(http.MethodGet, "/readyz", anyone(), s.ready)
	r.plain(http.MethodGet, "/metrics", anyone(), s.serveMetrics())
	r.plain(http.MethodGet, "/openapi.json", anyone(), func(w http.ResponseWriter, req *http.Request) {
		doc, err := r.document()
		if err != nil {
			writeProblem(w, s.problem(req.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc) // the client may be gone
	})
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	parts := append([]Part{
		{"database", s.Store.Ping},
		{"objects", s.probeObjects},
	}, s.Ready...)
	out := Readiness{Ready: true}
	for _, p := range parts {
		st := s.check(r.Context(), p)
		out.Ready = out.Ready && st.OK
		out.Parts = append(out.Parts, st)
	}
	w.Header().Set("Content-Type", "application/json")
	if !out.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	writeJSON(w, out)
}

func (s *Server) check(ctx context.Context, p Part) PartStatus {
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	err := p.Check(ctx)
	if err == nil {
		return PartStatus{Name: p.Name, OK: true, ZH: "正常", EN: "ok"}
	}
	s.Log.WarnContext(ctx, "part not ready", "part", p.Name, "error", err)
	if e, ok := errors.AsType[*ward.Error](err); ok {
		return PartStatus{Name: p.Name, Code: e.Code, ZH: e.ZH, EN: e.EN}
	}
	return PartStatus{Name: p.Name, Code: p.Name + ".down", ZH: "不可用，详见日志。", EN: "Not working; see the log."}
}

// probeObjects writes a small object, which also finds a full or read-only store.
func (s *Server) probeObjects(ctx context.Context) error {
	p := &s.probe
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := s.now(); now.Sub(p.at) >= probeEvery {
		b := []byte("wardwatch\n")
		p.at, p.err = now, s.Objects.Put(ctx, probeKey, bytes.NewReader(b), int64(len(b)))
		if p.err == nil {
			p.err = s.Objects.Delete(ctx, probeKey)
		}
		if errors.Is(p.err, &ward.Error{Code: "objects.locked"}) {
			p.err = nil // the store protects what was written: it was written
		}
	}
	return p.err
}
