package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// AddAdmission stores a stay. A known id is a ward.Conflict; an unknown
// institution is a ward.NotFound.
func (s *Store) AddAdmission(ctx context.Context, a ward.Admission) error {
	return s.change(ctx, "add admission "+string(a.ID), func(t *tx) error {
		if err := t.lockAdmissions(ctx); err != nil {
			return err
		}
		var one int
		err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, a.InstitutionID).Scan(&one)
		if err != nil {
			return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
		}
		_, err = t.ExecContext(ctx, `INSERT INTO admission (id, institution_id, insured_id, ward, bed, physician, from_us, to_us, visit_ref, way, registered_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			a.ID, a.InstitutionID, a.InsuredID, a.Ward, a.Bed, a.Physician, us(a.From), us(a.To), s.visitRef(a.InstitutionID, string(a.ID)), ward.ByAPI, us(t.now))
		if err != nil && s.dialect.unique(err) {
			return &ward.Error{Kind: ward.Conflict, Code: "admission.exists", ZH: "该住院登记已存在。", EN: "This admission is already registered."}
		}
		if err != nil {
			return err
		}
		return t.putBeds(ctx, a.ID, []ward.BedStay{{BedPlace: ward.BedPlace{Ward: a.Ward, Bed: a.Bed}, From: a.From, To: a.To, Precision: ward.ToTheSecond}})
	})
}

const admissionColumns = `SELECT id, institution_id, insured_id, ward, bed, physician, from_us, to_us FROM admission`

// Admission returns one stay, or ward.NotFound.
func (s *Store) Admission(ctx context.Context, id ward.AdmissionID) (ward.Admission, error) {
	a, err := scanAdmission(s.read.QueryRowContext(ctx, admissionColumns+` WHERE id = $1`, id))
	if err != nil {
		return a, fmt.Errorf("read admission %s: %w", id, admissionMissing(err))
	}
	return a, nil
}

func admissionMissing(err error) error {
	return missing(err, "admission.unknown", "没有这条住院登记，请检查编号。", "No such admission; check its id.")
}

// Admissions lists the stays of the institutions (nil: all), of one ward
// when wardName is not empty, by ward and bed.
func (s *Store) Admissions(ctx context.Context, insts []ward.InstitutionID, wardName string) ([]ward.Admission, error) {
	where, args := scope(insts, nil)
	if wardName != "" {
		args = append(args, wardName)
		where += fmt.Sprintf(` AND ward = $%d`, len(args))
	}
	rows, err := s.read.QueryContext(ctx, admissionColumns+where+` ORDER BY institution_id, ward, bed, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list admissions: %w", err)
	}
	out, err := collect(rows, scanAdmission)
	if err != nil {
		return nil, fmt.Errorf("list admissions: %w", err)
	}
	return out, nil
}

func scanAdmission(r row) (ward.Admission, error) {
	var a ward.Admission
	var from, to int64
	err := r.Scan(&a.ID, &a.InstitutionID, &a.InsuredID, &a.Ward, &a.Bed, &a.Physician, &from, &to)
	a.From, a.To = at(from), at(to)
	return a, err
}
