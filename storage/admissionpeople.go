package storage

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"wardwatch/ward"
)

// refBatch is how many people's numbers one transaction makes findable.
const refBatch = 500

// insuredOf is the insured person of a stay: the one with that number, or
// whoever it was registered for as long as nobody says otherwise.
func (t *tx) insuredOf(ctx context.Context, id ward.AdmissionID, number string, ref []byte) (ward.InsuredID, error) {
	var is ward.InsuredID
	var was []byte
	if err := t.QueryRowContext(ctx, `SELECT insured_id, person_ref FROM admission WHERE id = $1`, id).Scan(&is, &was); err != nil {
		return "", err
	}
	if len(ref) == 0 {
		return is, nil
	}
	var who ward.InsuredID
	err := t.QueryRowContext(ctx, `SELECT id FROM insured WHERE number_ref = $1 OR id = $2 ORDER BY id LIMIT 1`, ref, strings.ToLower(ward.PlainNumber(number))).Scan(&who)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return who, err
	}
	if was == nil || bytes.Equal(was, ref) {
		return is, nil
	}
	return "", nil
}

// joinAdmissions gives the stays that wait for a number to whom it belongs.
func (t *tx) joinAdmissions(ctx context.Context, id ward.InsuredID, ref []byte) error {
	for _, r := range [][]byte{ref, t.s.numberRef(string(id))} {
		if len(r) == 0 {
			continue
		}
		if _, err := t.ExecContext(ctx, `UPDATE admission SET insured_id = $1 WHERE person_ref = $2 AND insured_id = ''`, id, r); err != nil {
			return err
		}
	}
	return nil
}

// fillNumberRefs makes people findable who were stored before numbers were.
func (s *Store) fillNumberRefs(ctx context.Context) error {
	for {
		rows, err := s.read.QueryContext(ctx, insuredColumns+` WHERE number_ref IS NULL ORDER BY id LIMIT $1`, refBatch)
		if err != nil {
			return fmt.Errorf("read people without a reference: %w", err)
		}
		old, err := collect(rows, s.scanInsured)
		if err != nil {
			return fmt.Errorf("read people without a reference: %w", err)
		}
		if len(old) == 0 {
			return nil
		}
		err = s.change(ctx, "refer to numbers of insured people", func(t *tx) error {
			if err := t.lockAdmissions(ctx); err != nil {
				return err
			}
			for _, p := range old {
				if _, err := t.ExecContext(ctx, `UPDATE insured SET number_ref = $2 WHERE id = $1 AND number_ref IS NULL`, p.ID, s.numberRef(p.IDNumber)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// Admitted is what a hospital says about who lies in a stay, and whether it was cancelled.
type Admitted struct {
	Person    ward.AdmittedPerson
	Cancelled bool
}

// AdmittedPeople returns what is known of those of ids that hospitals told of.
func (s *Store) AdmittedPeople(ctx context.Context, ids []ward.AdmissionID) (map[ward.AdmissionID]Admitted, error) {
	all := map[ward.AdmissionID]Admitted{}
	err := eachOf(ctx, s.read, `SELECT id, person, cancelled FROM admission WHERE id IN `, ids, nil, func(r row) error {
		var id ward.AdmissionID
		var sealed []byte
		var a Admitted
		if err := r.Scan(&id, &sealed, &a.Cancelled); err != nil {
			return err
		}
		plain, err := s.seal.open(sealed, personCell(id))
		if err != nil {
			return err
		}
		if len(plain) > 0 {
			if err := json.Unmarshal(plain, &a.Person); err != nil {
				return fmt.Errorf("decode person of admission %s: %w", id, err)
			}
		}
		all[id] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read who was admitted: %w", err)
	}
	return all, nil
}
