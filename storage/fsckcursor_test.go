package storage_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
)

// A check that is broken off anywhere goes on where it was, and finds in the
// end what one check in one go finds.
func TestFsckGoesOnWhereItWasBrokenOff(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		withCase(t, w)
		segs := segmentsOf(t, w, w.Camera)
		w.Tamper(segs[0].Key, func(b []byte) []byte { return append(b, 'x') })
		w.Exec(`UPDATE segment SET codec = 'h265' WHERE id = $1`, segs[1].ID)
		w.Exec(`UPDATE log_hash SET h = $1 WHERE pos = 2`, make([]byte, 32))
		whole := check(t, w)
		if len(whole.Problems) < 3 {
			t.Fatalf("got %+v", whole.Problems)
		}
		cursor := filepath.Join(t.TempDir(), "fsck.json")
		looked, breaks := 0, 0
		var r storage.FsckReport
		for {
			ctx, stop := context.WithCancel(t.Context())
			here := 0
			var err error
			r, err = w.Store.Fsck(ctx, w.Media, storage.FsckOptions{Cursor: cursor, Progress: func(storage.FsckProgress) {
				looked++
				if here++; here == 7 {
					stop() // as a signal would, in the middle of any step
				}
			}})
			stop()
			if err == nil {
				break
			}
			if breaks++; breaks > 100 {
				t.Fatalf("it makes no headway: %v", err)
			}
		}
		if breaks < 3 || !r.Resumed {
			t.Errorf("it was broken off %d times, resumed %v", breaks, r.Resumed)
		}
		if !slices.Equal(where(r), where(whole)) || r.Leaves != whole.Leaves || r.Signed != whole.Signed || r.Segments != whole.Segments || r.Objects != whole.Objects || r.Rows != whole.Rows {
			t.Errorf("in pieces: %+v\nin one go: %+v", r, whole)
		}
		if _, err := os.Stat(cursor); !os.IsNotExist(err) {
			t.Errorf("the note of how far it came is still there: %v", err)
		}
	})
}

func TestFsckBeginsAnewWhenTold(t *testing.T) {
	w := testcase.SQLite(t)
	cursor := filepath.Join(t.TempDir(), "fsck.json")
	ctx, stop := context.WithCancel(t.Context())
	_, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{Cursor: cursor, Progress: func(p storage.FsckProgress) {
		if p.Step == "recordings" {
			stop()
		}
	}})
	if err == nil {
		t.Fatal("it was not broken off")
	}
	first := ""
	r, err := w.Store.Fsck(t.Context(), w.Media, storage.FsckOptions{Cursor: cursor, Restart: true, Progress: func(p storage.FsckProgress) {
		if first == "" {
			first = p.Step
		}
	}})
	if err != nil || r.Resumed || first != "ledger" {
		t.Errorf("got %+v, %v, first step %q", r, err, first)
	}
}
