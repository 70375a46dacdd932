package web

import (
	"compress/gzip"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"
)

// gzipped compresses an operation's answers for clients that take it. It is
// for long lists without secrets.
func gzipped(op huma.Operation) huma.Operation {
	op.Middlewares = append(op.Middlewares, func(hc huma.Context, next func(huma.Context)) {
		c := humaecho.Unwrap(hc)
		if !strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
			next(hc)
			return
		}
		out := c.Response()
		plain := out.Writer
		z := &gzipWriter{ResponseWriter: plain}
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
	z *gzip.Writer
}

// WriteHeader says how the body is coded.
func (g *gzipWriter) WriteHeader(status int) {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h := g.Header()
		h.Del("Content-Length")
		h.Set("Content-Encoding", "gzip")
		h.Add("Vary", "Accept-Encoding")
		g.z, _ = gzip.NewWriterLevel(g.ResponseWriter, gzip.BestSpeed) // a valid level
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
	}
}

// Unwrap lets http.ResponseController through.
func (g *gzipWriter) Unwrap() http.ResponseWriter { return g.ResponseWriter }
