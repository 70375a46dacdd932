package storage

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// PublicKey is the key that signs checkpoints. Its ledger.Fingerprint is
// what a court is told outside the package.
func (s *Store) PublicKey() ed25519.PublicKey { return s.keys.Public() }

// Log is the ledger's name in checkpoints; it stays when the key is replaced.
func (s *Store) Log() string { return s.keys.Log }

// Checkpoint signs the ledger as it is when it has grown, and returns the
// latest signed note and the number of leaves that it covers. An empty
// ledger gives "" and 0. When the stored hashes no longer lead to the last
// signed root it signs nothing: somebody rewrote the ledger, and the error
// is a ward.Error with code "ledger.rewritten".
func (s *Store) Checkpoint(ctx context.Context) (string, int64, error) {
	note, size, err := s.lastCheckpoint(ctx, s.read)
	if err != nil {
		return "", 0, fmt.Errorf("checkpoint: %w", err)
	}
	n, err := ledgerdb.Size(ctx, s.read)
	if err != nil {
		return "", 0, fmt.Errorf("checkpoint: %w", err)
	}
	if n == size {
		return note, size, nil
	}
	err = s.change(ctx, "checkpoint", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var err error
		note, size, err = t.sign(ctx)
		return err
	})
	return note, size, err
}

func (s *Store) lastCheckpoint(ctx context.Context, q ledgerdb.Querier) (note string, size int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT note, size FROM log_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&note, &size)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", 0, fmt.Errorf("read last checkpoint: %w", err)
	}
	return note, size, nil
}

// sign is called with the ledger locked.
func (t *tx) sign(ctx context.Context) (string, int64, error) {
	last, lastSize, err := t.s.lastCheckpoint(ctx, t.Tx)
	if err != nil {
		return "", 0, err
	}
	n, err := ledgerdb.Size(ctx, t.Tx)
	if err != nil || n == lastSize {
		return last, lastSize, err
	}
	hashes := ledgerdb.Reader(ctx, t.Tx)
	if lastSize > 0 {
		old, err := ledger.OpenCheckpoint(last, t.s.keys.For(lastSize))
		if err != nil {
			return "", 0, rewritten(err)
		}
		if n < old.Size {
			return "", 0, rewritten(fmt.Errorf("%d leaves, %d were signed", n, old.Size))
		}
		root, err := tlog.TreeHash(old.Size, hashes)
		if err != nil {
			return "", 0, rewritten(err)
		}
		if root != old.Root {
			return "", 0, rewritten(fmt.Errorf("root of %d leaves differs", old.Size))
		}
	}
	root, err := tlog.TreeHash(n, hashes)
	if err != nil {
		return "", 0, fmt.Errorf("compute root of %d leaves: %w", n, err)
	}
	note, err := ledger.Checkpoint{Log: t.s.keys.Log, Size: n, Root: root}.Sign(t.s.keys.Signer)
	if err != nil {
		return "", 0, err
	}
	if _, err := t.ExecContext(ctx, `INSERT INTO log_checkpoint (size, at_us, note) VALUES ($1, $2, $3)`, n, us(t.now), note); err != nil {
		return "", 0, fmt.Errorf("store checkpoint of %d leaves: %w", n, err)
	}
	return note, n, nil
}

func rewritten(cause error) error {
	return &ward.Error{
		Kind: ward.Conflict, Code: "ledger.rewritten", Err: cause,
		ZH: "存证日志与上次签名不一致，可能被改动；已停止签名，请立即运行 wardwatch fsck 并保全现场。",
		EN: "The ledger does not match its last signature and may have been changed; nothing was signed. Run wardwatch fsck now and preserve the machine.",
	}
}

// Proof returns the proof of one leaf in the tree that note signs; both
// come from Checkpoint.
func (s *Store) Proof(ctx context.Context, leaf, size int64, note string) (ledger.Proof, error) {
	return ledgerdb.Prove(ctx, s.read, leaf, size, note)
}

// CheckpointEvery is how long a leaf waits at most for a signature.
const CheckpointEvery = 10 * time.Second

// Checkpointer signs the ledger in the background while it grows.
type Checkpointer struct {
	Store *Store
	Every time.Duration // 0: CheckpointEvery
	Log   *slog.Logger
}

// Run signs until ctx ends, and once more then. An error is logged and
// tried again at the next turn: what fails is the signature, not the ledger.
func (c *Checkpointer) Run(ctx context.Context) error {
	every := c.Every
	if every <= 0 {
		every = CheckpointEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), every)
			defer cancel()
			_, _, err := c.Store.Checkpoint(last)
			return err
		case <-tick.C:
			if _, _, err := c.Store.Checkpoint(ctx); err != nil && ctx.Err() == nil {
				c.Log.ErrorContext(ctx, "ledger not signed", "error", err)
			}
		}
	}
}
