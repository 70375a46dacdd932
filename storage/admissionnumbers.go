package storage

import (
	"context"
	"strings"

	"wardwatch/ward"
)

// bandRef is under what a number that a wristband may carry is found.
func (s *Store) bandRef(inst ward.InstitutionID, number string) []byte {
	return s.seal.lookup("admission.number", string(inst)+"\x00"+ward.PlainNumber(number))
}

// putNumbers replaces the numbers of a stay.
func (t *tx) putNumbers(ctx context.Context, id ward.AdmissionID, numbers []string) error {
	var inst ward.InstitutionID
	if err := t.QueryRowContext(ctx, `SELECT institution_id FROM admission WHERE id = $1`, id).Scan(&inst); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM admission_number WHERE admission_id = $1`, id); err != nil {
		return err
	}
	for _, n := range numbers {
		_, err := t.ExecContext(ctx, `INSERT INTO admission_number (ref, admission_id) VALUES ($1, $2) ON CONFLICT (ref, admission_id) DO NOTHING`, t.s.bandRef(inst, n), id)
		if err != nil {
			return err
		}
	}
	return nil
}

// NumberOf says whether a number is one of a stay's, its id among them, and
// whether it is another stay's of the institution.
func (s *Store) NumberOf(ctx context.Context, inst ward.InstitutionID, stay ward.AdmissionID, number string) (its, others bool, err error) {
	whose, err := listed(ctx, s, "look up a number for admission "+string(stay), func(r row) (id ward.AdmissionID, err error) { return id, r.Scan(&id) },
		`SELECT id FROM admission WHERE institution_id = $1 AND visit_ref = $2
		UNION SELECT id FROM admission WHERE institution_id = $1 AND id = $3
		UNION SELECT admission_id FROM admission_number WHERE ref = $4`, inst, s.visitRef(inst, number), number, s.bandRef(inst, number))
	its = strings.EqualFold(number, string(stay))
	for _, id := range whose {
		its, others = its || id == stay, others || id != stay
	}
	return its, others, err
}
