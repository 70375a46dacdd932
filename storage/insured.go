package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// PutInsured stores a person's name and number, sealed; for a known id it
// replaces them and keeps the enrolment. Stays that wait for that number
// become that person's. Template, ModelID and PhotoKey of p
// are ignored: see Enrol. Errors: ward.Invalid "insured.id" for an id that
// looks like a national ID number, "insured.invalid" for another bad setting.
func (s *Store) PutInsured(ctx context.Context, p ward.Insured) error {
	if ward.LooksNational(string(p.ID)) {
		return &ward.Error{
			Kind: ward.Invalid, Code: "insured.id",
			ZH: "编号不能是身份证号：编号会出现在地址和日志中，请使用假名编号。",
			EN: "The id must not be a national ID number, since ids are seen in addresses and logs; use a pseudonymous id.",
		}
	}
	if !ward.ValidID(string(p.ID)) || p.Name == "" {
		return &ward.Error{
			Kind: ward.Invalid, Code: "insured.invalid",
			ZH: "参保人编号或姓名不正确：编号为 1 到 64 位小写字母、数字、- 或 _，姓名不能为空。",
			EN: "The insured person's id or name is not right: the id is 1 to 64 of a-z, 0-9, - and _, the name is not empty.",
		}
	}
	name := s.seal.seal([]byte(p.Name), "insured.name."+string(p.ID))
	number := s.seal.seal([]byte(p.IDNumber), "insured.id_number."+string(p.ID))
	ref := s.numberRef(p.IDNumber)
	return s.change(ctx, "put insured "+string(p.ID), func(t *tx) error {
		if err := t.lockAdmissions(ctx); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `INSERT INTO insured (id, name, id_number, photo_key, template, model_id, number_ref)
			VALUES ($1, $2, $3, '', NULL, '', $4)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, id_number = excluded.id_number, number_ref = excluded.number_ref`, p.ID, name, number, ref)
		if err != nil {
			return err
		}
		return t.joinAdmissions(ctx, p.ID, ref)
	})
}

// Enrol stores the reference face of a known person, sealed, with the id of
// the model that made it, without a version: see EnrolBy. photoKey is the photo in the object store, or
// empty. An unknown person is a ward.NotFound.
func (s *Store) Enrol(ctx context.Context, id ward.InsuredID, tmpl ward.Template, modelID, photoKey string) error {
	if len(tmpl) == 0 || modelID == "" {
		return fmt.Errorf("enrol insured %s: no template or no model id", id)
	}
	return s.change(ctx, "enrol insured "+string(id), func(t *tx) error { return t.enrol(ctx, id, tmpl, modelID, photoKey) })
}

func (t *tx) enrol(ctx context.Context, id ward.InsuredID, tmpl ward.Template, modelID, photoKey string) error {
	sealed := t.s.seal.sealTemplate(tmpl, templateCell(id))
	res, err := t.ExecContext(ctx, `UPDATE insured SET template = $2, model_id = $3, photo_key = $4 WHERE id = $1`, id, sealed, modelID, photoKey)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return insuredUnknown()
}

func templateCell(id ward.InsuredID) string { return "insured.template." + string(id) }

func insuredUnknown() *ward.Error {
	return &ward.Error{Kind: ward.NotFound, Code: "insured.unknown", ZH: "没有这位参保人，请检查编号。", EN: "No such insured person; check the id."}
}

const insuredColumns = `SELECT id, name, id_number, photo_key, template, model_id, enrolment, proxy FROM insured`

// Insured returns one person with the template, or ward.NotFound.
func (s *Store) Insured(ctx context.Context, id ward.InsuredID) (ward.Insured, error) {
	p, err := s.scanInsured(s.read.QueryRowContext(ctx, insuredColumns+` WHERE id = $1`, id))
	if err != nil {
		e := insuredUnknown()
		return p, fmt.Errorf("read insured %s: %w", id, missing(err, e.Code, e.ZH, e.EN))
	}
	return p, nil
}

// InsuredByNumber returns the person with exactly that number, or ward.NotFound.
func (s *Store) InsuredByNumber(ctx context.Context, number string) (ward.Insured, error) {
	p, err := s.scanInsured(s.read.QueryRowContext(ctx, insuredColumns+` WHERE number_ref = $1 AND $1 <> $2 ORDER BY id LIMIT 1`, s.numberRef(number), []byte{}))
	if err != nil {
		return p, fmt.Errorf("find insured by number: %w", missing(err, "insured.number", "没有这个号码的参保人，请核对号码。", "Nobody has this number; check it."))
	}
	return p, nil
}

// InsuredAfter lists at most limit people (1 to 500; 0 means 50) with ids
// after the one given, by id; "" begins the list.
func (s *Store) InsuredAfter(ctx context.Context, after ward.InsuredID, limit int) ([]ward.Insured, error) {
	rows, err := s.read.QueryContext(ctx, insuredColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, after, pageSize(limit))
	if err != nil {
		return nil, fmt.Errorf("list insured: %w", err)
	}
	list, err := collect(rows, s.scanInsured)
	if err != nil {
		return nil, fmt.Errorf("list insured: %w", err)
	}
	return list, nil
}

// InsuredMany returns those of the people that are known, by id.
func (s *Store) InsuredMany(ctx context.Context, ids []ward.InsuredID) (map[ward.InsuredID]ward.Insured, error) {
	out := make(map[ward.InsuredID]ward.Insured, len(ids))
	marks, args := placeholders(ids)
	rows, err := s.read.QueryContext(ctx, insuredColumns+` WHERE id IN (`+marks+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("list insured: %w", err)
	}
	all, err := collect(rows, s.scanInsured)
	if err != nil {
		return nil, fmt.Errorf("list insured: %w", err)
	}
	for _, p := range all {
		out[p.ID] = p
	}
	return out, nil
}

func (s *Store) scanInsured(r row) (ward.Insured, error) {
	var p ward.Insured
	var name, number, tmpl []byte
	if err := r.Scan(&p.ID, &name, &number, &p.PhotoKey, &tmpl, &p.ModelID, &p.Enrolment, &p.Proxy); err != nil {
		return p, err
	}
	plain, err := s.seal.open(name, "insured.name."+string(p.ID))
	if err != nil {
		return p, err
	}
	p.Name = string(plain)
	if plain, err = s.seal.open(number, "insured.id_number."+string(p.ID)); err != nil {
		return p, err
	}
	p.IDNumber = string(plain)
	p.Template, err = s.seal.openTemplate(tmpl, templateCell(p.ID))
	p.Enrolled = len(p.Template) > 0
	return p, err
}
