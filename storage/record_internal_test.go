package storage

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"wardwatch/internal/testserver"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// Events that waited share a transaction; one that cannot be recorded, or that
// nobody waits for any more, keeps none of the others.
func TestEventsThatWaitAreRecordedTogether(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { recordTogether(t, filepath.Join(t.TempDir(), "catalogue.db")) })
	t.Run("postgres", func(t *testing.T) { recordTogether(t, testserver.Postgres(t)) })
}

func recordTogether(t *testing.T, database string) {
	s, err := Migrate(t.Context(), Options{Database: database, Keys: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.write.ExecContext(t.Context(), `CREATE UNIQUE INDEX only_one_bad ON custody (action) WHERE object = 'bad'`); err != nil {
		t.Fatal(err)
	}
	record := func(ctx context.Context, id ward.CaseID, object string) error {
		return s.Record(ctx, ward.Custody{CaseID: id, Actor: "u", Role: ward.Inspector, Action: ward.ActionView, Object: object})
	}
	if err := record(t.Context(), "c0", "bad"); err != nil {
		t.Fatal(err)
	}
	const events = 300 // more than two transactions hold
	for _, object := range []string{"good", "bad"} {
		gone, leave := context.WithCancel(t.Context())
		errs := make([]error, events)
		var all sync.WaitGroup
		s.events.turn <- struct{}{}
		for i := range events {
			all.Go(func() {
				ctx, o := t.Context(), "good"
				switch i {
				case 7:
					o = object
				case 8:
					ctx = gone
				}
				errs[i] = record(ctx, ward.CaseID(fmt.Sprint("c", i%3)), o)
			})
		}
		for waiting := 0; waiting < events; runtime.Gosched() {
			s.events.mu.Lock()
			waiting = len(s.events.waiting)
			s.events.mu.Unlock()
		}
		leave()
		<-s.events.turn
		all.Wait()
		for i, err := range errs {
			failed := i == 8 || i == 7 && object == "bad"
			if (err != nil) != failed || i == 8 && !errors.Is(err, context.Canceled) {
				t.Errorf("event %d: %v", i, err)
			}
		}
	}
	var rows, moments, leaves, hashes int64
	const count = `SELECT (SELECT COUNT(*) FROM custody), (SELECT COUNT(DISTINCT at_us) FROM custody), (SELECT COUNT(*) FROM log_entry), (SELECT COUNT(*) FROM log_hash)`
	if err := s.read.QueryRowContext(t.Context(), count).Scan(&rows, &moments, &leaves, &hashes); err != nil {
		t.Fatal(err)
	}
	if want := int64(1 + events - 1 + events - 2); rows != want || leaves != want {
		t.Errorf("%d rows and %d leaves, want %d", rows, leaves, want)
	}
	// Of 300 good ones 3 transactions; with a bad one its batch one by one.
	if moments > 1+3+2+mostAtOnce {
		t.Errorf("%d transactions", moments)
	}
	if _, size, err := s.Checkpoint(t.Context()); err != nil || size != leaves {
		t.Errorf("a checkpoint of %d leaves, %v", size, err)
	}
	for c, want := range map[ward.CaseID]int{"c0": 201, "c1": 199, "c2": 198} {
		chain, err := s.Custody(t.Context(), c)
		if err != nil || len(chain) != want || chain[want-1].Seq != int64(want) {
			t.Errorf("%s: %d events, want %d: %v", c, len(chain), want, err)
		}
	}
	dir, err := objects.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(dir.Close(), sp.Close()) }()
	if found, err := s.Fsck(t.Context(), Media{Objects: dir, Spool: sp}, FsckOptions{}); err != nil || len(found.Problems) > 0 || found.Leaves != leaves {
		t.Errorf("%+v, %v", found, err)
	}
}
