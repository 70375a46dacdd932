package storage_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/storage/witness"
	"wardwatch/ward"
)

// TestWitnessesCosign: two witnesses, of which one is away at first, sign a
// growing ledger; then an insider rewrites it with our own key, and no
// witness signs that.
func TestWitnessesCosign(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		c := &storage.Cosigner{Store: w.Store, Client: http.DefaultClient, Every: 10 * time.Millisecond}
		var said bytes.Buffer
		var mu sync.Mutex
		c.Log = slog.New(slog.NewTextHandler(writer(func(b []byte) (int, error) { mu.Lock(); defer mu.Unlock(); return said.Write(b) }), nil))
		logged := func(what string) bool { mu.Lock(); defer mu.Unlock(); return strings.Contains(said.String(), what) }
		away := true
		for _, name := range []string{"one", "two"} {
			pub, key, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			eye, err := witness.Open(filepath.Join(t.TempDir(), "w.json"), name, key, []string{ledger.Verifier(ledger.Origin(w.Store.PublicKey()), w.Store.PublicKey())}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			s := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, req *http.Request) {
				mu.Lock()
				off := name == "two" && away
				mu.Unlock()
				if off {
					res.WriteHeader(http.StatusBadGateway)
					return
				}
				eye.ServeHTTP(res, req)
			}))
			t.Cleanup(s.Close)
			c.Peers = append(c.Peers, witness.Peer{URL: s.URL, Key: ledger.Witness{Name: name, Key: pub}})
		}
		run, stop := context.WithCancel(ctx)
		var all sync.WaitGroup
		all.Go(func() {
			if err := c.Run(run); err != nil {
				t.Error(err)
			}
		})
		defer all.Wait()
		defer stop()

		grow := func() (string, int64) {
			t.Helper()
			if err := w.Store.Record(ctx, ward.Custody{Action: ward.ActionView, Object: "x"}); err != nil {
				t.Fatal(err)
			}
			note, size, err := w.Store.Checkpoint(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return note, size
		}
		until := func(what string, done func() bool) {
			t.Helper()
			for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					mu.Lock()
					defer mu.Unlock()
					t.Fatalf("%s: not within 20 s; log: %s", what, &said)
				}
			}
		}
		cosigned := func(size int64) int {
			t.Helper()
			v, err := w.Store.CosignaturesOf(ctx, size)
			if err != nil {
				t.Fatal(err)
			}
			return len(v)
		}
		_, size := grow()
		until("one signs, two is away", func() bool { return cosigned(size) == 1 && c.Failures()["two"] != nil })
		mu.Lock()
		away = false
		mu.Unlock()
		note, size := grow()
		until("both sign", func() bool { return cosigned(size) == 2 && len(c.Failures()) == 0 })
		v, err := w.Store.Cosignatures(ctx)
		if err != nil || len(v) != 2 {
			t.Fatal(v, err)
		}
		for i, s := range v {
			if at, err := c.Peers[i].Key.CheckCosignature(note, s.Line); err != nil || !at.Equal(s.At) || s.Size != size {
				t.Errorf("%+v: %v, %v", s, at, err)
			}
		}

		// The insider has the database and the key, and makes a whole ledger of
		// the same leaves but one, with checkpoints.
		w.Exec(`DELETE FROM log_checkpoint`)
		relog(t, w, []byte("another"))
		grow()
		until("no witness signs it", func() bool {
			f := c.Failures()
			return f["one"] != nil && f["two"] != nil && logged("another history")
		})
		if _, size, err := w.Store.LastCheckpoint(ctx); err != nil || cosigned(size) != 0 {
			t.Error("the rewritten ledger was cosigned", err)
		}
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }
