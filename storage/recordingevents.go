package storage

import (
	"context"
	"time"

	"wardwatch/ward"
)

// AddRecordingEvent stores what happened to a recording.
func (s *Store) AddRecordingEvent(ctx context.Context, e ward.RecordingEvent) error {
	return s.change(ctx, "add event of "+e.Source.String(), func(t *tx) error {
		_, err := t.ExecContext(ctx, `INSERT INTO recording_event (source_kind, source_id, institution_id, at_us, kind, off_us, detail) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			e.Source.Kind, e.Source.ID, e.InstitutionID, us(e.At), e.Kind, e.Off.Microseconds(), e.Detail)
		return err
	})
}

// RecordingEvents returns the events of src in [from, to), by time.
func (s *Store) RecordingEvents(ctx context.Context, src ward.Source, from, to time.Time) ([]ward.RecordingEvent, error) {
	return listed(ctx, s, "list events of "+src.String(), func(r row) (ward.RecordingEvent, error) {
		e := ward.RecordingEvent{Source: src}
		var when, off int64
		err := r.Scan(&e.InstitutionID, &when, &e.Kind, &off, &e.Detail)
		e.At, e.Off = at(when), time.Duration(off)*time.Microsecond
		return e, err
	}, `SELECT institution_id, at_us, kind, off_us, detail FROM recording_event WHERE source_kind = $1 AND source_id = $2 AND at_us >= $3 AND at_us < $4 ORDER BY at_us`,
		src.Kind, src.ID, us(from), us(to))
}
