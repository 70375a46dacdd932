package ledger_test

import (
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	_ "modernc.org/sqlite"
	"pgregory.net/rapid"

	"wardwatch/internal/testserver"
	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

func key(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	k, err := ledger.OpenKey(filepath.Join(t.TempDir(), "ledger.key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// Another implementation must agree with every proof of every small tree.
func TestProofsAgreeWithTransparencyDev(t *testing.T) {
	for engine, open := range map[string]func() (string, string){
		"sqlite":   func() (string, string) { return "sqlite", filepath.Join(t.TempDir(), "l.db") },
		"postgres": func() (string, string) { return "pgx", testserver.Postgres(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			driver, dsn := open()
			db, err := sql.Open(driver, dsn)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, q := range []string{
				`CREATE TABLE log_entry (idx BIGINT PRIMARY KEY, leaf BYTEA NOT NULL)`,
				`CREATE TABLE log_hash (pos BIGINT PRIMARY KEY, h BYTEA NOT NULL)`,
			} {
				if _, err := db.ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			k := key(t)
			var leaves [][]byte
			for n := range int64(40) {
				_, leaf, err := ledger.Record("segment", fmt.Sprint("s", n), time.Unix(1, 0), map[string]int64{"n": n})
				if err != nil {
					t.Fatal(err)
				}
				if got, err := ledgerdb.Append(t.Context(), db, leaf); err != nil || got != n {
					t.Fatal(got, err)
				}
				leaves = append(leaves, leaf)
				root, err := tlog.TreeHash(n+1, ledgerdb.Reader(t.Context(), db))
				if err != nil {
					t.Fatal(err)
				}
				signed, err := ledger.Checkpoint{Log: ledger.Origin(public(k)), Size: n + 1, Root: root}.Sign(k)
				if err != nil {
					t.Fatal(err)
				}
				for i := range n + 1 {
					agree(t, db, i, n+1, signed, leaves[i], public(k))
				}
			}
		})
	}
}

func agree(t *testing.T, db *sql.DB, i, size int64, signed string, leaf []byte, pub ed25519.PublicKey) {
	t.Helper()
	p, err := ledgerdb.Prove(t.Context(), db, i, size, signed)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ledger.ParseProof(p.String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := ledger.OpenCheckpoint(back.Checkpoint, pub)
	if err != nil {
		t.Fatal(err)
	}
	if err := back.Check(leaf, c); err != nil {
		t.Errorf("ours: leaf %d of %d: %v", i, size, err)
	}
	var path [][]byte
	for _, h := range back.Hashes {
		path = append(path, h[:])
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(i), uint64(size), rfc6962.DefaultHasher.HashLeaf(leaf), path, c.Root[:]); err != nil {
		t.Errorf("theirs: leaf %d of %d: %v", i, size, err)
	}
	if back.Check(append(leaf, ' '), c) == nil {
		t.Errorf("leaf %d of %d: another leaf is accepted", i, size)
	}
}

func TestCheckpointHasOneForm(t *testing.T) {
	k := key(t)
	signed, err := ledger.Checkpoint{Log: ledger.Origin(public(k)), Size: 7, Root: tlog.RecordHash([]byte("x"))}.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ledger.OpenCheckpoint(signed, public(k)); err != nil || c.Size != 7 {
		t.Fatal(c, err)
	}
	v, err := note.NewVerifier(ledger.Verifier(ledger.Origin(public(k)), public(k)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(signed), note.VerifierList(v)); err != nil {
		t.Fatal(err)
	}
	for i := range signed {
		for bit := range 8 {
			bad := []byte(signed)
			bad[i] ^= 1 << bit
			if _, err := ledger.OpenCheckpoint(string(bad), public(k)); err == nil {
				t.Errorf("byte %d bit %d of %q: accepted", i, bit, signed)
			}
		}
	}
	if _, err := ledger.OpenCheckpoint(signed, public(key(t))); err == nil {
		t.Error("another key: accepted")
	}
	if _, err := ledger.OpenCheckpoint(signed+"— other/witness AAAA\n", public(k)); err == nil {
		t.Error("another line: accepted")
	}
}

func TestProofRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := ledger.Proof{Index: rapid.Int64Min(0).Draw(t, "index"), Checkpoint: rapid.String().Draw(t, "note")}
		for range rapid.IntRange(0, 40).Draw(t, "hashes") {
			p.Hashes = append(p.Hashes, tlog.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash")))
		}
		back, err := ledger.ParseProof(p.String())
		if err != nil || back.String() != p.String() || back.Checkpoint != p.Checkpoint {
			t.Fatalf("%v: %q", err, p.String())
		}
	})
}

func TestKeyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "k")
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range 16 { // many processes that start together get one key
		wg.Go(func() {
			b, err := ledger.SecretFile(path, 32)
			if err != nil || len(b) != 32 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[string(b)] = true
		})
	}
	wg.Wait()
	if len(seen) != 1 {
		t.Errorf("%d different keys", len(seen))
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode: %v, %v", info, err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.OpenKey(path); !errors.Is(err, &ward.Error{Code: "keys.ledger"}) {
		t.Errorf("damaged: %v", err)
	}
	if _, err := ledger.SecretFile(filepath.Join(dir, "no", "k"), 32); err == nil || !strings.Contains(err.Error(), "key file") {
		t.Errorf("no folder: %v", err)
	}
}

func TestCosignature(t *testing.T) {
	log, k := key(t), key(t)
	signed, err := ledger.Checkpoint{Log: ledger.Origin(public(log)), Size: 7, Root: tlog.RecordHash([]byte("x"))}.Sign(log)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ledger.ParseWitness(ledger.Witness{Name: "w.example", Key: public(k)}.String())
	if err != nil {
		t.Fatal(err)
	}
	when := time.Unix(1_700_000_000, 999).UTC()
	line, err := ledger.Cosign(signed, "w.example", k, when)
	if err != nil {
		t.Fatal(err)
	}
	if at, err := w.CheckCosignature(signed, line); err != nil || at != when.Truncate(time.Second) {
		t.Fatal(at, err)
	}
	if c, err := ledger.OpenSigned(signed+line, ledger.Verifier(ledger.Origin(public(log)), public(log))); err != nil || c.Size != 7 {
		t.Error(c, err)
	}
	for i := range line {
		bad := []byte(line)
		bad[i] ^= 1
		if _, err := w.CheckCosignature(signed, string(bad)); err == nil {
			t.Errorf("byte %d of %q: accepted", i, line)
		}
	}
	text, _ := ledger.Text(signed)
	for i := range text {
		bad := []byte(signed)
		bad[i] ^= 1
		if _, err := w.CheckCosignature(string(bad), line); err == nil {
			t.Errorf("byte %d of the checkpoint: accepted", i)
		}
	}
	if _, err := (ledger.Witness{Name: "w.example", Key: public(log)}).CheckCosignature(signed, line); err == nil {
		t.Error("another key: accepted")
	}
	for _, bad := range []string{"", "w", "w+0+0", w.String() + "A", "x" + w.String(), ledger.Verifier(ledger.Origin(public(k)), public(k))} {
		if _, err := ledger.ParseWitness(bad); err == nil {
			t.Errorf("%q is a witness's key", bad)
		}
	}
}
