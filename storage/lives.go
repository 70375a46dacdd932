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

	reading Reading // of the last heartbeat
}

// Away is what is known of the time between two lives.
type Away struct {
	// Known says that the machine ran all the time, so that Lasted and Step
	// are known, whatever the wall clock was set to.
	Known  bool
	Lasted time.Duration
	Step   time.Duration // by how much the wall clock was set meanwhile; 0: by less than MinClockStep
}

// BeginLife records that the process started at now and returns its life, the
// one before it, which is zero when this is the first, and what is known of
// the time between them. A wall clock that was set meanwhile is sealed, and so is
// that the machine was started anew.
func (s *Store) BeginLife(ctx context.Context, now Reading) (life, previous Life, away Away, err error) {
	err = s.change(ctx, "begin process life", func(t *tx) error {
		previous, away = Life{}, Away{}
		var seq, began, seen, ended, up int64
		var boot string
		err := t.QueryRowContext(ctx, `SELECT id, seq, began_us, seen_us, ended_us, boot, up_us FROM process_life ORDER BY seq DESC, began_us DESC, id DESC LIMIT 1`).
			Scan(&previous.ID, &seq, &began, &seen, &ended, &boot, &up)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		previous.Began, previous.Seen, previous.Ended = at(began), at(seen), at(ended)
		previous.reading = Reading{Wall: previous.Seen, Boot: boot, Up: micros(up)}
		life = Life{ID: ward.NewID[string](now.Wall), Began: at(us(now.Wall)), Seen: at(us(now.Wall)), reading: now}
		if previous.ID != "" {
			between := ClockStep{Life: life.ID, From: previous.Seen, To: life.Began, Started: true}
			if step, known := now.stepSince(previous.reading); known {
				away = Away{Known: true, Lasted: now.Up - previous.reading.Up, Step: step}
				between = ClockStep{Life: previous.ID, From: life.Began.Add(-step), To: life.Began}
			}
			if err := t.sealClockStep(ctx, between); err != nil {
				return err
			}
		}
		_, err = t.ExecContext(ctx, `INSERT INTO process_life (id, seq, began_us, seen_us, ended_us, boot, up_us) VALUES ($1, $2, $3, $4, 0, $5, $6)`,
			life.ID, seq+1, us(life.Began), us(life.Seen), now.Boot, now.Up.Microseconds())
		return err
	})
	if err == nil {
		s.life.Store(&ownLife{id: life.ID, began: now.Wall, told: now})
	}
	return life, previous, away, err
}

// ownLife is the life that this process began. It is replaced, not changed.
type ownLife struct {
	id    string
	began time.Time // with its monotonic reading
	told  Reading   // up to which the steps of the wall clock are sealed
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

// Beat records that the process lived at now, and seals it when the wall
// clock was set since it began or was set last: step is by how much. One
// goroutine calls it.
func (s *Store) Beat(ctx context.Context, id string, now Reading) (step time.Duration, err error) {
	err = s.seen(ctx, fmt.Sprintf("beat process life %s", id), id, now, time.Time{}, &step)
	return step, err
}

// EndLife records an orderly stop at now.
func (s *Store) EndLife(ctx context.Context, id string, now Reading) error {
	var step time.Duration
	return s.seen(ctx, fmt.Sprintf("end process life %s", id), id, now, now.Wall, &step)
}

func (s *Store) seen(ctx context.Context, what, id string, now Reading, ended time.Time, step *time.Duration) error {
	own := s.life.Load()
	if own != nil && own.id == id {
		*step, _ = now.stepSince(own.told)
	}
	err := s.change(ctx, what, func(t *tx) error {
		if err := t.sealClockStep(ctx, ClockStep{Life: id, To: at(us(now.Wall)), From: at(us(now.Wall)).Add(-*step)}); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `UPDATE process_life SET seen_us = $2, ended_us = $3, boot = $4, up_us = $5 WHERE id = $1`, id, us(now.Wall), us(ended), now.Boot, now.Up.Microseconds())
		return err
	})
	// A life that began without knowing the machine's count goes on from here.
	if err == nil && own != nil && own.id == id && (*step != 0 || own.told.Boot == "") {
		s.life.Store(&ownLife{id: own.id, began: own.began, told: now})
	}
	return err
}
