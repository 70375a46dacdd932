package ingest_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

func TestADeadDatabaseDoesNotStopTheRecorder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "catalogue.db")
	store, err := storage.Migrate(t.Context(), storage.Options{Database: file, Keys: filepath.Join(dir, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	addPlace(t, store)
	r := &rig{store: store, logs: newLog()}
	if r.spool, err = spool.Open(filepath.Join(dir, "spool"), spool.Options{Reserve: -1}); err != nil {
		t.Fatal(err)
	}
	r.run(t, nil)
	addCamera(t, store, camera("cam-1", serve(t, h264Clip(t)).url))
	until(t, "a segment", 15*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })

	// Somebody holds the database: nothing can be written for a while.
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(context.Background(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	before := len(r.segments(t, "cam-1"))
	finished := func() (n int) {
		entries, err := r.spool.EntriesOf(src("cam-1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.Start.Before(time.Now().Add(-time.Minute)) {
				n++
			}
		}
		return n
	}
	files := finished()
	until(t, "three more files are begun", 20*time.Second, func() bool { return finished() >= files+3 })
	if got := len(r.segments(t, "cam-1")); got != before {
		t.Errorf("%d rows were written, %d before", got, before)
	}
	if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	until(t, "the rows are there", 20*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= before+3 })
	r.stop()
	checkFiles(t, r, "cam-1")
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	if slices.ContainsFunc(r.gaps(t, "cam-1"), func(g ward.Gap) bool { return g.Cause == ward.CauseSlow }) {
		t.Errorf("the recorder fell behind: %v", r.gaps(t, "cam-1"))
	}
}
