package testserver

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// FaultMode is what a FaultyS3 does to requests.
type FaultMode int

// The modes.
const (
	Works      FaultMode = iota
	Cuts                 // every connection is cut at once, as if nobody listened
	Answers5xx           // 503 to everything
	Truncates            // the first half of a PUT's body arrives, then the connection is cut
	Lies                 // a PUT is answered with 200, and nothing is stored
	Crawls               // 200 kB/s for all uploads together
)

// crawl is the pace of Crawls, in bytes a second.
const crawl = 200_000

// FaultyS3 is a proxy in front of an S3 server.
type FaultyS3 struct {
	S3 // with the proxy's endpoint

	Mode atomic.Int32 // a FaultMode
	Sent atomic.Int64 // bytes of PUT bodies that passed
	mu   sync.Mutex   // held while a crawling piece passes
}

// Faulty puts a proxy in front of s for this test.
func Faulty(t testing.TB, s S3) *FaultyS3 {
	t.Helper()
	f := &FaultyS3{S3: s}
	target, err := url.Parse("http://" + s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { cutConnection(w) },
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, proxy) }))
	t.Cleanup(srv.Close)
	f.Endpoint = srv.Listener.Addr().String()
	return f
}

// Set changes what happens to requests from now on, those under way included.
func (f *FaultyS3) Set(m FaultMode) { f.Mode.Store(int32(m)) } //nolint:gosec // a small number

func (f *FaultyS3) serve(w http.ResponseWriter, r *http.Request, proxy http.Handler) {
	switch FaultMode(f.Mode.Load()) {
	case Cuts:
		cutConnection(w)
		return
	case Answers5xx:
		http.Error(w, "<Error><Code>ServiceUnavailable</Code><Message>down</Message></Error>", http.StatusServiceUnavailable)
		return
	case Lies:
		if r.Method == http.MethodPut {
			_, _ = io.Copy(io.Discard, r.Body) // the client may have gone
			w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)
			return
		}
	case Works, Truncates, Crawls:
	}
	if r.Method == http.MethodPut {
		r.Body = &faultyBody{ReadCloser: r.Body, f: f, half: r.ContentLength / 2}
	}
	proxy.ServeHTTP(w, r)
}

// cutConnection ends the connection without an answer.
func cutConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an orderly end
	}
	_ = conn.Close()
}

// faultyBody is a PUT's body on its way.
type faultyBody struct {
	io.ReadCloser

	f    *FaultyS3
	half int64
	n    int64
}

func (b *faultyBody) Read(p []byte) (int, error) {
	switch FaultMode(b.f.Mode.Load()) {
	case Cuts, Answers5xx, Lies:
		return 0, io.ErrUnexpectedEOF
	case Truncates:
		if b.n >= b.half {
			return 0, io.ErrUnexpectedEOF
		}
	case Crawls:
		p = p[:min(len(p), crawl/20)]
		b.f.mu.Lock()
		time.Sleep(time.Second / 20)
		b.f.mu.Unlock()
	case Works:
	}
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	b.f.Sent.Add(int64(n))
	return n, err
}
