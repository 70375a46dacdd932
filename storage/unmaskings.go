package storage

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// redactions is the folder of derivatives in an institution's part of the object store.
const redactions = "/redactions/"

func redactionKey(inst ward.InstitutionID, id ward.RedactionID, e ward.Evidence) string {
	ext := ".jpg"
	if e.Kind == ward.EvidenceSegment {
		ext = ".mp4"
	}
	return "v1/" + string(inst) + redactions + string(id) + ext
}

// derivative says whether a file's key is that of a derivative, which this
// system made and which can be shown.
func derivative(key string) bool { return strings.Contains(key, redactions) }

// IsDerivative says whether an item is one that this system made of another.
func IsDerivative(e ward.Evidence) bool { return e.Kind == ward.EvidenceFile && derivative(e.Ref) }

func hasExt(key string, all ...string) bool { return slices.Contains(all, path.Ext(key)) }

// unmaskRecord is what the ledger commits to when an unmasking is requested.
type unmaskRecord struct {
	Unmasking   ward.UnmaskingID   `json:"unmasking"`
	Case        ward.CaseID        `json:"case"`
	Institution ward.InstitutionID `json:"institution"`
	Evidence    ward.EvidenceID    `json:"evidence"`
	Reason      string             `json:"reason"`
	By          ward.UserID        `json:"by"`
	At          time.Time          `json:"at"`
}

// unmaskAnswer is what the ledger commits to when it is answered.
type unmaskAnswer struct {
	Unmasking ward.UnmaskingID  `json:"unmasking"`
	State     ward.ReleaseState `json:"state"`
	Request   int64             `json:"request"` // its leaf
	By        ward.UserID       `json:"by"`
	At        time.Time         `json:"at"`
	Until     time.Time         `json:"until,omitzero"`
	Reason    string            `json:"reason,omitempty"`
}

func recordOfUnmasking(r ward.Unmasking) unmaskRecord {
	return unmaskRecord{r.ID, r.CaseID, r.InstitutionID, r.EvidenceID, r.Reason, r.RequestedBy, r.Requested}
}

func answerOfUnmasking(r ward.Unmasking) unmaskAnswer {
	return unmaskAnswer{r.ID, r.State, r.Leaf, r.AnsweredBy, r.Answered, r.Until, r.Answer}
}

const unmaskingColumns = `SELECT id, case_id, institution_id, evidence_id, state, reason, requested_by, requested_us, answered_by, answered_us, answer, until_us, leaf, answer_leaf FROM unmasking`

func scanUnmasking(row row) (r ward.Unmasking, err error) {
	var requested, answered, until int64
	err = row.Scan(&r.ID, &r.CaseID, &r.InstitutionID, &r.EvidenceID, &r.State, &r.Reason, &r.RequestedBy, &requested, &r.AnsweredBy, &answered, &r.Answer, &until, &r.Leaf, &r.AnswerLeaf)
	r.Requested = at(requested)
	if answered != 0 {
		r.Answered = at(answered)
	}
	if until != 0 {
		r.Until = at(until)
	}
	return r, err
}

// Unmasking returns one request, or ward.NotFound.
func (s *Store) Unmasking(ctx context.Context, id ward.UnmaskingID) (ward.Unmasking, error) {
	r, err := scanUnmasking(s.read.QueryRowContext(ctx, unmaskingColumns+` WHERE id = $1`, id))
	return r, missing(err, "unmask.unknown", "没有这项申请，请刷新页面。", "There is no such request; reload the page.")
}

// Unmaskings returns the requests of a case, the oldest first.
func (s *Store) Unmaskings(ctx context.Context, id ward.CaseID) ([]ward.Unmasking, error) {
	return listed(ctx, s, "list unmaskings of case "+string(id), scanUnmasking, unmaskingColumns+` WHERE case_id = $1 ORDER BY requested_us, id`, id)
}

// coveredFor is a condition on evidence e of a done redaction: nobody has allowed
// $1 to see what it is as it is at $2, in whatever case it is.
const coveredFor = `NOT EXISTS (SELECT 1 FROM unmasking u JOIN evidence o ON o.id = u.evidence_id
	WHERE o.kind = e.kind AND o.ref = e.ref AND u.requested_by = $1 AND u.state = 'confirmed' AND u.until_us > $2)`

// Covered returns the items of a case that a redaction covers, also one made in
// another case, and that by may not see as they are now; by "": whom nobody can
// have allowed it.
func (s *Store) Covered(ctx context.Context, id ward.CaseID, by ward.UserID) (map[ward.EvidenceID]bool, error) {
	ids, err := listed(ctx, s, "list what is covered in case "+string(id), scanKey, `SELECT DISTINCT i.id FROM redaction r JOIN evidence e ON e.id = r.evidence_id
		JOIN evidence i ON i.case_id = $3 AND i.kind = e.kind AND i.ref = e.ref WHERE r.state = 'done' AND `+coveredFor, by, us(time.Now()), id)
	out := make(map[ward.EvidenceID]bool, len(ids))
	for _, e := range ids {
		out[ward.EvidenceID(e)] = true
	}
	return out, err
}

// CoveredObject says whether a redaction covers the picture under a key, and by
// may not see it as it is now.
func (s *Store) CoveredObject(ctx context.Context, key string, by ward.UserID) (bool, error) {
	ids, err := listed(ctx, s, "look whether "+key+" is covered", scanKey, `SELECT e.id FROM evidence e JOIN redaction r ON r.evidence_id = e.id
		WHERE e.ref = $3 AND e.kind IN ('snapshot', 'file') AND r.state = 'done' AND `+coveredFor+` LIMIT 1`, by, us(time.Now()), key)
	return len(ids) > 0, err
}

// CoveredSpan says whether a recording of src that overlaps [from, to) is covered
// in some case, and by may not see it as it is now.
func (s *Store) CoveredSpan(ctx context.Context, src ward.Source, from, to time.Time, by ward.UserID) (bool, error) {
	ids, err := listed(ctx, s, "list what is covered of "+src.String(), scanKey, `SELECT g.id FROM redaction r JOIN evidence e ON e.id = r.evidence_id JOIN segment g ON g.id = e.ref
		WHERE r.state = 'done' AND e.kind = 'segment' AND g.source_kind = $3 AND g.source_id = $4 AND g.start_us < $6 AND g.end_us > $5 AND `+coveredFor+` LIMIT 1`,
		by, us(time.Now()), src.Kind, src.ID, us(from), us(to))
	return len(ids) > 0, err
}

// RequestUnmasking asks that by may see a covered item as it is, and seals
// that with its custody event. ward.Conflict: "unmask.open" when another such
// request waits, "unmask.nothing" when nothing covers the item.
func (s *Store) RequestUnmasking(ctx context.Context, e ward.Evidence, inst ward.InstitutionID, reason string, by ward.User) (ward.Unmasking, error) {
	r := ward.Unmasking{CaseID: e.CaseID, InstitutionID: inst, EvidenceID: e.ID, State: ward.ReleaseRequested, Reason: reason, RequestedBy: by.ID, AnswerLeaf: -1}
	if err := ward.CheckMaskReason(reason); err != nil {
		return r, err
	}
	err := s.change(ctx, "request the unmasking of evidence "+string(e.ID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		r.ID, r.Requested = ward.NewID[ward.UnmaskingID](t.now), at(us(t.now))
		var covers, open int
		if err := t.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM redaction r JOIN evidence i ON i.id = r.evidence_id WHERE i.kind = $3 AND i.ref = $4 AND r.state = 'done'),
			(SELECT COUNT(*) FROM unmasking WHERE evidence_id = $1 AND requested_by = $2 AND state = 'requested')`, e.ID, by.ID, e.Kind, e.Ref).Scan(&covers, &open); err != nil {
			return err
		}
		switch {
		case covers == 0:
			return &ward.Error{Kind: ward.Conflict, Code: "unmask.nothing", ZH: "该证据没有遮挡，可直接查看。", EN: "Nothing covers the item; look at it."}
		case open > 0:
			return &ward.Error{Kind: ward.Conflict, Code: "unmask.open", ZH: "您已申请查看该原件，请等待另一人批准。", EN: "Your request for it waits for another person's answer."}
		}
		var err error
		if r.Leaf, err = t.sealRecord(ctx, KindUnmasking, string(r.ID)+"/1", recordOfUnmasking(r)); err != nil {
			return err
		}
		if _, err = t.ExecContext(ctx, `INSERT INTO unmasking (id, case_id, institution_id, evidence_id, state, reason, requested_by, requested_us, answered_by, answered_us, answer, until_us, leaf, answer_leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, '', 0, $9, -1)`, r.ID, r.CaseID, inst, e.ID, r.State, reason, by.ID, us(r.Requested), r.Leaf); err != nil {
			return err
		}
		return t.unmaskEvent(ctx, r, by, ward.ActionAskUnmask, reason)
	})
	return r, err
}

func (t *tx) unmaskEvent(ctx context.Context, r ward.Unmasking, by ward.User, a ward.Action, reason string) error {
	_, err := t.custody(ctx, ward.Custody{CaseID: r.CaseID, Actor: by.ID, Role: by.Role, Action: a, Object: "evidence/" + string(r.EvidenceID), Reason: reason})
	return err
}

// AnswerUnmasking is another person's answer to a request, sealed with its
// custody event; who requested may take it back. Agreed, who requested may see
// the item as it is for ward.UnmaskedFor.
func (s *Store) AnswerUnmasking(ctx context.Context, id ward.UnmaskingID, by ward.User, agree bool, answer string) (ward.Unmasking, error) {
	var r ward.Unmasking
	err := s.change(ctx, "answer unmasking "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // two answers come one after the other
			return err
		}
		var err error
		if r, err = scanUnmasking(t.QueryRowContext(ctx, unmaskingColumns+` WHERE id = $1`, id)); err != nil {
			return missing(err, "unmask.unknown", "没有这项申请，请刷新页面。", "There is no such request; reload the page.")
		}
		if err := r.MayAnswer(by.ID, agree, answer); err != nil {
			return err
		}
		r.State, r.AnsweredBy, r.Answered, r.Answer = ward.ReleaseRefused, by.ID, at(us(t.now)), answer
		action, until := ward.ActionKeepMask, int64(0)
		if agree {
			r.State, r.Until, action = ward.ReleaseConfirmed, r.Answered.Add(ward.UnmaskedFor), ward.ActionLiftMask
			until = us(r.Until)
		}
		if r.AnswerLeaf, err = t.sealRecord(ctx, KindUnmasking, string(r.ID)+"/2", answerOfUnmasking(r)); err != nil {
			return err
		}
		if _, err = t.ExecContext(ctx, `UPDATE unmasking SET state = $2, answered_by = $3, answered_us = $4, answer = $5, until_us = $6, answer_leaf = $7 WHERE id = $1`,
			r.ID, r.State, r.AnsweredBy, us(r.Answered), r.Answer, until, r.AnswerLeaf); err != nil {
			return err
		}
		return t.unmaskEvent(ctx, r, by, action, answer)
	})
	return r, err
}
