package ingest_test

import (
	"path/filepath"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// PostgreSQL stops beside a recording camera and comes back: the recording
// goes on in the spool, and then the catalogue is complete, each segment once.
func TestPostgresStoppedBesideACamera(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pg := testserver.NewPostgres(t)
	store, err := storage.Migrate(t.Context(), storage.Options{Database: pg.Database(t), Keys: filepath.Join(dir, "keys")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	a := newArchiveOn(t, store, filepath.Join(dir, "spool"), spool.Options{Reserve: -1}, nil)
	a.run(t, nil)
	addCamera(t, store, camera("cam-1", serve(t, h264Clip(t)).url))
	until(t, "a segment is archived", 30*time.Second, func() bool { return a.upload.Stats().Segments > 0 })
	pg.Stop()
	began := time.Now()
	fresh := func() (n int) {
		entries, err := a.spool.EntriesOf(src("cam-1"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Start.After(began) {
				n++
			}
		}
		return n
	}
	until(t, "three files are begun without a database", 30*time.Second, func() bool { return fresh() >= 3 })
	pg.Start(t)
	until(t, "the catalogue caught up", 30*time.Second, func() bool {
		last, err := store.LastSegment(t.Context(), src("cam-1"))
		return err == nil && last.Start.After(began.Add(4*time.Second))
	})
	a.stop()
	until(t, "everything is archived", 30*time.Second, func() bool { return a.waiting(t).Segments == 0 })
	seen := map[time.Time]bool{}
	for i, g := range a.segments(t, "cam-1") {
		if seen[g.Start] || g.Seq != int64(i+1) {
			t.Errorf("segment %d has number %d, is there twice: %v", i, g.Seq, seen[g.Start])
		}
		seen[g.Start] = true
	}
	a.whole(t, "cam-1")
	checkIdentity(t, a.rig, "cam-1", 500*time.Millisecond)
	for _, g := range a.gaps(t, "cam-1") {
		if g.Cause == ward.CauseSlow || g.Cause == ward.CauseDisk {
			t.Errorf("the outage cost a recording: %+v", g)
		}
	}
}
