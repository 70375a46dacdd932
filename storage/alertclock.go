package storage

import (
	"context"
	"log/slog"
	"time"

	"wardwatch/ward"
)

const (
	alertClockEvery = 15 * time.Second
	alertClockBatch = 100 // in one transaction
)

// AlertClock reminds of alerts whose deadline is near, and marks those that
// are overdue. Each of the two is one sealed step of the alert, however many
// processes run a clock.
type AlertClock struct {
	Store *Store
	// Notify tells the browsers; may be nil.
	Notify func(kind, id string, inst ward.InstitutionID)
	Log    *slog.Logger
}

// Run looks until ctx ends, and then returns nil. A database that is away is
// tried again.
func (c *AlertClock) Run(ctx context.Context) error {
	tick := time.NewTicker(alertClockEvery)
	defer tick.Stop()
	for {
		for {
			done, err := c.Store.TickAlerts(ctx, time.Now())
			if err != nil && ctx.Err() == nil {
				c.Log.ErrorContext(ctx, "deadlines of alerts are not watched", "error", err)
			}
			for _, a := range done {
				c.Log.InfoContext(ctx, "deadline of an alert", "alert_id", a.ID, "overdue", a.Next.IsZero())
				if c.Notify != nil {
					c.Notify("alert", string(a.ID), a.InstitutionID)
				}
			}
			if len(done) < alertClockBatch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// TickAlerts takes the step that the clock takes at now for at most 100
// alerts, and returns them.
func (s *Store) TickAlerts(ctx context.Context, now time.Time) ([]ward.Alert, error) {
	var one int64
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM alert WHERE next_us > 0 AND next_us <= $1 LIMIT 1) AS due`, us(now)).Scan(&one)
	if err != nil || one == 0 {
		return nil, err
	}
	var done []ward.Alert
	err = s.change(ctx, "watch deadlines of alerts", func(t *tx) error {
		done = nil
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		rows, err := t.QueryContext(ctx, alertColumns+` WHERE next_us > 0 AND next_us <= $1 ORDER BY next_us, id LIMIT $2`, us(now), alertClockBatch)
		if err != nil {
			return err
		}
		due, err := collect(rows, scanAlert)
		if err != nil {
			return err
		}
		for _, a := range due {
			step, ok := a.Due(now)
			if !ok {
				continue
			}
			if err := t.step(ctx, &a, step); err != nil {
				return err
			}
			done = append(done, a)
		}
		return nil
	})
	return done, err
}
