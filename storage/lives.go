package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// Life is one run of the process. Ended is zero while it runs, and for ever
// when it died.
type Life struct {
	ID    string
	Began time.Time
	Seen  time.Time // the last heartbeat
	Ended time.Time
}

// BeginLife records that the process started at now and returns its life and
// the one before it; the latter is zero when this is the first.
func (s *Store) BeginLife(ctx context.Context, now time.Time) (life, previous Life, err error) {
	err = s.change(ctx, "begin process life", func(t *tx) error {
		var began, seen, ended int64
		err := t.QueryRowContext(ctx, `SELECT id, began_us, seen_us, ended_us FROM process_life ORDER BY began_us DESC, id DESC LIMIT 1`).
			Scan(&previous.ID, &began, &seen, &ended)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		previous.Began, previous.Seen, previous.Ended = at(began), at(seen), at(ended)
		life = Life{ID: ward.NewID[string](now), Began: at(us(now)), Seen: at(us(now))}
		_, err = t.ExecContext(ctx, `INSERT INTO process_life (id, began_us, seen_us, ended_us) VALUES ($1, $2, $3, 0)`, life.ID, us(life.Began), us(life.Seen))
		return err
	})
	if err == nil {
		s.life.Store(&ownLife{life.ID, now})
	}
	return life, previous, err
}

// ownLife is the life that this process began.
type ownLife struct {
	id    string
	began time.Time // with its monotonic reading
}

// Mono places t on a clock that nobody can set: the process's life, and the
// monotonic time since it began. Empty before BeginLife.
func (s *Store) Mono(t time.Time) (life string, since time.Duration) {
	own := s.life.Load()
	if own == nil {
		return "", 0
	}
	return own.id, t.Sub(own.began)
}

// Beat records that the process lived at now.
func (s *Store) Beat(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, fmt.Sprintf("beat process life %s", id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE process_life SET seen_us = $2 WHERE id = $1`, id, us(now))
		return err
	})
}

// EndLife records an orderly stop at now.
func (s *Store) EndLife(ctx context.Context, id string, now time.Time) error {
	return s.change(ctx, fmt.Sprintf("end process life %s", id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE process_life SET seen_us = $2, ended_us = $2 WHERE id = $1`, id, us(now))
		return err
	})
}
