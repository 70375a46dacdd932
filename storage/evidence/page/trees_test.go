package page_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/internal/testpage"
	"wardwatch/storage/ledger"
)

// asked is a tree as the page is asked about it.
type asked struct {
	Name     string     `json:"name"`
	Size     int64      `json:"size"`
	Included []included `json:"included"`
	Grown    []grown    `json:"grown"`
}

type included struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Leaf  int64    `json:"leaf"`
	Proof []string `json:"proof"`
	want  bool
}

type grown struct {
	From  int64    `json:"from"`
	Proof []string `json:"proof"`
	want  bool
}

// Ours, the page's and transparency-dev/merkle agree on the root of every tree
// and on what is in it and what it grew from; and on what is not so. 100,000
// trees with `make trees`.
func TestThreeImplementationsAgree(t *testing.T) {
	trees := 1000
	if n, err := strconv.Atoi(os.Getenv("WARDWATCH_TREES")); err == nil {
		trees = n
	}
	p, r := testpage.Start(t), rand.New(rand.NewPCG(uint64(trees), 3))
	const atOnce = 250
	var proofs, refused int
	for done := 0; done < trees; done += atOnce {
		var all []asked
		var roots []string
		for i := range min(atOnce, trees-done) {
			a, root := tree(t, r, fmt.Sprint("tree ", done+i))
			all, roots = append(all, a), append(roots, root)
		}
		var got []struct {
			Root            string
			Included, Grown []bool
		}
		if err := p.Do("trees", all, nil, &got); err != nil {
			t.Fatal(err)
		}
		for i, g := range got {
			if g.Root != roots[i] {
				t.Errorf("%s of %d: the page has another root", all[i].Name, all[i].Size)
			}
			for k, q := range all[i].Included {
				if g.Included[k] != q.want {
					t.Errorf("%s: the page says %v of %+v", all[i].Name, g.Included[k], q)
				}
				proofs++
				if !q.want {
					refused++
				}
			}
			for k, q := range all[i].Grown {
				if g.Grown[k] != q.want {
					t.Errorf("%s of %d: the page says %v of %+v", all[i].Name, all[i].Size, g.Grown[k], q)
				}
				proofs++
				if !q.want {
					refused++
				}
			}
		}
	}
	t.Logf("%d trees; %d proofs, of which %d are refused by all three", trees, proofs, refused)
}

// tree makes one with proofs that hold and proofs that do not, about which
// ours and transparency-dev/merkle agree.
func tree(t *testing.T, r *rand.Rand, name string) (asked, string) {
	t.Helper()
	size := 1 + r.Int64N(1<<r.IntN(10)) // up to 512, small ones more often
	leaf := func(i int64) []byte { return fmt.Append(nil, name, " ", i) }
	var stored []tlog.Hash
	hashes := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	theirs := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i := range size {
		more, err := tlog.StoredHashes(i, leaf(i), hashes)
		must(t, err)
		stored = append(stored, more...)
		must(t, theirs.Append(rfc6962.DefaultHasher.HashLeaf(leaf(i)), nil))
	}
	root, err := tlog.TreeHash(size, hashes)
	must(t, err)
	if other, err := theirs.GetRootHash(nil); err != nil || string(other) != string(root[:]) {
		t.Errorf("%s of %d: two roots, %v", name, size, err)
	}
	a := asked{Name: name, Size: size, Included: []included{}, Grown: []grown{}}
	for range 3 {
		q := included{Index: r.Int64N(size), Size: size}
		path, err := tlog.ProveRecord(size, q.Index, hashes)
		must(t, err)
		q.Leaf = q.Index
		switch r.IntN(6) { // sometimes spoilt
		case 0:
			q.Index = r.Int64N(size)
		case 1:
			q.Size += r.Int64N(3)
		case 2:
			if len(path) > 0 {
				path[r.IntN(len(path))][r.IntN(32)] ^= 1
			}
		}
		q.want = ledger.Proof{Index: q.Index, Hashes: path}.Check(leaf(q.Leaf), ledger.Checkpoint{Size: q.Size, Root: root}) == nil
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(q.Index), uint64(q.Size), rfc6962.DefaultHasher.HashLeaf(leaf(q.Leaf)), lists(path), root[:]); (err == nil) != q.want {
			t.Errorf("%s: theirs %v, ours %v of %+v", name, err, q.want, q)
		}
		q.Proof = texts(path)
		a.Included = append(a.Included, q)
	}
	for range 2 {
		q := grown{From: 1 + r.Int64N(size)}
		path, err := tlog.ProveTree(size, q.From, hashes)
		must(t, err)
		switch r.IntN(4) {
		case 0:
			q.From = 1 + r.Int64N(size)
		case 1:
			if len(path) > 0 {
				path[r.IntN(len(path))][r.IntN(32)] ^= 1
			}
		}
		old, err := tlog.TreeHash(q.From, hashes)
		must(t, err)
		q.want = tlog.CheckTree(path, size, root, q.From, old) == nil
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(q.From), uint64(size), lists(path), old[:], root[:]); (err == nil) != q.want {
			t.Errorf("%s of %d: theirs %v, ours %v of %+v", name, size, err, q.want, q)
		}
		q.Proof = texts(path)
		a.Grown = append(a.Grown, q)
	}
	return a, hex.EncodeToString(root[:])
}

func lists(path []tlog.Hash) [][]byte {
	var out [][]byte
	for i := range path {
		out = append(out, path[i][:])
	}
	return out
}

func texts(path []tlog.Hash) []string {
	out := []string{}
	for _, h := range path {
		out = append(out, hex.EncodeToString(h[:]))
	}
	return out
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
