package storage_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/testtsa"
	"wardwatch/storage"
	"wardwatch/storage/timestamp"
	"wardwatch/storage/timestamp/tsa"
	"wardwatch/ward"
)

// TestStampsAreCaughtUp: the authority is away while the ledger grows, and
// stamps all of it with one token when it is back.
func TestStampsAreCaughtUp(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		auth := testtsa.Start(t)
		auth.Away(true)
		s := &storage.Stamper{Store: w.Store, Authority: tsa.Authority{URL: auth.URL, Roots: auth.Roots}, Client: http.DefaultClient, Every: 60 * time.Millisecond, Log: slog.New(slog.DiscardHandler)}
		run, stop := context.WithCancel(ctx)
		var all sync.WaitGroup
		all.Go(func() {
			if err := s.Run(run); err != nil {
				t.Error(err)
			}
		})
		defer all.Wait()
		defer stop()
		until := func(what string, done func() bool) {
			t.Helper()
			for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%s: not within 20 s", what)
				}
			}
		}
		stamped := func() storage.Stamp {
			v, err := w.Store.LastStamp(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		var note string
		var size int64
		for range 3 {
			var err error
			if err = w.Store.Record(ctx, ward.Custody{Action: ward.ActionView, Object: "x"}); err != nil {
				t.Fatal(err)
			}
			if note, size, err = w.Store.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
		}
		until("it is missed", func() bool { return s.Failure() != nil })
		if v := stamped(); v.Size != 0 {
			t.Fatalf("%+v", v)
		}
		auth.Away(false)
		until("it stamps", func() bool { return stamped().Size == size && s.Failure() == nil })
		v := stamped()
		if at, err := timestamp.Verify(v.Response, []byte(note), auth.Roots); err != nil || !at.Equal(v.At) {
			t.Error(at, v.At, err)
		}
	})
}
