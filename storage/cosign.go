package storage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/storage/witness"
)

// Cosignature is what a witness said of a checkpoint.
type Cosignature struct {
	Witness string
	Size    int64     // leaves of the checkpoint
	At      time.Time // the witness's clock, to the second
	Line    string    // as it stands under the checkpoint
}

// LastCheckpoint is the newest signed note and its number of leaves: "" and 0
// when nothing was signed yet.
func (s *Store) LastCheckpoint(ctx context.Context) (string, int64, error) {
	return s.lastCheckpoint(ctx, s.read)
}

// Published is the newest checkpoint as it is shown to others: with the
// signatures that stand beside our own, see ledger.Keys.Beside.
func (s *Store) Published(ctx context.Context) (string, int64, error) {
	note, size, err := s.LastCheckpoint(ctx)
	if err != nil || size == 0 {
		return note, size, err
	}
	beside, err := s.keys.Beside(note, time.Now())
	return note + beside, size, err
}

// Tile returns one tile of what the newest checkpoint signs; see ledgerdb.Tile.
func (s *Store) Tile(ctx context.Context, path string) ([]byte, error) {
	_, size, err := s.lastCheckpoint(ctx, s.read)
	if err != nil {
		return nil, err
	}
	return ledgerdb.Tile(ctx, s.read, path, size)
}

// Cosignatures returns what each witness said last, by name.
func (s *Store) Cosignatures(ctx context.Context) ([]Cosignature, error) {
	return s.cosignatures(ctx, `SELECT c.witness, c.size, c.at_us, c.line FROM log_cosignature c
		JOIN (SELECT witness, MAX(size) AS size FROM log_cosignature GROUP BY witness) last ON last.witness = c.witness AND last.size = c.size ORDER BY c.witness`)
}

// CosignaturesOf returns what the witnesses said of the checkpoint of size
// leaves, by name.
func (s *Store) CosignaturesOf(ctx context.Context, size int64) ([]Cosignature, error) {
	return s.cosignatures(ctx, `SELECT witness, size, at_us, line FROM log_cosignature WHERE size = $1 ORDER BY witness`, size)
}

func (s *Store) cosignatures(ctx context.Context, query string, args ...any) ([]Cosignature, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read cosignatures: %w", err)
	}
	out, err := collect(rows, func(r row) (Cosignature, error) {
		var c Cosignature
		var atUS int64
		err := r.Scan(&c.Witness, &c.Size, &atUS, &c.Line)
		c.At = at(atUS)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read cosignatures: %w", err)
	}
	return out, nil
}

// addCosignature stores c; the same witness's later word on the same
// checkpoint changes nothing.
func (s *Store) addCosignature(ctx context.Context, c Cosignature) error {
	return s.change(ctx, "store cosignature", func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO log_cosignature (size, witness, at_us, line) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, c.Size, c.Witness, us(c.At), c.Line)
		return err
	})
}

// Cosigner has the witnesses sign every newest checkpoint. A witness that is
// away holds up nothing: what it missed it signs with the next, since the
// later checkpoint contains the earlier.
type Cosigner struct {
	Store  *Store
	Peers  []witness.Peer
	Client *http.Client
	Every  time.Duration // 0: CheckpointEvery
	Log    *slog.Logger

	mu  sync.Mutex
	bad map[string]error // by witness, its last failure
}

// askFor bounds one request to a witness.
const askFor = 10 * time.Second

// Run asks until ctx ends.
func (c *Cosigner) Run(ctx context.Context) error {
	every := c.Every
	if every <= 0 {
		every = CheckpointEvery
	}
	var all sync.WaitGroup
	defer all.Wait()
	for _, p := range c.Peers {
		all.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				if err := c.ask(ctx, p); ctx.Err() == nil {
					c.note(ctx, p, err)
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	<-ctx.Done()
	return nil
}

// Now asks every witness that has not signed the newest checkpoint, all at
// once, and returns when they have answered or ctx ends.
func (c *Cosigner) Now(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range c.Peers {
		all.Go(func() {
			if err := c.ask(ctx, p); ctx.Err() == nil {
				c.note(ctx, p, err)
			}
		})
	}
	all.Wait()
}

func (c *Cosigner) ask(ctx context.Context, p witness.Peer) error {
	checkpoint, size, err := c.Store.Published(ctx)
	if err != nil || size == 0 {
		return err
	}
	var since int64
	err = c.Store.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(size), 0) FROM log_cosignature WHERE witness = $1`, p.Key.Name).Scan(&since)
	if err != nil || since >= size {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	line, at, err := p.Ask(ctx, c.Client, checkpoint, since, size, func(old int64) (tlog.TreeProof, error) {
		return tlog.ProveTree(size, old, ledgerdb.Reader(ctx, c.Store.read))
	})
	if err != nil {
		return err
	}
	return c.Store.addCosignature(ctx, Cosignature{Witness: p.Key.Name, Size: size, At: at, Line: line})
}

// note logs when a witness begins to fail and when it is back; a rewritten
// ledger at every turn.
func (c *Cosigner) note(ctx context.Context, p witness.Peer, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.bad[p.Key.Name]
	if c.bad == nil {
		c.bad = map[string]error{}
	}
	c.bad[p.Key.Name] = err
	switch {
	case errors.Is(err, witness.ErrRewritten):
		c.Log.ErrorContext(ctx, "ledger not cosigned: run wardwatch fsck now and preserve the machine", "witness", p.Key.Name, "error", err)
	case err != nil && was == nil:
		c.Log.WarnContext(ctx, "ledger not cosigned", "witness", p.Key.Name, "error", err)
	case err == nil && was != nil:
		c.Log.InfoContext(ctx, "ledger cosigned again", "witness", p.Key.Name)
	}
}

// Failures returns why witnesses did not sign when they were last asked, by
// name; who signed is not in it.
func (c *Cosigner) Failures() map[string]error {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]error{}
	for name, err := range c.bad {
		if err != nil {
			out[name] = err
		}
	}
	return out
}
