package objects_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
)

// between puts a proxy in front of s that counts what is read back, and with
// forget keeps the server's checksums to itself.
func between(t *testing.T, s testserver.S3, forget bool) (objects.S3Config, *atomic.Int64) {
	t.Helper()
	read := new(atomic.Int64)
	target := &url.URL{Scheme: "http", Host: s.Endpoint}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // it is signed
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method == http.MethodGet {
				read.Add(r.ContentLength)
			}
			for name := range r.Header {
				if forget && strings.HasPrefix(name, "X-Amz-Checksum") {
					r.Header.Del(name)
				}
			}
			return nil
		},
	}
	srv := httptest.NewServer(proxy)
	t.Cleanup(srv.Close)
	s.Endpoint = srv.Listener.Addr().String()
	return config(s, "between"), read
}

// A server that tells the SHA-256 of what it has is asked; one that does not
// is read back, every byte.
func TestAServerIsAskedOrReadBack(t *testing.T) {
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			s := start(t).S3
			for _, forgets := range []bool{false, true} {
				cfg, read := between(t, s, forgets)
				o, err := objects.OpenS3(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				from := folder(t)
				want := int64(0)
				for i := range 3 {
					f := kept(t, from, fmt.Sprint(i), bytes.Repeat([]byte{byte(i)}, 1<<20))
					if err := objects.Keep(t.Context(), o, fmt.Sprintf("v1/%v/%d", forgets, i), f); err != nil {
						t.Fatal(err)
					}
					if forgets {
						want += f.Size
					}
				}
				if got := read.Load(); got != want {
					t.Errorf("forgets %v: %d bytes were read back, want %d", forgets, got, want)
				}
			}
		})
	}
}

// parrot is a small S3 server that looks at nothing: it flips a bit of what it
// is sent, and repeats the SHA-256 that it was told.
type parrot struct {
	honest bool       // it flips nothing
	status int        // of the answer to what is put below v1/probe, if any
	code   string     // of that
	mu     sync.Mutex // guards the rest
	has    map[string][]byte
	told   map[string]string
}

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	b, is := p.has[key]
	switch {
	case r.Method == http.MethodHead && key == "":
	case r.Method == http.MethodGet && key == "": // list the versions of one
		fmt.Fprint(w, "<ListVersionsResult>")
		if key = r.URL.Query().Get("prefix"); p.has[key] != nil {
			fmt.Fprintf(w, "<Version><Key>%s</Key><VersionId>null</VersionId></Version>", key)
		}
		fmt.Fprint(w, "</ListVersionsResult>")
	case r.Method == http.MethodPut && p.status != 0 && strings.HasPrefix(key, "v1/probe/"):
		w.WriteHeader(p.status)
		fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", p.code)
	case r.Method == http.MethodPut:
		b, err := io.ReadAll(r.Body)
		if err != nil || len(b) == 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if !p.honest {
			b[0] ^= 1
		}
		p.has[key], p.told[key] = b, r.Header.Get("X-Amz-Checksum-Sha256")
	case r.Method == http.MethodDelete:
		delete(p.has, key)
		w.WriteHeader(http.StatusNoContent)
	case !is:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("X-Amz-Checksum-Sha256", p.told[key])
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 00:00:00 GMT")
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		_, _ = w.Write(b) // the client may have gone
	}
}

// open starts the server.
func (p *parrot) open(t *testing.T) objects.Objects {
	t.Helper()
	p.has, p.told = map[string][]byte{}, map[string]string{}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	o, err := objects.OpenS3(t.Context(), objects.S3Config{Endpoint: srv.Listener.Addr().String(), Bucket: "parrot", AccessKey: "key", SecretKey: "a-secret"})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// A server that refuses the object which it is tried with for another reason
// is read back; one that is out of order says nothing yet.
func TestAServerThatRefusesTheTrialIsReadBack(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		keeps  bool
	}{
		{http.StatusForbidden, "AccessDenied", true},
		{http.StatusForbidden, "SignatureDoesNotMatch", true},
		{http.StatusBadRequest, "InvalidRequest", true},
		{http.StatusInternalServerError, "InternalError", false},
	} {
		t.Run(c.code, func(t *testing.T) {
			p := &parrot{honest: true, status: c.status, code: c.code}
			o := p.open(t)
			f := kept(t, folder(t), "file", []byte("a recording"))
			if err := objects.Keep(t.Context(), o, "v1/a", f); (err == nil) != c.keeps {
				t.Fatalf("keep: %v", err)
			}
			p.mu.Lock()
			p.has["v1/a"] = []byte("A RECORDING")
			p.mu.Unlock()
			if err := objects.Verify(t.Context(), o, "v1/a", f.Size, f.SHA256); errors.Is(err, objects.ErrDiffers) != c.keeps || err == nil {
				t.Errorf("verify: %v", err)
			}
		})
	}
}

// A file that is another than its SHA-256 says leaves no object, also on a
// server that would have taken it.
func TestAFileThatDiffersLeavesNoObject(t *testing.T) {
	p := &parrot{honest: true}
	o := p.open(t)
	f := kept(t, folder(t), "file", []byte("a recording"))
	f.SHA256[0] ^= 1
	wantError(t, "keep", objects.Keep(t.Context(), o, "v1/a", f), objects.ErrDiffers)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.has) != 0 {
		t.Errorf("it has %d objects, want none", len(p.has))
	}
}

// What a server says that would take anything is not believed.
func TestAServerThatChecksNothingIsReadBack(t *testing.T) {
	p := &parrot{}
	o := p.open(t)
	f := kept(t, folder(t), "file", []byte("a recording"))
	wantError(t, "keep", objects.Keep(t.Context(), o, "v1/a", f), objects.ErrDiffers)
	wantError(t, "verify", objects.Verify(t.Context(), o, "v1/a", f.Size, f.SHA256), objects.ErrDiffers)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.has) != 1 {
		t.Errorf("it has %d objects, want the one", len(p.has))
	}
}
