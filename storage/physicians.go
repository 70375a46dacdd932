package storage

import (
	"context"
	"fmt"
	"slices"

	"wardwatch/ward"
)

// PutPhysicians stores names, institutions and whether they left, sealed, all
// or none; for a known id it replaces them and keeps the face. Template and
// ModelID are ignored: see EnrolPhysician.
func (s *Store) PutPhysicians(ctx context.Context, all []ward.Physician) error {
	for _, p := range all {
		if fault := p.Check(); fault != nil {
			return fault
		}
	}
	return s.change(ctx, "put physicians", func(t *tx) error {
		for _, p := range all {
			if err := t.putPhysician(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *tx) putPhysician(ctx context.Context, p ward.Physician) error {
	_, err := t.ExecContext(ctx, `INSERT INTO physician (id, name, gone, template, model_id) VALUES ($1, $2, $3, NULL, '')
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, gone = excluded.gone`, p.ID, t.s.seal.seal([]byte(p.Name), "physician.name."+string(p.ID)), flag(p.Left))
	if err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `DELETE FROM physician_institution WHERE physician_id = $1`, p.ID); err != nil {
		return err
	}
	for _, inst := range p.Institutions {
		var one int
		if err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, inst).Scan(&one); err != nil {
			return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO physician_institution (physician_id, institution_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, p.ID, inst); err != nil {
			return err
		}
	}
	return nil
}

// EnrolPhysician stores the face of a known physician, sealed, with the id of
// the model that made it. An unknown one is a ward.NotFound.
func (s *Store) EnrolPhysician(ctx context.Context, id ward.PhysicianID, tmpl ward.Template, modelID string) error {
	if len(tmpl) == 0 || modelID == "" {
		return fmt.Errorf("enrol physician %s: no template or no model id", id)
	}
	sealed := s.seal.sealTemplate(tmpl, "physician.template."+string(id))
	return s.change(ctx, "enrol physician "+string(id), func(t *tx) error {
		res, err := t.ExecContext(ctx, `UPDATE physician SET template = $2, model_id = $3 WHERE id = $1`, id, sealed, modelID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return unknownPhysician(orNoRows(nil))
	})
}

func unknownPhysician(err error) error {
	return missing(err, "physician.unknown", "没有这位医师，或其未登记在本机构执业，请检查编号。", "No such physician, or not registered to practise here; check the id.")
}

const physicianColumns = `SELECT id, name, gone, template, model_id FROM physician`

// Physician returns one physician with the template, or ward.NotFound.
func (s *Store) Physician(ctx context.Context, id ward.PhysicianID) (ward.Physician, error) {
	p, err := s.scanPhysician(s.read.QueryRowContext(ctx, physicianColumns+` WHERE id = $1`, id))
	if err != nil {
		return p, fmt.Errorf("read physician %s: %w", id, unknownPhysician(err))
	}
	all := []ward.Physician{p}
	err = s.practices(ctx, all)
	return all[0], err
}

// Physicians lists at most limit (1 to 500; 0 means 50) of those who practise
// at the institutions (nil: all), with ids after the one given; "" begins the list.
func (s *Store) Physicians(ctx context.Context, insts []ward.InstitutionID, after ward.PhysicianID, limit int) ([]ward.Physician, error) {
	where, args := scope(insts, []any{after, pageSize(limit)})
	all, err := listed(ctx, s, "list physicians", s.scanPhysician, physicianColumns+` p WHERE id > $1
		AND EXISTS (SELECT 1 FROM physician_institution `+where+` AND physician_id = p.id) ORDER BY id LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	return all, s.practices(ctx, all)
}

// PhysiciansOf returns those of the ids that are known.
func (s *Store) PhysiciansOf(ctx context.Context, ids []ward.PhysicianID) (map[ward.PhysicianID]ward.Physician, error) {
	out := map[ward.PhysicianID]ward.Physician{}
	err := eachOf(ctx, s.read, physicianColumns+` WHERE id IN `, ids, nil, func(r row) error {
		p, err := s.scanPhysician(r)
		out[p.ID] = p
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d physicians: %w", len(ids), err)
	}
	return out, nil
}

// practices fills in at which institutions each practises.
func (s *Store) practices(ctx context.Context, all []ward.Physician) error {
	at := make(map[ward.PhysicianID]int, len(all))
	ids := make([]ward.PhysicianID, len(all))
	for i := range all {
		ids[i], at[all[i].ID] = all[i].ID, i
		all[i].Institutions = []ward.InstitutionID{}
	}
	err := eachOf(ctx, s.read, `SELECT physician_id, institution_id FROM physician_institution WHERE physician_id IN `, ids, nil, func(r row) error {
		var id ward.PhysicianID
		var inst ward.InstitutionID
		err := r.Scan(&id, &inst)
		all[at[id]].Institutions = append(all[at[id]].Institutions, inst)
		return err
	})
	if err != nil {
		return fmt.Errorf("read where %d physicians practise: %w", len(all), err)
	}
	for i := range all {
		slices.Sort(all[i].Institutions)
	}
	return nil
}

func (s *Store) scanPhysician(r row) (ward.Physician, error) {
	var p ward.Physician
	var name, tmpl []byte
	if err := r.Scan(&p.ID, &name, &p.Left, &tmpl, &p.ModelID); err != nil {
		return p, err
	}
	plain, err := s.seal.open(name, "physician.name."+string(p.ID))
	if err != nil {
		return p, err
	}
	p.Name = string(plain)
	p.Template, err = s.seal.openTemplate(tmpl, "physician.template."+string(p.ID))
	p.Enrolled = len(p.Template) > 0
	return p, err
}
