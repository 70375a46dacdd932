package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
)

// hashOf reads r to its end and closes it.
func hashOf(r io.ReadCloser) (sum [32]byte, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, r)
	return [32]byte(h.Sum(nil)), size, errors.Join(err, r.Close())
}

// ledger computes the whole tree again from its leaves and compares every
// stored hash, every sealed record and every signed root with it.
func (f *fsck) ledger(ctx context.Context) error {
	// The order matters beside a working system: first the signatures, then
	// the size, which must be no less.
	var signed int64
	if err := f.s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(size), 0) FROM log_checkpoint`).Scan(&signed); err != nil {
		return fmt.Errorf("read last checkpoint: %w", err)
	}
	n, err := ledgerdb.Size(ctx, f.s.read)
	if err != nil {
		return err
	}
	f.Leaves = n
	if n < signed {
		f.bad(fmt.Sprintf("checkpoint/%d", signed), "存证日志被截短：已签名的记录缺失。", fmt.Sprintf("The ledger was cut: %d leaves were signed and %d are there", signed, n))
	}
	if f.cursor.Ledger.Next > n { // cut since the check was broken off
		f.cursor.Ledger, f.cursor.Done = ledgerMark{}, 0
	}
	f.total = n
	from := f.cursor.Ledger
	t := &treeCheck{f: f, signed: signed, pos: from.Pos, stack: from.Stack, lastRoot: from.LastRoot}
	defer t.close()
	if err := t.open(ctx, from.Next, n); err != nil {
		return err
	}
	for i := from.Next; i < n; i++ {
		if err := t.leaf(i); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		t.noted = append(t.noted[:0], t.stack...) // what is under way in the stack itself must not show in the note
		f.cursor.Ledger = ledgerMark{i + 1, t.pos, t.noted, t.lastRoot}
		if err := f.did(""); err != nil {
			return err
		}
	}
	return errors.Join(t.leaves.Err(), t.hashes.Err(), t.notes.Err())
}

// treeCheck walks leaves, stored hashes and checkpoints side by side.
type treeCheck struct {
	f                     *fsck
	leaves, hashes, notes *sql.Rows
	signed                int64       // size of the last checkpoint
	nextLeaf              *storedLeaf // read and not yet used
	nextHash              *storedHash
	nextNote              *storedNote
	pos                   int64
	stack                 []tlog.Hash // roots of the complete subtrees, biggest first
	noted                 []tlog.Hash // the stack after the last whole leaf
	lastRoot              int64       // size of the last root that agreed
}

type storedLeaf struct {
	idx       int64
	leaf      []byte
	kind, ref sql.NullString
	body      []byte
}

type storedHash struct {
	pos int64
	h   []byte
}

type storedNote struct {
	size int64
	note string
}

func (t *treeCheck) open(ctx context.Context, from, n int64) error {
	// Their Err is checked where they are read, and by ledger at the end.
	q := func(query string, args ...any) (*sql.Rows, error) {
		return t.f.s.read.QueryContext(ctx, query, args...)
	}
	var err error
	t.leaves, err = q(`SELECT e.idx, e.leaf, r.kind, r.ref, r.body FROM log_entry e LEFT JOIN sealed_record r ON r.leaf = e.idx WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx`, from, n) //nolint:rowserrcheck // in ledger
	if err != nil {
		return fmt.Errorf("read leaves: %w", err)
	}
	if t.hashes, err = q(`SELECT pos, h FROM log_hash WHERE pos >= $1 AND pos < $2 ORDER BY pos`, t.pos, tlog.StoredHashCount(n)); err != nil { //nolint:rowserrcheck // in ledger
		return fmt.Errorf("read hashes: %w", err)
	}
	if t.notes, err = q(`SELECT size, note FROM log_checkpoint WHERE size > $1 AND size <= $2 ORDER BY size`, from, t.signed); err != nil { //nolint:rowserrcheck // in ledger
		return fmt.Errorf("read checkpoints: %w", err)
	}
	return nil
}

func (t *treeCheck) close() {
	for _, r := range []*sql.Rows{t.leaves, t.hashes, t.notes} {
		if r != nil {
			_ = r.Close() // its Err was looked at
		}
	}
}

// leaf checks leaf i, the hashes stored with it, and the root after it.
func (t *treeCheck) leaf(i int64) error {
	l, err := t.takeLeaf(i)
	if err != nil {
		return err
	}
	stored, ok, err := t.takeHash()
	if err != nil {
		return err
	}
	where := fmt.Sprintf("leaf/%d", i)
	switch {
	case l == nil:
		t.f.bad(where, "存证记录被删除。", "The leaf was removed from the ledger")
	case !ok:
		stored = tlog.RecordHash(l.leaf)
	case stored != tlog.RecordHash(l.leaf):
		t.f.bad(where, "存证记录与其哈希不符，被改动。", "The leaf and its stored hash differ; one was changed")
	}
	if l != nil {
		t.record(where, l)
	}
	t.stack = append(t.stack, stored)
	for range bits.TrailingZeros64(uint64(i + 1)) {
		k := len(t.stack)
		parent := tlog.NodeHash(t.stack[k-2], t.stack[k-1])
		pos := t.pos
		stored, ok, err := t.takeHash()
		if err != nil {
			return err
		}
		if ok && stored != parent {
			t.f.bad(fmt.Sprintf("log_hash/%d", pos), "存证日志的内部哈希被改动。", "A hash inside the ledger's tree differs from what lies below it")
			parent = stored
		}
		t.stack = append(t.stack[:k-2], parent)
	}
	return t.root(i + 1)
}

// record compares a sealed record with its leaf.
func (t *treeCheck) record(where string, l *storedLeaf) {
	if !l.kind.Valid {
		t.f.bad(where, "封存记录缺失。", "The sealed record of this leaf is missing")
		return
	}
	want, err := ledger.LeafOf(l.kind.String, l.ref.String, l.body)
	if err != nil || !bytes.Equal(want, l.leaf) {
		t.f.bad(fmt.Sprintf("sealed_record/%d", l.idx), "封存记录与存证日志不符，被改动。", fmt.Sprintf("The sealed %s %s differs from its leaf", l.kind.String, l.ref.String))
	}
}

// root compares the root of the first size leaves with a checkpoint there.
func (t *treeCheck) root(size int64) error {
	for {
		if t.nextNote == nil {
			if !t.notes.Next() {
				return t.notes.Err()
			}
			t.nextNote = &storedNote{}
			if err := t.notes.Scan(&t.nextNote.size, &t.nextNote.note); err != nil {
				return fmt.Errorf("read checkpoint: %w", err)
			}
		}
		if t.nextNote.size > size {
			return nil
		}
		t.compare(size)
		t.nextNote = nil
	}
}

func (t *treeCheck) compare(size int64) {
	where := fmt.Sprintf("checkpoint/%d", t.nextNote.size)
	c, err := ledger.OpenCheckpoint(t.nextNote.note, t.f.s.keys.For(t.nextNote.size))
	if err != nil || c.Size != t.nextNote.size {
		t.f.bad(where, "存证日志的签名无效。", "The checkpoint's signature is not valid")
		return
	}
	root := t.stack[len(t.stack)-1]
	for i := len(t.stack) - 2; i >= 0; i-- {
		root = tlog.NodeHash(t.stack[i], root)
	}
	if c.Size != size || root != c.Root {
		t.f.bad(where, "存证日志与签名不符：签名之后被改写。", fmt.Sprintf("The ledger differs from its signature: a leaf in [%d, %d) was rewritten", t.lastRoot, c.Size))
		return
	}
	t.lastRoot, t.f.Signed = size, size
}

// takeLeaf returns the row of leaf i, or nil when it is not there.
func (t *treeCheck) takeLeaf(i int64) (*storedLeaf, error) {
	if t.nextLeaf == nil && t.leaves.Next() {
		l := &storedLeaf{}
		if err := t.leaves.Scan(&l.idx, &l.leaf, &l.kind, &l.ref, &l.body); err != nil {
			return nil, fmt.Errorf("read leaf: %w", err)
		}
		t.nextLeaf = l
	}
	if t.nextLeaf == nil || t.nextLeaf.idx != i {
		return nil, t.leaves.Err()
	}
	l := t.nextLeaf
	t.nextLeaf = nil
	return l, nil
}

// takeHash returns the stored hash at the next position; one that is not
// there is named.
func (t *treeCheck) takeHash() (h tlog.Hash, ok bool, err error) {
	pos := t.pos
	t.pos++
	if t.nextHash == nil && t.hashes.Next() {
		n := &storedHash{}
		if err := t.hashes.Scan(&n.pos, &n.h); err != nil {
			return h, false, fmt.Errorf("read hash: %w", err)
		}
		t.nextHash = n
	}
	if err := t.hashes.Err(); err != nil {
		return h, false, err // not read is not missing
	}
	if t.nextHash == nil || t.nextHash.pos != pos || len(t.nextHash.h) != len(h) {
		if t.nextHash != nil && t.nextHash.pos == pos {
			t.nextHash = nil
		}
		t.f.bad(fmt.Sprintf("log_hash/%d", pos), "存证日志的内部哈希缺失。", "A hash of the ledger's tree is missing")
		return h, false, t.hashes.Err()
	}
	copy(h[:], t.nextHash.h)
	t.nextHash = nil
	return h, true, nil
}
