package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// BlindPeriod returns one blind period, or ward.NotFound.
func (s *Store) BlindPeriod(ctx context.Context, id ward.BlindID) (ward.BlindPeriod, error) {
	b, err := scanBlind(s.read.QueryRowContext(ctx, blindColumns+` WHERE id = $1`, id))
	if err != nil {
		return b, fmt.Errorf("read blind period %s: %w", id, blindMissing(err))
	}
	return b, nil
}

// BlindFilter narrows BlindPeriods; a zero field does not.
type BlindFilter struct {
	Institutions []ward.InstitutionID // nil: all; empty: none
	Camera       ward.CameraID
	Cause        ward.BlindCause
	Lasting      bool
	Unplanned    bool   // only those that were not reported in advance
	Before       string // cursor: the next of an earlier call
	Limit        int    // 1 to 500; 0 means 50
}

// BlindPeriods lists those found last first. next continues the list and is
// empty at its end.
func (s *Store) BlindPeriods(ctx context.Context, f BlindFilter) (list []ward.BlindPeriod, next string, err error) {
	where, args := scope(f.Institutions, nil)
	and := func(column, value string) {
		if value != "" {
			args = append(args, value)
			where += fmt.Sprintf(` AND %s $%d`, column, len(args))
		}
	}
	if f.Lasting {
		where += ` AND to_us = 0`
	}
	if f.Unplanned {
		where += ` AND outage_id = ''`
	}
	and("camera_id =", string(f.Camera))
	and("cause =", string(f.Cause))
	and("id <", f.Before)
	limit := pageSize(f.Limit)
	args = append(args, limit+1)
	list, err = listed(ctx, s, "list blind periods", scanBlind, blindColumns+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, "", err
	}
	if len(list) > limit {
		list, next = list[:limit], string(list[limit-1].ID)
	}
	return list, next, nil
}

// LastingBlind returns the blind periods that last, of one camera or of all (empty).
func (s *Store) LastingBlind(ctx context.Context, camera ward.CameraID) ([]ward.BlindPeriod, error) {
	if camera == "" {
		return listed(ctx, s, "list lasting blind periods", scanBlind, blindColumns+` WHERE to_us = 0 ORDER BY id`)
	}
	return listed(ctx, s, "list lasting blind periods of "+string(camera), scanBlind, blindColumns+` WHERE to_us = 0 AND camera_id = $1 ORDER BY id`, camera)
}

// maxBlind bounds how far back a blind period that touches a moment is looked
// for by its beginning; those that last are found however old they are.
const maxBlind = 30 * 24 * time.Hour

// BlindAt returns the blind periods at places that touch [from, to].
func (s *Store) BlindAt(ctx context.Context, places []ward.PlaceID, from, to time.Time) (map[ward.PlaceID][]ward.BlindPeriod, error) {
	out := map[ward.PlaceID][]ward.BlindPeriod{}
	err := eachOf(ctx, s.read, blindColumns+` WHERE from_us <= $2 AND (to_us = 0 OR from_us >= $1 AND to_us >= $3) AND place_id IN `, padded(places),
		[]any{us(from.Add(-maxBlind)), us(to), us(from)}, func(r row) error {
			b, err := scanBlind(r)
			out[b.PlaceID] = append(out[b.PlaceID], b)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read blind periods at %d places: %w", len(places), err)
	}
	return out, nil
}

// Silent is a camera that lasts without a signal.
type Silent struct {
	Camera ward.Camera // id, place, institution
	From   time.Time
}

// SilentCameras returns the enabled cameras whose gap with a cause of the
// camera or its line began at before or earlier and lasts.
func (s *Store) SilentCameras(ctx context.Context, before time.Time) ([]Silent, error) {
	return listed(ctx, s, "list cameras without a signal", func(r row) (Silent, error) {
		var v Silent
		var from int64
		err := r.Scan(&v.Camera.ID, &v.Camera.PlaceID, &v.Camera.InstitutionID, &from)
		v.From = at(from)
		return v, err
	}, `SELECT c.id, c.place_id, c.institution_id, g.from_us FROM camera c
		JOIN gap g ON g.source_kind = $1 AND g.source_id = c.id AND g.to_us = 0 AND g.cause IN ($2, $3, $4) AND g.from_us <= $5
		WHERE c.enabled = 1 ORDER BY c.id`,
		ward.FromCamera, ward.CauseUnreachable, ward.CauseNotFound, ward.CauseStalled, us(before))
}

// settledWhere are the settlements that settledIn has the arguments of.
const settledWhere = ` WHERE place_id = $1 AND at_us BETWEEN $2 AND $3 AND state <> 'reversed'`

// blindBills are the settlements that the alerts about blind periods rest on,
// as SettledBlind lists them: alert_id, settlement_id, amount_fen.
const blindBills = `SELECT ba.id AS alert_id, bs.id AS settlement_id, bs.amount_fen FROM alert ba JOIN blind_period bp ON bp.id = ba.subject_id
	JOIN settlement bs ON bs.place_id = bp.place_id AND bs.state <> 'reversed'
		AND bs.at_us >= ba.at_us - COALESCE((SELECT o.offset_us FROM clock_offset o WHERE o.institution_id = bp.institution_id), 0)
		AND bs.at_us <= CASE WHEN bp.to_us = 0 THEN 4611686018427387904 ELSE bp.to_us END - COALESCE((SELECT o.offset_us FROM clock_offset o WHERE o.institution_id = bp.institution_id), 0)
	WHERE ba.subject_kind = 'blind'`

// settledIn are the arguments of settledWhere for the settlements at the place
// of a blind period in [from, to] by the cameras' clock.
func settledIn(ctx context.Context, q ledgerdb.Querier, b ward.BlindPeriod, from, to time.Time) ([]any, error) {
	var offset int64
	err := q.QueryRowContext(ctx, `SELECT COALESCE((SELECT offset_us FROM clock_offset WHERE institution_id = $1), 0)`, b.InstitutionID).Scan(&offset)
	return []any{b.PlaceID, us(from) - offset, us(to) - offset}, err
}

// SettledBlind returns the settlements at the place of a blind period from from
// (its beginning, or since when nobody had reported it) to its end or now, by
// the cameras' clock, without those that were reversed: the oldest, at most
// limit of them, and how many there are and their sum in 分.
func (s *Store) SettledBlind(ctx context.Context, b ward.BlindPeriod, from time.Time, limit int) (list []ward.Settlement, count int, sumFen int64, err error) {
	what := "list settlements of blind period " + string(b.ID)
	to := b.To
	if to.IsZero() {
		to = time.Now()
	}
	args, err := settledIn(ctx, s.read, b, from, to)
	if err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", what, err)
	}
	if err = s.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(amount_fen), 0) FROM settlement`+settledWhere, args...).Scan(&count, &sumFen); err != nil {
		return nil, 0, 0, fmt.Errorf("%s: %w", what, err)
	}
	list, err = listed(ctx, s, what, scanSettlement, settlementColumns+settledWhere+` ORDER BY at_us, id LIMIT $4`, append(args, limit)...)
	return list, count, sumFen, err
}
