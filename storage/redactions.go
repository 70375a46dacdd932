package storage

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

const redactionColumns = `SELECT id, case_id, institution_id, evidence_id, state, plan, reason, by_user, by_role, asked_us, ended_us, output, result, fault FROM redaction`

func scanRedaction(row row) (r ward.Redaction, err error) {
	var plan string
	var asked, ended int64
	if err := row.Scan(&r.ID, &r.CaseID, &r.InstitutionID, &r.EvidenceID, &r.State, &plan, &r.Reason, &r.By, &r.Role, &asked, &ended, &r.Key, &r.ResultID, &r.Fault); err != nil {
		return r, err
	}
	r.Asked = at(asked)
	if ended != 0 {
		r.Ended = at(ended)
	}
	return r, json.Unmarshal([]byte(plan), &r.Plan)
}

// Redactable says whether a redaction can be made of an item: of recordings
// and pictures, and not of what is a derivative itself.
func Redactable(e ward.Evidence) bool {
	switch e.Kind {
	case ward.EvidenceSegment, ward.EvidenceSnapshot:
		return true
	case ward.EvidenceFile:
		return hasExt(e.Ref, ".jpg", ".png") && !derivative(e.Ref)
	case ward.EvidenceSettlement, ward.EvidenceAlert, ward.EvidenceVisit, ward.EvidenceStretch, ward.EvidenceSighting, ward.EvidenceBlind, ward.EvidenceDraw, ward.EvidenceOutage:
	}
	return false
}

// QueueRedaction asks for a redaction of an item. ward.Invalid "redaction.kind"
// when none can be made of it, and the errors of the plan and the reason.
func (s *Store) QueueRedaction(ctx context.Context, e ward.Evidence, inst ward.InstitutionID, plan ward.RedactionPlan, reason string, by ward.User) (ward.Redaction, error) {
	r := ward.Redaction{CaseID: e.CaseID, InstitutionID: inst, EvidenceID: e.ID, State: ward.RedactionQueued, Plan: plan, Reason: reason, By: by.ID, Role: by.Role}
	if !Redactable(e) {
		return r, &ward.Error{Kind: ward.Invalid, Code: "redaction.kind", ZH: "只能遮挡录像、截图和上传的 JPEG、PNG 图片的原件。", EN: "Only recordings, snapshots and uploaded JPEG or PNG pictures can be covered, and no derivative."}
	}
	if err := errors.Join(plan.Check(), ward.CheckMaskReason(reason)); err != nil {
		return r, err
	}
	body, err := json.Marshal(plan)
	if err != nil {
		return r, fmt.Errorf("queue redaction: %w", err)
	}
	err = s.change(ctx, "queue a redaction of evidence "+string(e.ID), func(t *tx) error {
		r.ID, r.Asked = ward.NewID[ward.RedactionID](t.now), at(us(t.now))
		r.Key = redactionKey(inst, r.ID, e)
		_, err := t.ExecContext(ctx, `INSERT INTO redaction (id, case_id, institution_id, evidence_id, state, plan, reason, by_user, by_role, asked_us, ended_us, output, result, fault)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, '', '')`, r.ID, r.CaseID, inst, e.ID, r.State, string(body), reason, by.ID, by.Role, us(r.Asked), r.Key)
		return err
	})
	return r, err
}

// Redaction returns one, or ward.NotFound.
func (s *Store) Redaction(ctx context.Context, id ward.RedactionID) (ward.Redaction, error) {
	r, err := scanRedaction(s.read.QueryRowContext(ctx, redactionColumns+` WHERE id = $1`, id))
	return r, missing(err, "redaction.unknown", "没有这项遮挡任务，请刷新页面。", "There is no such redaction; reload the page.")
}

// Redactions returns those of a case, the oldest first.
func (s *Store) Redactions(ctx context.Context, id ward.CaseID) ([]ward.Redaction, error) {
	return listed(ctx, s, "list redactions of case "+string(id), scanRedaction, redactionColumns+` WHERE case_id = $1 ORDER BY asked_us, id`, id)
}

// QueuedRedactions returns those that are to be made, the first asked for first.
func (s *Store) QueuedRedactions(ctx context.Context) ([]ward.Redaction, error) {
	return listed(ctx, s, "list queued redactions", scanRedaction, redactionColumns+` WHERE state = 'queued' ORDER BY asked_us, id`)
}

// EndRedaction says that a redaction failed, with a code, or was cancelled. One
// that has ended is a ward.Conflict "redaction.ended".
func (s *Store) EndRedaction(ctx context.Context, id ward.RedactionID, state ward.RedactionState, fault string) error {
	return s.change(ctx, "end redaction "+string(id), func(t *tx) error {
		res, err := t.ExecContext(ctx, `UPDATE redaction SET state = $2, fault = $3, ended_us = $4 WHERE id = $1 AND state = 'queued'`, id, state, fault, us(t.now))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, redactionEnded())
		}
		return nil
	})
}

func redactionEnded() error {
	return &ward.Error{Kind: ward.Conflict, Code: "redaction.ended", ZH: "该遮挡任务已结束，请刷新页面。", EN: "The redaction has ended; reload the page."}
}

// FinishRedaction seals the derivative that is in the object store under the
// redaction's key, adds it to the case and covers the item from now on, all or
// nothing, with the custody event. A redaction that has ended meanwhile is a
// ward.Conflict "redaction.ended".
func (s *Store) FinishRedaction(ctx context.Context, id ward.RedactionID, v sealed.Upload) (ward.Redaction, error) {
	var r ward.Redaction
	err := s.change(ctx, "finish redaction "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var err error
		if r, err = scanRedaction(t.QueryRowContext(ctx, redactionColumns+` WHERE id = $1`, id)); err != nil {
			return err
		}
		if r.State != ward.RedactionQueued {
			return redactionEnded()
		}
		e, err := scanEvidence(t.QueryRowContext(ctx, evidenceColumns+` WHERE id = $1`, r.EvidenceID))
		if err != nil {
			return err
		}
		if v.Derived == nil || v.Derived.SHA256 != hex.EncodeToString(e.SHA256[:]) {
			return fmt.Errorf("the derivative is not of %s %s", e.Kind, e.Ref)
		}
		by := ward.User{ID: r.By, Role: r.Role}
		added, err := t.addUpload(ctx, r.CaseID, r.Key, v, by)
		if err != nil {
			return err
		}
		r.State, r.Ended, r.ResultID = ward.RedactionDone, at(us(t.now)), added[0].ID
		if _, err := t.ExecContext(ctx, `UPDATE redaction SET state = $2, ended_us = $3, result = $4 WHERE id = $1`, r.ID, r.State, us(r.Ended), r.ResultID); err != nil {
			return err
		}
		_, err = t.custody(ctx, ward.Custody{
			CaseID: r.CaseID, Actor: r.By, Role: r.Role, Action: ward.ActionRedact, Object: string(e.Kind) + "/" + e.Ref, SHA256: v.Derived.SHA256, Reason: r.Reason,
		})
		return err
	})
	return r, err
}
