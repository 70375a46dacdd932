package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// decidedOfOld gives the alerts that were decided before that was a column the
// moment at which their decision was sealed: the time for an appeal runs from
// it. One whose decision is not there any more was decided when it was raised,
// as far as anybody knows. It finds nothing to do the next time.
func (s *Store) decidedOfOld(ctx context.Context) error {
	type old struct {
		id     ward.AlertID
		raised int64
	}
	return s.change(ctx, "date old decisions", func(t *tx) error {
		rows, err := t.QueryContext(ctx, `SELECT id, raised_us FROM alert WHERE decided_us = 0 AND state IN ('confirmed', 'dismissed', 'withdrawn')`)
		if err != nil {
			return err
		}
		all, err := collect(rows, func(r row) (o old, err error) { return o, r.Scan(&o.id, &o.raised) })
		if err != nil {
			return err
		}
		for _, o := range all {
			decided := o.raised
			r, ok, err := latestSealed(ctx, t.Tx, KindDecision, string(o.id))
			if err != nil {
				return err
			}
			if ok {
				var e ledger.Sealed
				if err := json.Unmarshal(r.Body, &e); err != nil {
					return fmt.Errorf("open the decision on alert %s: %w", o.id, err)
				}
				decided = us(e.At)
			}
			if _, err := t.ExecContext(ctx, `UPDATE alert SET decided_us = $2 WHERE id = $1`, o.id, decided); err != nil {
				return err
			}
		}
		return nil
	})
}
