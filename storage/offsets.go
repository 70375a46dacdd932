package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// MaxOffset is the largest offset of a billing system's clock that is believed.
const MaxOffset = 10 * time.Minute

// SetClockOffset stores what was estimated of an institution's billing clock.
// Settlements that are judged from then on are judged by it. An offset of over
// MaxOffset is refused.
func (s *Store) SetClockOffset(ctx context.Context, o ward.ClockOffset) error {
	if o.Offset.Abs() > MaxOffset || o.InstitutionID == "" {
		return fmt.Errorf("set clock offset of institution %q: %v", o.InstitutionID, o.Offset)
	}
	return s.change(ctx, "set clock offset of "+string(o.InstitutionID), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO clock_offset (institution_id, offset_us, spread_us, samples, at_us) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (institution_id) DO UPDATE SET offset_us = excluded.offset_us, spread_us = excluded.spread_us, samples = excluded.samples, at_us = excluded.at_us`,
			o.InstitutionID, o.Offset.Microseconds(), o.Spread.Microseconds(), o.Samples, us(o.At))
		return err
	})
}

// ClockOffsets returns what is known of the billing clocks of insts (nil: all), by institution.
func (s *Store) ClockOffsets(ctx context.Context, insts []ward.InstitutionID) ([]ward.ClockOffset, error) {
	where, args := scope(insts, nil)
	return listed(ctx, s, "list clock offsets", func(r row) (ward.ClockOffset, error) {
		var o ward.ClockOffset
		var offset, spread, when int64
		err := r.Scan(&o.InstitutionID, &offset, &spread, &o.Samples, &when)
		o.Offset, o.Spread, o.At = time.Duration(offset)*time.Microsecond, time.Duration(spread)*time.Microsecond, at(when)
		return o, err
	}, `SELECT institution_id, offset_us, spread_us, samples, at_us FROM clock_offset`+where+` ORDER BY institution_id`, args...)
}

// Presence is a stretch in which somebody, or one face, was seen at a place,
// or (Watched) in which it was watched.
type Presence struct {
	Kind     ward.SightingKind
	CameraID ward.CameraID
	From, To time.Time
}

// PresenceAt returns the stretches at a place that touch [from, to].
func (s *Store) PresenceAt(ctx context.Context, place ward.PlaceID, from, to time.Time) ([]Presence, error) {
	return listed(ctx, s, "read presence at "+string(place), func(r row) (Presence, error) {
		var p Presence
		var a, b int64
		err := r.Scan(&p.Kind, &p.CameraID, &a, &b)
		p.From, p.To = at(a), at(b)
		return p, err
	}, `SELECT kind, camera_id, from_us, to_us FROM sighting WHERE place_id = $1 AND kind IN ('watched', 'people', 'face') AND to_us BETWEEN $2 AND $4 AND from_us <= $3`,
		place, us(from), us(to), us(to.Add(MaxSighting)))
}
