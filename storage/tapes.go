package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// VisitTape is by what a visit was judged: which pictures were looked at, and
// when. It holds no measure of anybody. The visit's event "tape" has its SHA-256.
type VisitTape struct {
	VisitID   ward.VisitID
	KeepUntil time.Time
	Body      []byte
}

// KeepTape stores the tape of a visit, which must have none.
func (s *Store) KeepTape(ctx context.Context, v VisitTape) error {
	return s.change(ctx, "keep the tape of visit "+string(v.VisitID), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO visit_tape (visit_id, keep_until_us, body) VALUES ($1, $2, $3)`, v.VisitID, us(v.KeepUntil), v.Body)
		return err
	})
}

// Tape is by what a visit was judged; nil when the visit is older than tapes,
// or its tape was erased with the recording.
func (s *Store) Tape(ctx context.Context, id ward.VisitID) (body []byte, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT body FROM visit_tape WHERE visit_id = $1`, id).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tape of visit %s: %w", id, err)
	}
	return body, nil
}
