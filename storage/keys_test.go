package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

func grow(t *testing.T, w *testcase.World) (note string, size int64) {
	t.Helper()
	if err := w.Store.Record(t.Context(), ward.Custody{Actor: "u", Role: ward.Inspector, Action: ward.ActionView, Object: "segment/x"}); err != nil {
		t.Fatal(err)
	}
	note, size, err := w.Store.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return note, size
}

func TestKeyIsReplacedWithAnOverlap(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		first := w.Store.PublicKey()
		grow(t, w)
		name := w.Store.Log()
		r, err := w.Store.RotateKey(t.Context(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		w.Reopen()
		if w.Store.PublicKey().Equal(first) || !w.Store.PublicKey().Equal(r.To) || w.Store.Log() != name {
			t.Fatalf("the key or the name of the ledger is not as stated: %+v", r)
		}
		note, size := grow(t, w)
		c, err := ledger.OpenCheckpoint(note, r.To)
		if err != nil || c.Size != size || c.Log != name {
			t.Fatalf("got %+v, %v", c, err)
		}
		published, _, err := w.Store.Published(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range [][]byte{r.From, r.To} { // who only knows the old key reads it too
			if got, err := ledger.OpenSigned(published, ledger.Verifier(name, key)); err != nil || got != c {
				t.Errorf("got %+v, %v", got, err)
			}
		}
		if report := check(t, w); !report.OK() || report.Signed != size {
			t.Fatalf("got %+v", report)
		}
		again, err := w.Store.RotateKey(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		w.Reopen()
		grow(t, w)
		published, _, err = w.Store.Published(t.Context())
		if err != nil || strings.Count(published, "— ") != 1 || !again.From.Equal(r.To) {
			t.Errorf("the overlap is over: %s (%v)", published, err)
		}
		if report := check(t, w); !report.OK() {
			t.Fatalf("got %+v", report)
		}
		w.Exec(`DELETE FROM sealed_record WHERE kind = 'ledger_key' AND ref = $1`, ledger.Fingerprint(r.To))
		if named := where(check(t, w)); !slices.Contains(named, "ledger.rotations/1") {
			t.Errorf("fsck names %v", named)
		}
	})
}

// A replacement that is broken off leaves the old key, or the whole new one.
func TestReplacementSurvivesACrash(t *testing.T) {
	w := testcase.SQLite(t)
	dir, first := w.Options.Keys, w.Store.PublicKey()
	grow(t, w)
	if _, err := ledger.PrepareNext(dir); err != nil { // killed here: nothing was stated
		t.Fatal(err)
	}
	w.Reopen()
	if !w.Store.PublicKey().Equal(first) {
		t.Fatal("a key that nobody stated signs")
	}
	r, err := w.Store.RotateKey(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, back := range [][][2]string{ // killed between the renames
		{{"ledger.key", "ledger.key.next"}, {"ledger.key.old", "ledger.key"}},
		{{"ledger.key", "ledger.key.next"}},
	} {
		for _, step := range back {
			if err := os.Rename(path(step[0]), path(step[1])); err != nil {
				t.Fatal(err)
			}
		}
		w.Reopen()
		if !w.Store.PublicKey().Equal(r.To) {
			t.Fatal("the stated key does not sign")
		}
		if b, err := os.ReadFile(path("ledger.key.old")); err != nil || len(b) != 32 {
			t.Errorf("the former key is lost: %v", err)
		}
		grow(t, w)
	}
	if report := check(t, w); !report.OK() {
		t.Fatalf("got %+v", report.Problems)
	}
	old, err := os.ReadFile(path("ledger.key.old"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path("ledger.key"), old, 0o600); err != nil { // a backup from before
		t.Fatal(err)
	}
	if _, err := storage.Open(t.Context(), w.Options); !errors.Is(err, &ward.Error{Code: "keys.mixed"}) {
		t.Errorf("keys that do not belong together: %v", err)
	}
}
