package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/ward"
)

// FsckOptions say how Fsck runs; the zero value checks everything in one go.
type FsckOptions struct {
	// Cursor is a file that remembers how far the check came. One that was
	// broken off goes on there; the file is removed at the end. Empty: none.
	Cursor string
	// Restart begins anew, whatever the file says.
	Restart bool
	// Progress, when set, is told about every thing that was looked at.
	Progress func(FsckProgress)
}

// FsckProgress is how far a step is.
type FsckProgress struct {
	Step        string
	Done, Total int64 // Total is 0 when nobody knows
	Bytes, Of   int64 // hashed, in the step that hashes recordings; else 0
}

// fsckCursor is what a check that goes on must know.
type fsckCursor struct {
	V      int        `json:"v"`
	Key    string     `json:"key"` // hash of the ledger's public key: of this very store
	Step   int        `json:"step"`
	After  string     `json:"after"` // within the step: the last id or key done
	Done   int64      `json:"done"`
	Bytes  int64      `json:"bytes"`
	Ledger ledgerMark `json:"ledger"`
	Report FsckReport `json:"report"`
}

// ledgerMark is how far the walk through the ledger came; see treeCheck.
type ledgerMark struct {
	Next     int64       `json:"next"` // leaf
	Pos      int64       `json:"pos"`  // stored hash
	Stack    []tlog.Hash `json:"stack"`
	LastRoot int64       `json:"last_root"`
}

// saveEvery bounds what a check that is killed does twice.
const saveEvery = time.Second

const cursorVersion = 5 // the steps changed

// load takes up what an earlier check left, if it is of this store.
func (f *fsck) load() error {
	key := sha256.Sum256(f.s.PublicKey())
	f.cursor = fsckCursor{V: cursorVersion, Key: hex.EncodeToString(key[:]), Report: FsckReport{Problems: []FsckProblem{}}}
	if f.o.Cursor == "" || f.o.Restart {
		return nil
	}
	b, err := os.ReadFile(f.o.Cursor)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read how far the last fsck came: %w", err)
	}
	var c fsckCursor
	if json.Unmarshal(b, &c) == nil && c.V == cursorVersion && c.Key == f.cursor.Key {
		c.Report.Resumed = true
		f.cursor, f.FsckReport = c, c.Report
	}
	return nil
}

// save notes how far the check is, at most every saveEvery unless now is set.
func (f *fsck) save(now bool) error {
	if f.o.Cursor == "" || !now && time.Since(f.saved) < saveEvery {
		return nil
	}
	f.saved = time.Now()
	b, err := json.Marshal(f.cursor)
	if err != nil {
		return fmt.Errorf("note how far fsck is: %w", err)
	}
	// Written aside, so that a kill leaves the old note or the new one.
	aside := f.o.Cursor + ".new"
	if err := errors.Join(os.WriteFile(aside, b, 0o600), os.Rename(aside, f.o.Cursor)); err != nil {
		return fmt.Errorf("note how far fsck is: %w", err)
	}
	return nil
}

// finished removes the note.
func (f *fsck) finished() error {
	if f.o.Cursor == "" {
		return nil
	}
	if err := os.Remove(f.o.Cursor); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the note of how far fsck came: %w", err)
	}
	return nil
}

// did says that the thing after was looked at, in the order of the step.
func (f *fsck) did(after string) error {
	f.cursor.After = after
	f.cursor.Done++
	f.cursor.Report = f.FsckReport // what is found in the next thing is found again
	f.tell()
	return f.save(false)
}

func (f *fsck) tell() {
	if f.o.Progress != nil {
		f.o.Progress(FsckProgress{Step: f.step, Done: f.cursor.Done, Total: f.total, Bytes: f.cursor.Bytes, Of: f.of})
	}
}

// count says how many things the step will look at.
func (f *fsck) count(ctx context.Context, query string) error {
	if err := f.s.read.QueryRowContext(ctx, query).Scan(&f.total, &f.of); err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return nil
}

// fsckPage is how many rows are in memory at once.
const fsckPage = 500

// each calls do for every row of a query that takes the last id and a limit,
// from where the check was broken off.
func each[T any](ctx context.Context, f *fsck, what, query string, scan func(row) (T, error), id func(T) string, do func(T) error) error {
	for {
		some, err := listed(ctx, f.s, what, scan, query, f.cursor.After, fsckPage)
		if err != nil {
			return err
		}
		for _, v := range some {
			if err := do(v); err != nil {
				return err
			}
			if err := f.did(id(v)); err != nil {
				return err
			}
		}
		if len(some) < fsckPage {
			return nil
		}
	}
}

// eachSegment calls do for every segment.
func (f *fsck) eachSegment(ctx context.Context, do func(ward.Segment) error) error {
	id := func(g ward.Segment) string { return string(g.ID) }
	return each(ctx, f, "list all segments", `SELECT `+segmentColumns+` FROM segment WHERE id > $1 ORDER BY id LIMIT $2`, scanSegment, id, do)
}
