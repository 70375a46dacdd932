package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// The events of a visit by which a hospital's words about the stay reach it.
const (
	visitMoved = "moved"      // the patient lies elsewhere: body has where, and from where
	visitEnded = "discharged" // the stay is over, or (cancelled) never was
	visitBack  = "readmitted" // it goes on after all
)

// tellVisits tells the visits of a stay that nobody has begun what has become
// of it. A visit whose link nobody has opened goes with the patient, to the
// tablet of the new bed; one whose patient was discharged says so, and stays
// open: who says "discharged" once a round is ordered does not end it. It
// returns the visits that have changed.
func (t *tx) tellVisits(ctx context.Context, id ward.AdmissionID, stay ward.Stay) (changed []ward.VisitID, err error) {
	rows, err := t.QueryContext(ctx, visitColumns+` WHERE admission_id = $1 AND state IN ('ordered', 'opened', 'consented') ORDER BY id`, id)
	if err != nil {
		return nil, err
	}
	visits, err := collect(rows, scanVisit)
	if err != nil {
		return nil, err
	}
	over, place := !stay.To.IsZero() && !stay.To.After(t.now), stay.Place()
	for _, v := range visits {
		told, err := t.toldEnded(ctx, v.ID)
		if err != nil {
			return nil, err
		}
		switch {
		case over && !told:
			err = t.addVisitEvent(ctx, v.ID, visitEnded, t.now, map[string]any{"cancelled": stay.Cancelled})
		case !over && told:
			err = t.addVisitEvent(ctx, v.ID, visitBack, t.now, nil)
		}
		if err != nil {
			return nil, err
		}
		moved := false
		if !over && place.Bed != "" && (v.Ward != place.Ward || v.Bed != place.Bed) {
			if moved, err = t.affects(ctx, `UPDATE visit SET ward = $2, bed = $3 WHERE id = $1 AND state = 'ordered'`, v.ID, place.Ward, place.Bed); err != nil {
				return nil, err
			}
		}
		if moved {
			body := map[string]any{"from_ward": v.Ward, "from_bed": v.Bed, "ward": place.Ward, "bed": place.Bed}
			if err = t.addVisitEvent(ctx, v.ID, visitMoved, t.now, body); err != nil {
				return nil, err
			}
		}
		if moved || over != told {
			changed = append(changed, v.ID)
		}
	}
	return changed, nil
}

// whereNow makes v one at the bed that its patient lies in now.
func (t *tx) whereNow(ctx context.Context, v *ward.Visit) error {
	err := t.QueryRowContext(ctx, `SELECT ward, bed FROM admission WHERE id = $1 AND bed <> '' AND (to_us = 0 OR to_us > $2)`, v.AdmissionID, us(t.now)).Scan(&v.Ward, &v.Bed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// toldEnded says whether the last that a visit was told of its stay is that it is over.
func (t *tx) toldEnded(ctx context.Context, id ward.VisitID) (told bool, err error) {
	err = t.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM visit_event e WHERE e.visit_id = $1 AND e.kind = '`+visitEnded+`'
		AND NOT EXISTS (SELECT 1 FROM visit_event b WHERE b.visit_id = e.visit_id AND b.kind = '`+visitBack+`' AND b.seq > e.seq))`, id).Scan(&told)
	return told, err
}

// VisitStay is what the register says of the stay of a visit that nobody answered.
type VisitStay struct {
	Over      bool // by the deadline
	Cancelled bool // it never was
	After     bool // the hospital said so after the round was ordered
}

// StayOfVisit is the stay of a visit at its deadline; one without a stay in
// the register is not over.
func (s *Store) StayOfVisit(ctx context.Context, id ward.VisitID) (v VisitStay, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT a.cancelled, EXISTS (SELECT 1 FROM visit_event e WHERE e.visit_id = v.id AND e.kind = '`+visitEnded+`')
		FROM visit v JOIN admission a ON a.id = v.admission_id WHERE v.id = $1 AND a.to_us > 0 AND a.to_us <= v.deadline_us`, id).Scan(&v.Cancelled, &v.After)
	if errors.Is(err, sql.ErrNoRows) {
		return v, nil
	}
	if err != nil {
		return v, fmt.Errorf("read the stay of visit %s: %w", id, err)
	}
	v.Over = true
	return v, nil
}
