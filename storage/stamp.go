package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"wardwatch/storage/timestamp/tsa"
)

// Stamp is an authority's word on a checkpoint.
type Stamp struct {
	Size     int64     // leaves of the checkpoint
	At       time.Time // the authority's clock
	Response []byte    // RFC 3161, DER
}

// LastStamp is the newest; Size 0: there is none.
func (s *Store) LastStamp(ctx context.Context) (Stamp, error) {
	return s.stamp(ctx, `SELECT size, at_us, response FROM log_timestamp ORDER BY size DESC LIMIT 1`)
}

// StampOf is the one on the checkpoint of size leaves; Size 0: there is none.
func (s *Store) StampOf(ctx context.Context, size int64) (Stamp, error) {
	return s.stamp(ctx, `SELECT size, at_us, response FROM log_timestamp WHERE size = $1`, size)
}

func (s *Store) stamp(ctx context.Context, query string, args ...any) (Stamp, error) {
	var v Stamp
	var atUS int64
	err := s.read.QueryRowContext(ctx, query, args...).Scan(&v.Size, &atUS, &v.Response)
	if errors.Is(err, sql.ErrNoRows) {
		return Stamp{}, nil
	}
	if err != nil {
		return Stamp{}, fmt.Errorf("read time stamp: %w", err)
	}
	v.At = at(atUS)
	return v, nil
}

// StampEvery is how long what was sealed waits at most for a time stamp while
// the authority answers.
const StampEvery = time.Hour

// Stamper has a time-stamping authority stamp the newest checkpoint: every
// hour in which the ledger grew, and when Now asks. While the authority is
// away nothing waits for it; it is asked again every minute, and the stamp
// that comes then covers all that was sealed before.
type Stamper struct {
	Store     *Store
	Authority tsa.Authority
	Client    *http.Client
	Every     time.Duration // 0: StampEvery
	Log       *slog.Logger

	mu  sync.Mutex // one request at a time; guards bad
	bad error      // the last failure
}

// Run stamps until ctx ends.
func (s *Stamper) Run(ctx context.Context) error {
	every := s.Every
	if every <= 0 {
		every = StampEvery
	}
	tick := time.NewTicker(max(every/60, time.Millisecond))
	defer tick.Stop()
	for {
		last, err := s.Store.LastStamp(ctx)
		if err == nil && time.Since(last.At) >= every {
			err = s.Now(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.DebugContext(ctx, "no time stamp", "error", err) // Now has said so once
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Now has the newest checkpoint stamped unless it is already.
func (s *Stamper) Now(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.now(ctx)
	switch was := s.bad; {
	case ctx.Err() != nil:
		return err
	case err != nil && was == nil:
		s.Log.WarnContext(ctx, "ledger not time-stamped", "error", err)
	case err == nil && was != nil:
		s.Log.InfoContext(ctx, "ledger time-stamped again")
	}
	s.bad = err
	return err
}

func (s *Stamper) now(ctx context.Context) error {
	note, size, err := s.Store.LastCheckpoint(ctx)
	if err != nil || size == 0 {
		return err
	}
	if have, err := s.Store.StampOf(ctx, size); err != nil || have.Size != 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	response, when, err := s.Authority.Stamp(ctx, s.Client, []byte(note))
	if err != nil {
		return err
	}
	return s.Store.change(ctx, "store time stamp", func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO log_timestamp (size, at_us, response) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, size, us(when), response)
		return err
	})
}

// Failure is why the authority did not stamp when it was last asked; nil: it
// did, or was not asked yet.
func (s *Stamper) Failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad
}
