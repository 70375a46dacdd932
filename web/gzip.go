package web

import (
	"compress/gzip"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// gzipped compresses an operation's answers for clients that take it. It is
// for long lists without secrets.
func gzipped(op huma.Operation) huma.Operation {
	var idle sync.Pool // of *gzip.Writer: each is most of a megabyte
	op.Middlewares = append(op.Middlewares, func(hc huma.Context, next func(huma.Context)) {
		c := humaecho.Unwrap(hc)
		if !strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
			next(hc)
			return
		}
		out := c.Response()
		plain := out.Writer
		z := &gzipWriter{ResponseWriter: plain, idle: &idle}
		out.Writer = z
		defer func() { out.Writer = plain }()
		next(hc)
		z.close()
	})
	return op
}

// gzipWriter compresses a body, if there is one.
type gzipWriter struct {
	http.ResponseWriter
	idle *sync.Pool
	z    *gzip.Writer
}

// WriteHeader says how the body is coded.
func (g *gzipWriter) WriteHeader(status int) {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h := g.Header()
		h.Del("Content-Length")
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		if g.z, _ = g.idle.Get().(*gzip.Writer); g.z != nil {
			g.z.Reset(g.ResponseWriter)
		} else {
			g.z, _ = gzip.NewWriterLevel(g.ResponseWriter, gzip.BestSpeed) // a valid level
		}
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g *gzipWriter) Write(b []byte) (int, error) {
	if g.z == nil {
		g.WriteHeader(http.StatusOK)
	}
	return g.z.Write(b)
}

func (g *gzipWriter) close() {
	if g.z != nil {
		_ = g.z.Close() // the client may be gone
		g.idle.Put(g.z)
	}
}

// Unwrap lets http.ResponseController through.
func (g *gzipWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }
