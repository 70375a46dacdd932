package ingest_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"wardwatch/internal/testserver"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// A bit that falls over on the spool's disk is found before the store has the
// recording, and what the store has is never the wrong bytes.
func TestAFlippedBitOfTheSpoolIsFound(t *testing.T) {
	t.Parallel()
	a := newArchive(t, t.TempDir(), spool.Options{Reserve: -1}, nil)
	a.s3.Set(testserver.Cuts)
	g := a.put(t, "cam-1", 0, 1<<20)
	f, err := a.spool.Open(spool.Of(g))
	if err != nil {
		t.Fatal(err)
	}
	path := f.Name()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	flip := func() {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 8
		if err := os.WriteFile(path, b, 0); err != nil {
			t.Fatal(err)
		}
	}
	flip()
	a.s3.Set(testserver.Works)
	other := a.put(t, "cam-2", 0, 1<<20)
	until(t, "the other is archived", time.Minute, func() bool {
		now, err := a.store.Segment(t.Context(), other.ID)
		return err == nil && now.State == ward.Archived
	})
	before := a.upload.Stats().Failures
	until(t, "the flipped one is refused again", time.Minute, func() bool { return a.upload.Stats().Failures >= before+2 })
	if _, err := a.objs.Stat(t.Context(), g.Key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the store took it: %v", err)
	}
	if s := a.upload.Stats(); !s.Down.IsZero() {
		t.Errorf("the store counts as down: %v", s.Err)
	}
	flip()
	until(t, "it is archived once it is whole", time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	a.whole(t, "cam-1", "cam-2")
}
