package storage

import (
	"context"
	"fmt"
	"strings"

	"wardwatch/ward"
)

// PutInstitution adds the institution, or changes its name, and its location when one is given.
func (s *Store) PutInstitution(ctx context.Context, i ward.Institution) error {
	return s.change(ctx, "put institution "+string(i.ID), func(t *tx) error {
		var lat, lon *float64
		if i.Location != nil {
			lat, lon = &i.Location.Lat, &i.Location.Lon
		}
		_, err := t.ExecContext(ctx, `INSERT INTO institution (id, name, lat, lon) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, lat = COALESCE(excluded.lat, institution.lat), lon = COALESCE(excluded.lon, institution.lon)`, i.ID, i.Name, lat, lon)
		return err
	})
}

// Institution returns one institution, or ward.NotFound "institution.unknown".
func (s *Store) Institution(ctx context.Context, id ward.InstitutionID) (ward.Institution, error) {
	i, err := scanInstitution(s.read.QueryRowContext(ctx, `SELECT id, name, lat, lon FROM institution WHERE id = $1`, id))
	if err != nil {
		return i, fmt.Errorf("read institution %s: %w", id, missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id."))
	}
	return i, nil
}

// Institutions lists those of insts (nil: all) by name.
func (s *Store) Institutions(ctx context.Context, insts []ward.InstitutionID) ([]ward.Institution, error) {
	where, args := scope(insts, nil)
	where = strings.Replace(where, "institution_id", "id", 1)
	rows, err := s.read.QueryContext(ctx, `SELECT id, name, lat, lon FROM institution`+where+` ORDER BY name, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list institutions: %w", err)
	}
	out, err := collect(rows, scanInstitution)
	if err != nil {
		return nil, fmt.Errorf("list institutions: %w", err)
	}
	return out, nil
}

func scanInstitution(r row) (ward.Institution, error) {
	var i ward.Institution
	var lat, lon *float64
	err := r.Scan(&i.ID, &i.Name, &lat, &lon)
	i.Location = located(lat, lon)
	return i, err
}

// PutPlace adds the place, or changes its name and kind. A place never moves
// to another institution: that is ward.Conflict "place.institution". An
// unknown institution is ward.NotFound "institution.unknown".
func (s *Store) PutPlace(ctx context.Context, p ward.Place) error {
	return s.change(ctx, "put place "+string(p.ID), func(t *tx) error {
		var one int
		err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, p.InstitutionID).Scan(&one)
		if err != nil {
			return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
		}
		r, err := t.ExecContext(ctx, `INSERT INTO place (id, institution_id, name, kind) VALUES ($1, $2, $3, $4)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind
			WHERE place.institution_id = excluded.institution_id`, p.ID, p.InstitutionID, p.Name, p.Kind)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if err == nil && n == 0 {
			err = &ward.Error{Kind: ward.Conflict, Code: "place.institution", ZH: "该点位编号已属于另一家机构，请换一个编号。", EN: "This place id belongs to another institution; choose another."}
		}
		return err
	})
}

const placeColumns = `SELECT id, institution_id, name, kind FROM place`

// Place returns one place, or ward.NotFound "place.unknown".
func (s *Store) Place(ctx context.Context, id ward.PlaceID) (ward.Place, error) {
	p, err := scanPlace(s.read.QueryRowContext(ctx, placeColumns+` WHERE id = $1`, id))
	if err != nil {
		return p, fmt.Errorf("read place %s: %w", id, missing(err, "place.unknown", "没有这个点位，请检查点位编号。", "No such place; check its id."))
	}
	return p, nil
}

// Places lists the places of insts (nil: all) by institution and name.
func (s *Store) Places(ctx context.Context, insts []ward.InstitutionID) ([]ward.Place, error) {
	where, args := scope(insts, nil)
	rows, err := s.read.QueryContext(ctx, placeColumns+where+` ORDER BY institution_id, name, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("list places: %w", err)
	}
	out, err := collect(rows, scanPlace)
	if err != nil {
		return nil, fmt.Errorf("list places: %w", err)
	}
	return out, nil
}

func scanPlace(r row) (ward.Place, error) {
	var p ward.Place
	err := r.Scan(&p.ID, &p.InstitutionID, &p.Name, &p.Kind)
	return p, err
}
