package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// clockAhead is how far the wall clock may be ahead of what is known
	// before nothing is deleted by it: more than a restart takes.
	clockAhead = time.Hour
	// clockSlack is how far it may part from the monotonic clock and count as
	// steady: corrections, not a new time.
	clockSlack = 5 * time.Minute
	// A clock that is ahead is believed when it was steady for as long as it
	// is ahead, within these bounds: the machine was off, or somebody has had
	// the time to see the alarm.
	clockSteadyLeast, clockSteadyMost = time.Hour, 24 * time.Hour
)

// retentionClock decides whether the wall clock may be believed: a wrong
// date makes every recording look old.
type retentionClock struct {
	known   time.Time     // a wall time that was believed; zero: none yet
	knownAt time.Duration // on the monotonic clock
	from    time.Time     // since when the wall clock was steady, by itself
	fromAt  time.Duration // and by the monotonic clock
	begun   bool
}

// judge says whether now may be believed at the monotonic time mono, and by
// how much it is ahead of what was expected; 0 while nothing is known.
func (c *retentionClock) judge(now time.Time, mono time.Duration) (ok bool, ahead time.Duration) {
	now = now.Round(0)
	if off := now.Sub(c.from) - (mono - c.fromAt); !c.begun || off.Abs() > clockSlack {
		c.from, c.fromAt, c.begun = now, mono, true
	}
	steady := mono - c.fromAt
	if !c.known.IsZero() {
		ahead = now.Sub(c.known) - (mono - c.knownAt)
	}
	settled := steady >= min(max(ahead, clockSteadyLeast), clockSteadyMost)
	if settled || !c.known.IsZero() && ahead <= 0 {
		c.known, c.knownAt = now, mono
		return true, 0
	}
	return !c.known.IsZero() && ahead <= clockAhead, ahead
}

// expected is the time of the believed clock at mono; zero while none is.
func (c *retentionClock) expected(mono time.Duration) time.Time {
	if c.known.IsZero() {
		return time.Time{}
	}
	return c.known.Add(mono - c.knownAt)
}

// KnownTime returns the last wall time that retention believed; zero when
// there was none.
func (s *Store) KnownTime(ctx context.Context) (time.Time, error) {
	var known int64
	err := s.read.QueryRowContext(ctx, `SELECT wall_us FROM retention_clock WHERE one = 1`).Scan(&known)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, fmt.Errorf("read known time: %w", err)
	}
	return at(known), nil
}

// SetKnownTime records a wall time that is believed.
func (s *Store) SetKnownTime(ctx context.Context, now time.Time) error {
	return s.change(ctx, "record known time", func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO retention_clock (one, wall_us) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET wall_us = $1`, us(now))
		return err
	})
}
