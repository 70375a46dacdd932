// Package ledgerdb keeps the log of package ledger in the same database, and
// writes it in the same transaction, as the rows it seals.
package ledgerdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
)

// Querier is *sql.DB or *sql.Tx.
type Querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Append adds leaves and returns the index of the first. The caller holds the
// ledger lock of its engine until the transaction ends.
func Append(ctx context.Context, q Querier, leaves ...[]byte) (int64, error) {
	first, err := Size(ctx, q)
	if err != nil {
		return 0, err
	}
	begin := tlog.StoredHashCount(first)
	var entries, hashes []any
	var added []tlog.Hash // from position begin on
	// StoredHashes asks in the order of positions: those of the table come first.
	read := tlog.HashReaderFunc(func(pos []int64) ([]tlog.Hash, error) {
		k, _ := slices.BinarySearch(pos, begin)
		out, err := Reader(ctx, q).ReadHashes(pos[:k])
		for _, p := range pos[k:] {
			out = append(out, added[p-begin])
		}
		return out, err
	})
	for i, leaf := range leaves {
		n := first + int64(i)
		more, err := tlog.StoredHashes(n, leaf, read)
		if err != nil {
			return 0, fmt.Errorf("hash leaf %d: %w", n, err)
		}
		entries = append(entries, n, leaf)
		for _, h := range more {
			hashes = append(hashes, begin+int64(len(added)), h[:])
			added = append(added, h)
		}
	}
	if err := Insert(ctx, q, `INSERT INTO log_entry (idx, leaf)`, 2, entries); err != nil {
		return 0, fmt.Errorf("insert %d leaves from %d on: %w", len(leaves), first, err)
	}
	if err := Insert(ctx, q, `INSERT INTO log_hash (pos, h)`, 2, hashes); err != nil {
		return 0, fmt.Errorf("insert hashes from %d on: %w", begin, err)
	}
	return first, nil
}

// Size is the number of leaves.
func Size(ctx context.Context, q Querier) (int64, error) {
	var n int64
	if err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(idx), -1) + 1 FROM log_entry`).Scan(&n); err != nil {
		return 0, fmt.Errorf("read ledger size: %w", err)
	}
	return n, nil
}

// Reader reads stored hashes for tlog.
func Reader(ctx context.Context, q Querier) tlog.HashReader {
	return tlog.HashReaderFunc(func(pos []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, 0, len(pos))
		for part := range slices.Chunk(pos, atOnce) {
			found, err := readHashes(ctx, q, part)
			if err != nil {
				return nil, err
			}
			for _, p := range part {
				h, ok := found[p]
				if !ok {
					return nil, fmt.Errorf("read hash %d: %w", p, sql.ErrNoRows)
				}
				out = append(out, h)
			}
		}
		return out, nil
	})
}

// atOnce hashes are read with one query: a tile's.
const atOnce = 1 << tileHeight

func readHashes(ctx context.Context, q Querier, pos []int64) (map[int64]tlog.Hash, error) {
	args := make([]any, len(pos))
	var list strings.Builder
	for i, p := range pos {
		args[i] = p
		fmt.Fprintf(&list, ",$%d", i+1)
	}
	rows, err := q.QueryContext(ctx, `SELECT pos, h FROM log_hash WHERE pos IN (`+strings.TrimPrefix(list.String(), ",")+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("read %d hashes: %w", len(pos), err)
	}
	defer func() { _ = rows.Close() }() // rows.Err tells
	found := make(map[int64]tlog.Hash, len(pos))
	for rows.Next() {
		var p int64
		var b []byte
		if err := rows.Scan(&p, &b); err != nil {
			return nil, fmt.Errorf("read hash: %w", err)
		}
		if len(b) != tlog.HashSize {
			return nil, fmt.Errorf("read hash %d: %d bytes", p, len(b))
		}
		found[p] = tlog.Hash(b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read %d hashes: %w", len(pos), err)
	}
	return found, nil
}

// Prove makes the proof of leaf index in the tree of size leaves that note
// signs.
func Prove(ctx context.Context, q Querier, index, size int64, note string) (ledger.Proof, error) {
	h, err := tlog.ProveRecord(size, index, Reader(ctx, q))
	if err != nil {
		return ledger.Proof{}, fmt.Errorf("prove leaf %d of %d: %w", index, size, err)
	}
	return ledger.Proof{Index: index, Hashes: h, Checkpoint: note}, nil
}
