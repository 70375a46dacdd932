package storage

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// AdmissionTaken is what became of one event.
type AdmissionTaken struct {
	AdmissionID ward.AdmissionID
	Begun       bool // the stay was not known
	Again       bool // the very event was
	// Visits are those that nobody has begun and that were told of it; on the
	// first event of a stay.
	Visits []ward.VisitID
}

// errDry ends the transaction of a trial.
var errDry = errors.New("dry run")

// ApplyAdmissionEvents takes what one hospital says about stays: all of it,
// or nothing. It makes no difference in which order events come, nor how
// often; see ward.FoldAdmission. dry tells what would become of them.
// Errors: ward.NotFound "institution.unknown"; ward.Conflict
// "admission.control_id": another event had that number.
func (s *Store) ApplyAdmissionEvents(ctx context.Context, inst ward.InstitutionID, events []ward.AdmissionEvent, dry bool) ([]AdmissionTaken, error) {
	if err := s.fillNumberRefs(ctx); err != nil {
		return nil, err
	}
	var taken []AdmissionTaken
	err := s.change(ctx, fmt.Sprintf("take %d admission events of %s", len(events), inst), func(t *tx) error {
		taken = make([]AdmissionTaken, 0, len(events))
		if err := t.lockAdmissions(ctx); err != nil {
			return err
		}
		var one int
		err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, inst).Scan(&one)
		if err != nil {
			return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
		}
		touched := map[ward.AdmissionID]bool{}
		for _, e := range events {
			k, err := t.takeEvent(ctx, inst, e)
			if err != nil {
				return err
			}
			taken = append(taken, k)
			touched[k.AdmissionID] = touched[k.AdmissionID] || !k.Again
		}
		for id, changed := range touched {
			if !changed {
				continue
			}
			visits, err := t.foldAdmission(ctx, id)
			if err != nil {
				return fmt.Errorf("fold admission %s: %w", id, err)
			}
			taken[slices.IndexFunc(taken, func(k AdmissionTaken) bool { return k.AdmissionID == id })].Visits = visits
		}
		if dry {
			return errDry
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDry) {
		return nil, err
	}
	return taken, nil
}

// lockAdmissions makes the transaction the only one that changes stays, or
// the numbers by which people are found, until its end.
func (t *tx) lockAdmissions(ctx context.Context) error {
	if err := t.s.dialect.lock(ctx, t.Tx, admissionLock); err != nil {
		return fmt.Errorf("lock admissions: %w", err)
	}
	return nil
}

func (s *Store) visitRef(inst ward.InstitutionID, visit string) []byte {
	return s.seal.lookup("admission.visit", string(inst)+"\x00"+visit)
}

func (s *Store) numberRef(number string) []byte {
	if number = ward.PlainNumber(number); number == "" {
		return []byte{}
	}
	return s.seal.lookup("insured.number", number)
}

func (t *tx) takeEvent(ctx context.Context, inst ward.InstitutionID, e ward.AdmissionEvent) (AdmissionTaken, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return AdmissionTaken{}, fmt.Errorf("encode admission event: %w", err)
	}
	key := t.s.seal.lookup("admission_event.id", string(inst)+"\x00"+e.Sender+"\x00"+e.ControlID)
	digest := t.s.seal.lookup("admission_event.body", string(body))
	var known AdmissionTaken
	var was []byte
	switch err := t.QueryRowContext(ctx, `SELECT admission_id, digest FROM admission_event WHERE id = $1`, key).Scan(&known.AdmissionID, &was); {
	case err == nil && (bytes.Equal(was, digest) || bytes.Equal(was, t.s.digestBefore(e))):
		known.Again = true
		return known, nil
	case err == nil:
		return known, &ward.Error{
			Kind: ward.Conflict, Code: "admission.control_id",
			ZH: "同一消息编号已用于内容不同的消息。", EN: "Another message had this control id.",
		}
	case !errors.Is(err, sql.ErrNoRows):
		return known, err
	}
	id, begun, err := t.admissionOf(ctx, inst, e)
	if err != nil {
		return known, err
	}
	return AdmissionTaken{AdmissionID: id, Begun: begun}, t.putEvent(ctx, id, key, digest, body, e.Way)
}

// digestBefore is the digest of an event from before its numbers were read:
// one that was told then and is told again is no other.
func (s *Store) digestBefore(e ward.AdmissionEvent) []byte {
	e.Numbers = nil
	body, _ := json.Marshal(e) // as with them
	return s.seal.lookup("admission_event.body", string(body))
}

func (t *tx) putEvent(ctx context.Context, id ward.AdmissionID, key, digest, body []byte, way ward.AdmissionWay) error {
	_, err := t.ExecContext(ctx, `INSERT INTO admission_event (id, admission_id, digest, body, received_us, way) VALUES ($1, $2, $3, $4, $5, $6)`,
		key, id, digest, t.s.seal.seal(body, eventCell(key)), us(t.now), way)
	return err
}

func eventCell(key []byte) string { return fmt.Sprintf("admission_event.body.%x", key) }

// admissionOf finds the stay with the hospital's number, or makes it. One
// that was registered over the API under that id is adopted: what it says
// counts as its first events.
func (t *tx) admissionOf(ctx context.Context, inst ward.InstitutionID, e ward.AdmissionEvent) (id ward.AdmissionID, begun bool, err error) {
	ref := t.s.visitRef(inst, e.Visit)
	a, err := scanAdmission(t.QueryRowContext(ctx, admissionColumns+` WHERE institution_id = $1 AND (visit_ref = $2 OR visit_ref IS NULL AND id = $3)`, inst, ref, e.Visit))
	if errors.Is(err, sql.ErrNoRows) {
		id = ward.NewID[ward.AdmissionID](t.now)
		_, err = t.ExecContext(ctx, `INSERT INTO admission (id, institution_id, insured_id, ward, bed, physician, from_us, to_us, visit_ref, way, registered_us)
			VALUES ($1, $2, '', '', '', '', 0, 0, $3, $4, $5)`, id, inst, ref, e.Way, us(t.now))
		return id, true, err
	}
	if err != nil {
		return "", false, err
	}
	var n int
	if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM admission_event WHERE admission_id = $1`, a.ID).Scan(&n); err != nil || n > 0 {
		return a.ID, false, err
	}
	if _, err := t.ExecContext(ctx, `UPDATE admission SET visit_ref = $2 WHERE id = $1`, a.ID, ref); err != nil {
		return a.ID, false, err
	}
	own := []ward.AdmissionEvent{{
		Kind: ward.AdmitEvent, ControlID: "registered", Visit: e.Visit, Recorded: a.From, At: a.From, Precision: ward.ToTheSecond,
		Place: ward.BedPlace{Ward: a.Ward, Bed: a.Bed}, Physician: a.Physician,
	}}
	if !a.To.IsZero() {
		own = append(own, ward.AdmissionEvent{Kind: ward.DischargeEvent, ControlID: "ended", Visit: e.Visit, Recorded: a.To, At: a.To, Precision: ward.ToTheSecond})
	}
	for _, o := range own {
		body, err := json.Marshal(o)
		if err != nil {
			return a.ID, false, fmt.Errorf("encode admission %s: %w", a.ID, err)
		}
		key := t.s.seal.lookup("admission_event.own", string(a.ID)+"\x00"+o.ControlID)
		if err := t.putEvent(ctx, a.ID, key, t.s.seal.lookup("admission_event.body", string(body)), body, ward.ByAPI); err != nil {
			return a.ID, false, err
		}
	}
	return a.ID, false, nil
}

func (t *tx) eventsOf(ctx context.Context, id ward.AdmissionID) ([]ward.AdmissionEvent, error) {
	rows, err := t.QueryContext(ctx, `SELECT id, body FROM admission_event WHERE admission_id = $1`, id)
	if err != nil {
		return nil, err
	}
	return collect(rows, func(r row) (e ward.AdmissionEvent, err error) {
		var key, sealed []byte
		if err := r.Scan(&key, &sealed); err != nil {
			return e, err
		}
		plain, err := t.s.seal.open(sealed, eventCell(key))
		if err != nil {
			return e, err
		}
		return e, json.Unmarshal(plain, &e)
	})
}

// foldAdmission makes the stay anew from all that was said about it, and
// returns the visits that were told of it.
func (t *tx) foldAdmission(ctx context.Context, id ward.AdmissionID) ([]ward.VisitID, error) {
	events, err := t.eventsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	stay := ward.FoldAdmission(events)
	person, err := json.Marshal(stay.Person)
	if err != nil {
		return nil, fmt.Errorf("encode person: %w", err)
	}
	ref := t.s.numberRef(stay.Person.Number)
	who, err := t.insuredOf(ctx, id, stay.Person.Number, ref)
	if err != nil {
		return nil, err
	}
	place := stay.Place()
	_, err = t.ExecContext(ctx, `UPDATE admission SET insured_id = $2, ward = $3, bed = $4, physician = $5, from_us = $6, to_us = $7, person_ref = $8, person = $9, cancelled = $10 WHERE id = $1`,
		id, who, place.Ward, place.Bed, stay.Physician, us(stay.From), us(stay.To), ref, t.s.seal.seal(person, personCell(id)), flag(stay.Cancelled))
	if err != nil {
		return nil, err
	}
	if err = t.putBeds(ctx, id, stay.Beds); err != nil {
		return nil, err
	}
	if err = t.putNumbers(ctx, id, stay.Numbers); err != nil {
		return nil, err
	}
	return t.tellVisits(ctx, id, stay)
}

func personCell(id ward.AdmissionID) string { return "admission.person." + string(id) }

func (t *tx) putBeds(ctx context.Context, id ward.AdmissionID, beds []ward.BedStay) error {
	if _, err := t.ExecContext(ctx, `DELETE FROM admission_bed WHERE admission_id = $1`, id); err != nil {
		return err
	}
	for i, b := range beds {
		_, err := t.ExecContext(ctx, `INSERT INTO admission_bed (admission_id, seq, ward, room, bed, from_us, to_us, from_to_the) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			id, i, b.Ward, b.Room, b.Bed, us(b.From), us(b.To), b.Precision)
		if err != nil {
			return err
		}
	}
	return nil
}

// BedsOf is where an admission lay, by time.
func (s *Store) BedsOf(ctx context.Context, id ward.AdmissionID) ([]ward.BedStay, error) {
	return listed(ctx, s, "list beds of "+string(id), scanBed, `SELECT ward, room, bed, from_us, to_us, from_to_the FROM admission_bed WHERE admission_id = $1 ORDER BY seq`, id)
}

func scanBed(r row) (b ward.BedStay, err error) {
	var from, to int64
	err = r.Scan(&b.Ward, &b.Room, &b.Bed, &from, &to, &b.Precision)
	b.From, b.To = at(from), at(to)
	return b, err
}

// AdmissionsAt lists who lay where at a moment, as Admissions does: Ward and
// Bed are those of then. Stays that were cancelled are not among them.
func (s *Store) AdmissionsAt(ctx context.Context, insts []ward.InstitutionID, wardName string, when time.Time) ([]ward.Admission, error) {
	where, args := scope(insts, nil)
	args = append(args, us(when))
	n := len(args)
	if wardName != "" {
		args = append(args, wardName)
		where += fmt.Sprintf(` AND b.ward = $%d`, len(args))
	}
	return listed(ctx, s, "list admissions of a moment", scanAdmission, fmt.Sprintf(`SELECT a.id, a.institution_id, a.insured_id, b.ward, b.bed, a.physician, a.from_us, a.to_us
		FROM admission_bed b JOIN admission a ON a.id = b.admission_id%s AND a.cancelled = 0 AND b.from_us <= $%d AND (b.to_us = 0 OR b.to_us > $%d)
		ORDER BY a.institution_id, b.ward, b.bed, a.id`, where, n, n), args...)
}
