package web

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// contentPolicy: scripts only from here, none inline. Styles may be inline
// because the console's component library writes its own.
const contentPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; " +
	"media-src 'self' blob: mediastream:; connect-src 'self'; font-src 'self' data:; worker-src 'self' blob:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

type requestKey struct{}

// requestID is the id under which a request is logged.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// wrap puts around the routes what holds for every request: an id, security
// headers, refusal of cross-origin writes, metrics and one log line.
func (s *Server) wrap(r *routes) http.Handler {
	csrf := http.NewCrossOriginProtection()
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, newProblem(http.StatusForbidden, "cross_origin", "拒绝跨站请求。", "A page of another site may not do this."))
	}))
	next := csrf.Handler(r.echo)
	m := newMetrics(s.Registry)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began, id := time.Now(), newRequestID()
		ctx := context.WithValue(req.Context(), requestKey{}, id)
		h := w.Header()
		h.Set("X-Request-Id", id)
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		place := "()" // only the bedside may ask where it is
		if strings.HasPrefix(req.URL.Path, "/bedside") {
			place = "(self)"
		}
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation="+place+", payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.secure(req) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(req.URL.Path, v1) {
			h.Set("Cache-Control", "no-store, private")
		}
		out := &countingWriter{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				s.panicked(ctx, out, id, p)
			}
			took := time.Since(began)
			route := r.match(req)
			m.observe(route, req.Method, out.status, took)
			// The path only: a query may hold what a person typed.
			s.Log.InfoContext(ctx, "request", "request_id", id, "method", req.Method, "path", req.URL.Path,
				"status", out.status, "bytes", out.bytes, "took", took)
		}()
		next.ServeHTTP(out, req.WithContext(ctx))
	})
}

// panicked answers 500 when nothing was answered yet, and else breaks the
// connection off, so that nobody takes half an answer for a whole one.
func (s *Server) panicked(ctx context.Context, out *countingWriter, id string, cause any) {
	if cause != http.ErrAbortHandler { //nolint:errorlint // a recovered value, not an error
		s.Log.ErrorContext(ctx, "handler panicked", "request_id", id, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	}
	if out.status != 0 {
		panic(http.ErrAbortHandler)
	}
	p := newProblem(http.StatusInternalServerError, "internal", "系统内部错误，请把编号告知管理员。", "Something went wrong inside; give the id to the administrator.")
	p.Instance = id
	writeProblem(out, p)
}

func newRequestID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	return base32.HexEncoding.EncodeToString(b[:])
}

// countingWriter notes what was answered.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *countingWriter) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *countingWriter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (c *countingWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	writeJSON(w, p)
}

// writeJSON writes v; a client that went away is nobody's error.
func writeJSON(w io.Writer, v any) {
	_ = json.NewEncoder(w).Encode(v)
}
