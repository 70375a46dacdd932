package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// Fillable is a gap that a device may fill with what it stored itself.
type Fillable struct {
	ward.Gap
	Tries int       // in a row that brought nothing
	Next  time.Time // not to be tried before; zero: at once
}

const (
	backfillWaiting = "waiting"
	backfillDone    = "done"
	backfillGivenUp = "given_up"
)

// maxFillable is how many gaps of a source are looked at for one to be filled.
const maxFillable = 200

// Fillable lists the gaps of src and inst that ended after since, that a device may
// have recorded meanwhile and that nobody is done with, by To: the oldest
// first, since devices overwrite the oldest. Shorter ones than least are left
// out.
func (s *Store) Fillable(ctx context.Context, src ward.Source, inst ward.InstitutionID, since time.Time, least time.Duration) ([]Fillable, error) {
	return listed(ctx, s, "list gaps to be filled of "+src.String(), scanFillable,
		`SELECT g.id, g.source_kind, g.source_id, g.institution_id, g.from_us, g.to_us, g.cause, COALESCE(b.tries, 0), COALESCE(b.next_us, 0)
		FROM gap g LEFT JOIN backfill b ON b.gap_id = g.id
		WHERE g.source_kind = $1 AND g.source_id = $2 AND g.to_us > $3 AND g.to_us - g.from_us >= $4 AND COALESCE(b.state, $5) = $5
		AND g.institution_id = $6 AND g.cause IN ($7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ORDER BY g.to_us LIMIT $17`,
		src.Kind, src.ID, us(since), least.Microseconds(), backfillWaiting, inst,
		ward.CauseConnecting, ward.CauseUnreachable, ward.CauseAuth, ward.CauseNotFound, ward.CauseStalled, ward.CauseGarbage,
		ward.CauseDisk, ward.CauseRestart, ward.CauseCrash, ward.CauseBusy, maxFillable)
}

func scanFillable(r row) (Fillable, error) {
	var f Fillable
	var from, to, next int64
	err := r.Scan(&f.ID, &f.Source.Kind, &f.Source.ID, &f.InstitutionID, &from, &to, &f.Cause, &f.Tries, &next)
	f.From, f.To, f.Next = at(from), at(to), at(next)
	return f, err
}

// FillDone notes that a gap is filled as far as it can be.
func (s *Store) FillDone(ctx context.Context, id ward.GapID) error {
	return s.noteFill(ctx, id, backfillDone, 0, time.Time{})
}

// FillGivenUp notes that the device is not asked for the gap any more.
func (s *Store) FillGivenUp(ctx context.Context, id ward.GapID) error {
	return s.noteFill(ctx, id, backfillGivenUp, 0, time.Time{})
}

// FillLater notes how many tries in a row brought nothing, and lets the next
// one wait until next.
func (s *Store) FillLater(ctx context.Context, id ward.GapID, tries int, next time.Time) error {
	return s.noteFill(ctx, id, backfillWaiting, tries, next)
}

func (s *Store) noteFill(ctx context.Context, id ward.GapID, state string, tries int, next time.Time) error {
	return s.change(ctx, fmt.Sprintf("note filling of gap %s", id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO backfill (gap_id, state, tries, next_us) VALUES ($1, $2, $3, $4)
			ON CONFLICT (gap_id) DO UPDATE SET state = excluded.state, tries = excluded.tries, next_us = excluded.next_us`, id, state, tries, us(next))
		return err
	})
}
