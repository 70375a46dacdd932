package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// rulingRecord is what the ledger commits to when a ruling is proposed. It
// names who proposes; who was at the bedside only by a hash.
type rulingRecord struct {
	Ruling       ward.RulingID      `json:"ruling"`
	Visit        ward.VisitID       `json:"visit"`
	Institution  ward.InstitutionID `json:"institution"`
	Circumstance ward.Circumstance  `json:"circumstance"`
	Verdict      ward.Verdict       `json:"verdict"`
	Reason       string             `json:"reason"`
	People       string             `json:"people_sha256"` // of the JSON of rulingPeople
	Proofs       []string           `json:"proofs_sha256"`
	Over         ward.Verdict       `json:"over"`
	OverLeaf     int64              `json:"over_leaf"` // -1: the visit had no verdict
	By           ward.UserID        `json:"by"`
	At           time.Time          `json:"at"`
	Due          time.Time          `json:"due"`
}

// rulingAnswer is what the ledger commits to when a ruling is answered or lapses.
type rulingAnswer struct {
	Ruling   ward.RulingID    `json:"ruling"`
	Visit    ward.VisitID     `json:"visit"`
	State    ward.RulingState `json:"state"`
	Verdict  ward.Verdict     `json:"verdict"`
	Proposal int64            `json:"proposal"` // its leaf
	By       ward.UserID      `json:"by,omitempty"`
	At       time.Time        `json:"at"`
	Reason   string           `json:"reason,omitempty"`
}

// rulingPeople is who was named at the bedside, with a salt that keeps the
// hash of a name from being guessed.
type rulingPeople struct {
	Salt   string   `json:"salt"`
	People []string `json:"people"`
}

func rulingCell(id ward.RulingID) string { return "ruling.people." + string(id) }

// ProposeRuling stores a proposal and seals it (kind "ruling"). Over and its
// leaf are read here. A ward.Conflict: "ruling.open" when the visit has a
// proposal already, "visit.state" while its checks run.
func (s *Store) ProposeRuling(ctx context.Context, r ward.Ruling) (ward.Ruling, error) {
	if err := r.Check(); err != nil {
		return r, err
	}
	err := s.change(ctx, "propose ruling on visit "+string(r.VisitID), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		v, err := t.visit(ctx, r.VisitID)
		if err != nil {
			return err
		}
		if v.State == ward.VisitChecking {
			return visitState()
		}
		all, err := s.rulingsIn(ctx, t.Tx, `visit_id = $1`, v.ID)
		if err != nil {
			return err
		}
		for _, o := range all {
			if o.State == ward.RulingProposed {
				return &ward.Error{Kind: ward.Conflict, Code: "ruling.open", ZH: "该查访已有一项提议待确认。", EN: "The visit has a proposal that waits for its confirmation."}
			}
		}
		r.InstitutionID, r.State, r.AnswerLeaf = v.InstitutionID, ward.RulingProposed, -1
		r.Over, r.OverLeaf, _ = ward.InForce(v, all)
		r.Proposed, r.Due = at(us(t.now)), at(us(r.Due))
		return t.addRuling(ctx, &r)
	})
	return r, err
}

func (t *tx) addRuling(ctx context.Context, r *ward.Ruling) error {
	var salt [16]byte
	_, _ = rand.Read(salt[:])
	people, err := json.Marshal(rulingPeople{hex.EncodeToString(salt[:]), r.People})
	if err != nil {
		return err
	}
	if r.Leaf, err = t.sealRecord(ctx, KindRuling, string(r.ID)+"/1", recordOfRuling(*r, people)); err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO ruling (id, visit_id, institution_id, circumstance, verdict, reason, people, state, over_verdict, over_leaf,
			proposed_by, proposed_us, due_us, answered_by, answered_us, answer, leaf, answer_leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', 0, '', $14, -1)`,
		r.ID, r.VisitID, r.InstitutionID, r.Circumstance, r.Verdict, r.Reason, t.s.seal.seal(people, rulingCell(r.ID)), r.State, r.Over, r.OverLeaf,
		r.ProposedBy, us(r.Proposed), us(r.Due), r.Leaf)
	if err != nil {
		return err
	}
	for i, p := range r.Proofs {
		sum, err := hex.DecodeString(p.SHA256)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO ruling_proof (ruling_id, seq, object_key, sha256, media_type) VALUES ($1, $2, $3, $4, $5)`, r.ID, i+1, p.Key, sum, p.MediaType); err != nil {
			return err
		}
	}
	return t.addVisitEvent(ctx, r.VisitID, "ruling", t.now, map[string]any{"ruling": r.ID, "state": r.State, "by": r.ProposedBy})
}

func recordOfRuling(r ward.Ruling, people []byte) rulingRecord {
	rec := rulingRecord{
		Ruling: r.ID, Visit: r.VisitID, Institution: r.InstitutionID, Circumstance: r.Circumstance, Verdict: r.Verdict, Reason: r.Reason,
		People: hexOf(sha256.Sum256(people)), Proofs: []string{}, Over: r.Over, OverLeaf: r.OverLeaf, By: r.ProposedBy, At: r.Proposed, Due: r.Due,
	}
	for _, p := range r.Proofs {
		rec.Proofs = append(rec.Proofs, p.SHA256)
	}
	return rec
}

func answerOfRuling(r ward.Ruling) rulingAnswer {
	return rulingAnswer{r.ID, r.VisitID, r.State, r.Verdict, r.Leaf, r.AnsweredBy, r.Answered, r.Answer}
}

// AnswerRuling is another person's answer to a proposal, sealed. Agreed, the
// ruling counts from now: a visit without a verdict is sealed with it, and
// for one with a verdict it stands beside that. Besides what
// ward.Ruling.MayAnswer says: ward.Conflict "ruling.changed" when the visit
// has got another verdict since the proposal, "visit.state" while its checks run.
func (s *Store) AnswerRuling(ctx context.Context, id ward.RulingID, by ward.User, agree bool, answer string) (ward.Ruling, ward.Visit, error) {
	var r ward.Ruling
	var v ward.Visit
	err := s.change(ctx, "answer ruling "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // two answers come one after the other
			return err
		}
		var err error
		if r, err = s.ruling(ctx, t.Tx, id); err != nil {
			return err
		}
		if err = r.MayAnswer(by.ID, agree, t.now); err != nil {
			return err
		}
		if v, err = t.visit(ctx, r.VisitID); err != nil {
			return err
		}
		state := ward.RulingRejected
		if agree {
			state = ward.RulingConfirmed
			if err = t.confirmable(ctx, r, v); err != nil {
				return err
			}
			if v.State != ward.VisitSealed {
				v.Verdict, v.DecidedBy, v.ReasonZH, v.ReasonEN = r.Verdict, r.ProposedBy, r.Reason, r.Reason
				if err = t.sealVisit(ctx, &v, nil, false); err != nil {
					return err
				}
			}
		}
		r.State, r.AnsweredBy, r.Answer = state, by.ID, answer
		if err = t.closeRuling(ctx, &r); err != nil || !agree || v.CaseID == "" {
			return err
		}
		_, err = t.custody(ctx, ward.Custody{CaseID: v.CaseID, Actor: by.ID, Role: by.Role, Action: ward.ActionRule, Object: "visit/" + string(v.ID), Reason: string(r.Verdict) + ": " + r.Reason})
		return err
	})
	return r, v, err
}

// confirmable refuses a ruling over something else than what its proposer saw.
func (t *tx) confirmable(ctx context.Context, r ward.Ruling, v ward.Visit) error {
	if v.State == ward.VisitChecking {
		return visitState()
	}
	all, err := t.s.rulingsIn(ctx, t.Tx, `visit_id = $1`, v.ID)
	if err != nil {
		return err
	}
	verdict, leaf, _ := ward.InForce(v, all)
	if leaf != r.OverLeaf && (r.Over != ward.NoVerdict || verdict != ward.NoAnswer && verdict != ward.Discharged) {
		return &ward.Error{Kind: ward.Conflict, Code: "ruling.changed", ZH: "提议之后该查访已有新的结论，请重新提出。", EN: "The visit has got another verdict since; make a new proposal."}
	}
	return nil
}

// closeRuling stores and seals r's new state.
func (t *tx) closeRuling(ctx context.Context, r *ward.Ruling) error {
	r.Answered = at(us(t.now))
	var err error
	if r.AnswerLeaf, err = t.sealRecord(ctx, KindRuling, string(r.ID)+"/2", answerOfRuling(*r)); err != nil {
		return err
	}
	res, err := t.ExecContext(ctx, `UPDATE ruling SET state = $2, answered_by = $3, answered_us = $4, answer = $5, answer_leaf = $6 WHERE id = $1 AND state = 'proposed'`,
		r.ID, r.State, r.AnsweredBy, us(r.Answered), r.Answer, r.AnswerLeaf)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n != 1 {
		return fmt.Errorf("close ruling %s: it is not open", r.ID)
	}
	return t.addVisitEvent(ctx, r.VisitID, "ruling", t.now, map[string]any{"ruling": r.ID, "state": r.State, "by": r.AnsweredBy})
}

// LapseRulings closes the proposals that nobody answered in time at now.
func (s *Store) LapseRulings(ctx context.Context, now time.Time) ([]ward.Ruling, error) {
	due, err := s.rulingsIn(ctx, s.read, `state = 'proposed' AND due_us <= $1`, us(now))
	if err != nil {
		return nil, err
	}
	var out []ward.Ruling
	for _, r := range due {
		err := s.change(ctx, "lapse ruling "+string(r.ID), func(t *tx) error {
			if err := t.lockLedger(ctx); err != nil {
				return err
			}
			is, err := s.ruling(ctx, t.Tx, r.ID)
			if err != nil || is.State != ward.RulingProposed {
				return err
			}
			is.State = ward.RulingLapsed
			if err := t.closeRuling(ctx, &is); err != nil {
				return err
			}
			r = is
			return nil
		})
		if err != nil {
			return out, err
		}
		if r.State == ward.RulingLapsed {
			out = append(out, r)
		}
	}
	return out, nil
}
