package storage_test

import (
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/ward"
)

// faultyS3 spoils one request to S3, or from it on every one that writes.
type faultyS3 struct {
	how string // busy, reset, cut or full
	at  int64  // the request, from 1; 0: none

	method              string       // of the one that was spoiled last
	n, spoiled, objects atomic.Int64 // requests; those that were spoiled; of these, objects that were not written
}

const xmlType = "application/xml"

func (f *faultyS3) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := f.n.Add(1)
		writes := r.Method == http.MethodPut || r.Method == http.MethodPost
		if f.at == 0 || n < f.at || n > f.at && f.how != "full" || f.how == "full" && !writes {
			next.ServeHTTP(w, r)
			return
		}
		f.spoiled.Add(1)
		f.method = r.Method
		if !r.URL.Query().Has("legal-hold") { // which the keeper of holds tries again
			f.objects.Add(1)
		}
		say := func(status int, code string) {
			w.Header().Set("Content-Type", xmlType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>test</Message></Error>`))
		}
		switch f.how {
		case "busy":
			say(http.StatusServiceUnavailable, "SlowDown")
		case "full":
			say(http.StatusInsufficientStorage, "XMinioStorageFull")
		case "cut": // it is done, and half of the answer comes
			whole := httptest.NewRecorder()
			next.ServeHTTP(whole, r)
			maps.Copy(w.Header(), whole.Header())
			b := whole.Body.Bytes()
			if len(b) > 0 {
				w.Header().Set("Content-Length", strconv.Itoa(len(b)))
				w.WriteHeader(whole.Code)
				_, _ = w.Write(b[:len(b)/2])
				_ = http.NewResponseController(w).Flush()
			}
			panic(http.ErrAbortHandler)
		case "reset": // nothing is done
			panic(http.ErrAbortHandler)
		}
	})
}

// TestFaultsOfS3InACase lets requests to a real MinIO fail, one at a time: the
// store is busy, the connection breaks before or after the deed, the bucket is
// full from there on. What that leaves is whole, and is finished by the next.
func TestFaultsOfS3InACase(t *testing.T) { //nolint:tparallel // the first counts the requests of the others
	t.Parallel()
	tries := killsOf(t)
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not for secrets
	fill := inMinIO(t)
	one := func(t *testing.T, w *testcase.World, f *faultyS3) {
		t.Helper()
		d := deskOf(t, w)
		fill(t, &d, w)
		d.between = f.over
		s, m, err := d.open(t.Context(), func() error { return nil })
		if err == nil {
			err = d.work(t.Context(), s, m, slog.New(slog.DiscardHandler))
		}
		if s != nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		want := &ward.Error{Kind: ward.Unavailable} // an upload is sent once, as it comes; a download goes on
		if f.how == "full" {
			want = &ward.Error{Code: "objects.full"}
		}
		if err != nil && !errors.Is(err, want) || err == nil && f.how == "full" && f.objects.Load() > 0 {
			t.Errorf("%d requests were spoiled: %v", f.spoiled.Load(), err)
		}
		if f.how == "busy" && err != nil && f.method != http.MethodPut || f.at == 0 && err != nil {
			t.Errorf("it is not asked again: %v", err)
		}
		d.finish(t, w)
	}
	count := &faultyS3{}
	t.Run("none", func(t *testing.T) { one(t, testcase.SQLite(t), count) })
	for _, how := range []string{"busy", "reset", "cut", "full"} {
		tried := random.Perm(int(count.n.Load()))
		if tries > 0 {
			tried = tried[:tries]
		}
		t.Logf("%s: %d of %d requests", how, len(tried), count.n.Load())
		for _, at := range tried {
			t.Run(how+"/"+strconv.Itoa(at+1), func(t *testing.T) {
				testcase.Each(t, func(t *testing.T, w *testcase.World) { one(t, w, &faultyS3{how: how, at: int64(at + 1)}) })
			})
		}
	}
}
