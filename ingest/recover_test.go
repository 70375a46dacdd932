package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// tornSpool is a spool with a recording of four fragments that nobody ended.
func tornSpool(t *testing.T) (sp *spool.Spool, dir, file string, b []byte, x *index) {
	t.Helper()
	dir = t.TempDir()
	sp, err := spool.Open(dir, spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := tinyRecording(t, sp, 120)
	if err := f.file.Sync(); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, f.file.Path())
	if b, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	if x, err = readIndex(bytes.NewReader(b), int64(len(b))); err != nil || len(x.parts) != 4 {
		t.Fatalf("%d fragments, %v, want 4", len(x.parts), err)
	}
	return sp, dir, file, b, x
}

// aside returns what the catalogue and the folder say was put aside.
func aside(t *testing.T, store *storage.Store, dir string) (all [][]byte) {
	t.Helper()
	rows, err := store.Quarantine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range rows {
		b, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(q.MovedTo, "spool/")))
		if sum := sha256.Sum256(b); err != nil || q.SHA256 != hex.EncodeToString(sum[:]) || q.Bytes != int64(len(b)) {
			t.Errorf("%+v: %d bytes, or another hash: %v", q, len(b), err)
		}
		all = append(all, b)
	}
	return all
}

// TestRecoverKeepsWhatFollowsDamage damages one fragment after the other: no
// byte of the others is lost.
func TestRecoverKeepsWhatFollowsDamage(t *testing.T) {
	t.Parallel()
	zero := func(b []byte, from, n int64) { clear(b[from : from+n]) }
	for name, c := range map[string]struct {
		damage func(b []byte, x *index) []byte
		parts  int    // in the committed recording; 0: there is none
		aside  string // "", "all" or "tail"
	}{
		"first picture":       {func(b []byte, x *index) []byte { b[x.parts[1].offset-1] ^= 1; return b }, 0, "all"},
		"beginning":           {func(b []byte, _ *index) []byte { zero(b, 0, 600); return b }, 0, "all"},
		"first fragment torn": {func(b []byte, x *index) []byte { return b[:x.parts[1].offset-1] }, 0, "all"},
		"no fragment":         {func(b []byte, x *index) []byte { return b[:x.parts[0].offset] }, 0, ""},
		"third picture":       {func(b []byte, x *index) []byte { b[x.parts[3].offset-1] ^= 1; return b }, 2, "tail"},
		"third head":          {func(b []byte, x *index) []byte { zero(b, x.parts[2].offset, 100); return b }, 2, "tail"},
		"last picture":        {func(b []byte, x *index) []byte { b[x.size-1] ^= 1; return b }, 3, ""},
		"last torn":           {func(b []byte, x *index) []byte { return b[:x.size-1] }, 3, ""},
		"nothing":             {func(b []byte, _ *index) []byte { return b }, 4, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := knowing(t)
			sp, dir, file, b, x := tornSpool(t)
			b = c.damage(b, x)
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			done, err := Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler))
			if err != nil || done.Unread != 0 {
				t.Fatalf("got %+v, %v", done, err)
			}
			g, err := store.LastSegment(t.Context(), ward.Source{Kind: ward.FromCamera, ID: "cam-1"})
			whole := int64(0)
			if c.parts > 0 {
				whole = x.size
				if c.parts < len(x.parts) {
					whole = x.parts[c.parts].offset
				}
			}
			if c.parts == 0 != (ward.KindOf(err) == ward.NotFound) || g.Bytes != whole || g.Repaired != (c.parts > 0) {
				t.Errorf("committed %d bytes, want %d: %v", g.Bytes, whole, err)
			}
			kept := aside(t, store, dir)
			want := map[string][][]byte{"all": {b}, "tail": {b[whole:]}}[c.aside]
			if !slices.EqualFunc(kept, want, bytes.Equal) || done.Aside != len(want) {
				t.Errorf("%d things are aside, want %s: %+v", len(kept), c.aside, done)
			}
		})
	}
}

// TestRecoverGoesOnAfterABadFile has a file that cannot be read, and one that
// the catalogue refuses: both stay, and the others are recovered.
func TestRecoverGoesOnAfterABadFile(t *testing.T) {
	t.Parallel()
	store := knowing(t)
	sp, _, file, b, _ := tornSpool(t)
	folder := filepath.Dir(file)
	// A folder by a recording's name cannot be read as one, whoever asks.
	for _, name := range []string{"20261122T070000.000000Z-000001.mp4.part", "20261122T071000.000000Z-000002.mp4"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// A finished file that holds half a fragment is nothing to commit.
	if err := os.WriteFile(filepath.Join(folder, "20261122T072000.000000Z-000003.mp4"), b[:len(b)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	var log errorCount
	done, err := Recover(t.Context(), store, sp, slog.New(&log))
	if err != nil || done.Unread != 3 || done.Repaired != 1 || log.Load() != 3 {
		t.Errorf("got %+v, %v, %d lines in the log, want 3 unread and 1 repaired", done, err, log.Load())
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(t.Context(), store, sp, slog.New(&log)); err == nil {
		t.Error("recovered without a catalogue")
	}
}

// TestARepairedFileIsRememberedUntilItsRow dies between repair and row.
func TestARepairedFileIsRememberedUntilItsRow(t *testing.T) {
	t.Parallel()
	store := knowing(t)
	sp, _, _, _, x := tornSpool(t)
	entries, err := sp.Entries()
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	if _, err := sp.Repair(entries[0], x.parts[3].offset); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err = Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		if g, err := store.LastSegment(t.Context(), entries[0].Source); err != nil || !g.Repaired || sp.Repaired(entries[0]) {
			t.Errorf("got %+v, %v, want a repaired segment, and the mark gone", g, err)
		}
	}
}

// largestRead is a file of zeros that notes how much is asked of it at once.
type largestRead struct{ most int }

func (l *largestRead) ReadAt(b []byte, _ int64) (int, error) {
	l.most = max(l.most, len(b))
	clear(b)
	return len(b), nil
}

// TestVerifyReadsInPieces checks a fragment that says it has a gigabyte.
func TestVerifyReadsInPieces(t *testing.T) {
	t.Parallel()
	var r largestRead
	x := &index{parts: []part{{offset: 100}}, size: 1 << 30}
	if err := x.verify(io.NewSectionReader(&r, 0, 100)); err == nil {
		t.Error("a file that ends before its fragment was verified")
	}
	if _, err := sumBetween(&r, 0, 1<<24, 0); err != nil || r.most > pieceSize {
		t.Errorf("%d bytes were read at once, %v", r.most, err)
	}
}
