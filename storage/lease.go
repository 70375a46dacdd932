package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"time"

	"wardwatch/ward"
)

const (
	// leaseFor is how long after its last sign a process still holds a lease.
	leaseFor = 10 * time.Second
	// leaseRenewed is after how long its holder renews it.
	leaseRenewed = 3 * time.Second
)

// ErrLeaseLost says that another process holds the lease now; nothing was stored.
var ErrLeaseLost = errors.New("the lease is another's now")

// JudgingLease lets one process of all that share a catalogue judge. Two that
// judged neighbours at the same moment would not know of each other. Its
// methods are for one goroutine. Clocks that differ decide who judges, never
// whether two do.
type JudgingLease struct {
	store  *Store
	holder string
	renew  time.Time // zero: not held, as far as is known
}

// JudgingLease is a new claim, which is not yet the holder.
func (s *Store) JudgingLease() *JudgingLease { return &JudgingLease{store: s, holder: rand.Text()} }

// Hold takes the lease when nobody has it, keeps it when it is held, and says
// whether it is. anew says that it was not ours before: others may have judged
// since, though we never saw them do so.
func (l *JudgingLease) Hold(ctx context.Context, now time.Time) (held, anew bool, err error) {
	if now.Before(l.renew) {
		return true, false, nil
	}
	l.renew = time.Time{}
	var holder string
	var until int64
	err = l.store.read.QueryRowContext(ctx, `SELECT holder, until_us FROM lease WHERE name = 'judging'`).Scan(&holder, &until)
	if err == nil && holder != l.holder && us(now) < until {
		return false, false, nil // the usual case of who waits, without a transaction
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, false, err
	}
	err = l.store.change(ctx, "hold the lease of judging", func(t *tx) error {
		// Whoever takes it over waits until the holder's judgements are stored, and then sees them.
		if err := t.lockJudging(ctx); err != nil {
			return err
		}
		switch err := t.checkLease(ctx, l.holder); {
		case errors.Is(err, ErrLeaseLost):
			anew = true
		case err != nil:
			return err
		default:
			anew = false
		}
		res, err := t.ExecContext(ctx, `INSERT INTO lease (name, holder, until_us) VALUES ('judging', $1, $2)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_us = excluded.until_us WHERE lease.holder = $1 OR lease.until_us <= $3`,
			l.holder, us(now.Add(leaseFor)), us(now))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		held = n == 1
		return err
	})
	if err == nil && held {
		l.renew = now.Add(leaseRenewed)
	}
	return held && err == nil, anew && held, err
}

// Judge is Store.Judge, or ErrLeaseLost when another holds the lease.
func (l *JudgingLease) Judge(ctx context.Context, js ...Judgement) (changed []ward.Alert, passed []ward.SettlementID, err error) {
	changed, passed, err = l.store.judge(ctx, l.holder, js)
	if errors.Is(err, ErrLeaseLost) {
		l.renew = time.Time{}
	}
	return changed, passed, err
}

// Release lets another take the lease at once.
func (l *JudgingLease) Release(ctx context.Context) error {
	l.renew = time.Time{}
	return l.store.change(ctx, "release the lease of judging", func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE lease SET until_us = 0 WHERE name = 'judging' AND holder = $1`, l.holder)
		return err
	})
}

// checkLease refuses what the holder does who is no longer that. The lock of
// judging must be held.
func (t *tx) checkLease(ctx context.Context, holder string) error {
	var now string
	err := t.QueryRowContext(ctx, `SELECT holder FROM lease WHERE name = 'judging'`).Scan(&now)
	if err == nil && now != holder || errors.Is(err, sql.ErrNoRows) {
		return ErrLeaseLost
	}
	return err
}
