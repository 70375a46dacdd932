package ledgerdb_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/tlog"
	_ "modernc.org/sqlite"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// leaves fills a ledger of n leaves.
func leaves(t testing.TB, n int64) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "l.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, q := range []string{
		`CREATE TABLE log_entry (idx BIGINT PRIMARY KEY, leaf BYTEA NOT NULL)`,
		`CREATE TABLE log_hash (pos BIGINT PRIMARY KEY, h BYTEA NOT NULL)`,
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if _, err := ledgerdb.Append(t.Context(), tx, fmt.Append(nil, "leaf ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return db
}

// Tessera's client reads our tiles and builds, from them alone, the proofs
// that we build from the rows.
func TestTesseraReadsOurTiles(t *testing.T) {
	const most = 70_000 // three levels of tiles
	db := leaves(t, most)
	r := rand.New(rand.NewPCG(1, 2))
	sizes := []int64{1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, most}
	for range 20 {
		sizes = append(sizes, 1+r.Int64N(most))
	}
	for _, size := range sizes {
		fetched := 0
		fetch := func(ctx context.Context, level, index uint64, p uint8) ([]byte, error) {
			fetched++
			b, err := ledgerdb.Tile(ctx, db, layout.TilePath(level, index, p), size)
			if errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
				err = fs.ErrNotExist
			}
			return b, err
		}
		theirs, err := client.NewProofBuilder(t.Context(), uint64(size), fetch)
		if err != nil {
			t.Fatal(size, err)
		}
		for range 5 {
			i := r.Int64N(size)
			want, err := tlog.ProveRecord(size, i, ledgerdb.Reader(t.Context(), db))
			if err != nil {
				t.Fatal(err)
			}
			got, err := theirs.InclusionProof(t.Context(), uint64(i))
			if err != nil || !slices.EqualFunc(want, got, func(a tlog.Hash, b []byte) bool { return string(a[:]) == string(b) }) {
				t.Fatalf("leaf %d of %d: %d hashes, want %d, %v", i, size, len(got), len(want), err)
			}
		}
		if size > 1 && fetched == 0 {
			t.Error("no tile was asked for")
		}
	}
}

func TestTilesThatAreNotThere(t *testing.T) {
	db := leaves(t, 300)
	for _, path := range []string{
		"tile/0/001", "tile/0/001.p/45", "tile/0/000.p/0", "tile/0/000.p/256", "tile/1/000", "tile/1/000.p/2", "tile/6/000.p/1", "tile/63/000.p/1",
		"tile/-1/000", "tile/data/000", "tile/entries/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000", "tile/00/000", "tile/0/000/", "tile//000", "tile/0/000.p/", "tile/0/000.p/01",
		"tile/8/0/000", "tile/0/x999/x999/x999/x999/x999/x999/999", "tile/0/../0/000", "", "tile", "0/000", "tile/0/000\x00",
	} {
		if b, err := ledgerdb.Tile(t.Context(), db, path, 300); !errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
			t.Errorf("%q: %d bytes, %v", path, len(b), err)
		}
	}
	for path, hashes := range map[string]int{"tile/0/000": 256, "tile/0/001.p/44": 44, "tile/0/000.p/7": 7, "tile/1/000.p/1": 1} {
		if b, err := ledgerdb.Tile(t.Context(), db, path, 300); err != nil || len(b) != 32*hashes {
			t.Errorf("%q: %d bytes, %v", path, len(b), err)
		}
	}
}

func FuzzTilePath(f *testing.F) {
	db := leaves(f, 300)
	f.Add("tile/0/001.p/44")
	f.Add("tile/1/x000/000.p/1")
	f.Fuzz(func(t *testing.T, path string) {
		b, err := ledgerdb.Tile(t.Context(), db, path, 300)
		if err != nil && !errors.Is(err, &ward.Error{Kind: ward.NotFound}) || err == nil && (len(b) == 0 || len(b)%32 != 0 || len(b) > 8192) {
			t.Errorf("%q: %d bytes, %v", path, len(b), err)
		}
	})
}
