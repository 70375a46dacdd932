package storage

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"

	"wardwatch/ward"
)

// enrolOfVisit stores and seals the reference face that a live check at the
// bedside was for, in the transaction of its verdict: the fused face of the
// session, whose best picture is the visit's snapshot. A face that was erased
// since is a ward.Conflict "enrol.face_gone".
func (t *tx) enrolOfVisit(ctx context.Context, v *ward.Visit) error {
	if v.Purpose != ward.ForEnrolment || v.Verdict != ward.Present {
		return nil
	}
	var model string
	var face []byte
	err := t.QueryRowContext(ctx, `SELECT model_id, template FROM visit_face WHERE visit_id = $1`, v.ID).Scan(&model, &face)
	if errors.Is(err, sql.ErrNoRows) {
		return &ward.Error{Kind: ward.Conflict, Code: "enrol.face_gone", ZH: "本次会话没有可登记的面部，或已按期删除。请重新发起床旁登记。", EN: "There is no face of this session to enrol, or it was erased in time; order a new link."}
	}
	if err != nil {
		return err
	}
	tmpl, err := t.s.seal.openTemplate(face, "visit_face.template."+string(v.ID))
	if err != nil {
		return err
	}
	e := storedEnrolment{
		Enrolment: ward.Enrolment{InsuredID: v.InsuredID, Way: ward.EnrolByVisit, AdmissionID: v.AdmissionID, ModelID: model, VisitID: v.ID}, salt: make([]byte, 32),
	}
	_, _ = rand.Read(e.salt) // never fails
	e.picture = salted(e.salt, "picture", v.SnapshotSHA[:])
	if err := t.QueryRowContext(ctx, `SELECT ordered_by FROM round WHERE id = $1`, v.RoundID).Scan(&e.By); err != nil {
		return err
	}
	if _, err := t.ExecContext(ctx, `UPDATE insured SET template = $2, model_id = $3 WHERE id = $1`, v.InsuredID, t.s.seal.sealTemplate(tmpl, templateCell(v.InsuredID)), model); err != nil {
		return err
	}
	return t.addEnrolment(ctx, &e, tmpl)
}

// PhotoReplaced is the object of the photo of before, when the person's
// reference face was taken from the visit; empty: none is left.
func (s *Store) PhotoReplaced(ctx context.Context, v ward.Visit) (key string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT p.photo_key FROM insured p JOIN enrolment e ON e.insured_id = p.id AND e.version = p.enrolment WHERE e.visit_id = $1`, v.ID).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the photo that visit %s replaced: %w", v.ID, err)
	}
	return key, nil
}

// ForgetPhoto notes that the object of a person's photo is gone.
func (s *Store) ForgetPhoto(ctx context.Context, id ward.InsuredID, key string) error {
	return s.change(ctx, "forget the photo of insured "+string(id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE insured SET photo_key = '' WHERE id = $1 AND photo_key = $2`, id, key)
		return err
	})
}
