package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// releaseRecord is what the ledger commits to when a release is requested.
type releaseRecord struct {
	Release     ward.ReleaseID     `json:"release"`
	Case        ward.CaseID        `json:"case"`
	Institution ward.InstitutionID `json:"institution"`
	Reason      string             `json:"reason"`
	Count       int                `json:"count"`
	Holds       string             `json:"holds_sha256"`
	By          ward.UserID        `json:"by"`
	At          time.Time          `json:"at"`
}

// releaseAnswer is what the ledger commits to when it is answered.
type releaseAnswer struct {
	Release ward.ReleaseID    `json:"release"`
	Case    ward.CaseID       `json:"case"`
	State   ward.ReleaseState `json:"state"`
	Request int64             `json:"request"` // its leaf
	Holds   string            `json:"holds_sha256"`
	By      ward.UserID       `json:"by"`
	At      time.Time         `json:"at"`
	Reason  string            `json:"reason,omitempty"`
}

func recordOfRelease(r ward.HoldRelease) releaseRecord {
	return releaseRecord{r.ID, r.CaseID, r.InstitutionID, r.Reason, r.Count, r.Holds, r.RequestedBy, r.Requested}
}

func answerOfRelease(r ward.HoldRelease) releaseAnswer {
	return releaseAnswer{r.ID, r.CaseID, r.State, r.Leaf, r.Holds, r.AnsweredBy, r.Answered, r.Answer}
}

// heldBy lists the ids of what the case $1 held at $2 and holds still: holds
// on stretches, and pictures by their items.
const heldBy = `SELECT id FROM hold WHERE case_id = $1 AND release_id = '' AND placed_us <= $2
	UNION ALL SELECT id FROM evidence WHERE case_id = $1 AND release_id = '' AND added_us <= $2 AND kind IN ('snapshot', 'file')`

func (t *tx) heldBy(ctx context.Context, id ward.CaseID, until time.Time) (n int, sum string, err error) {
	rows, err := t.QueryContext(ctx, heldBy, id, us(until))
	if err != nil {
		return 0, "", fmt.Errorf("list what case %s holds: %w", id, err)
	}
	ids, err := collect(rows, scanKey)
	return len(ids), sumOf(ids), err
}

func sumOf(ids []string) string {
	slices.Sort(ids)
	h := sha256.New()
	for _, id := range ids {
		h.Write([]byte(id + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// RequestRelease asks that the case holds no more what it holds now, and seals
// that, with its custody event. ward.Conflict: "release.open" when another
// request waits, "release.nothing" when the case holds nothing.
func (s *Store) RequestRelease(ctx context.Context, id ward.CaseID, reason string, by ward.User) (ward.HoldRelease, error) {
	var r ward.HoldRelease
	err := s.change(ctx, "request the release of what case "+string(id)+" holds", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		r = ward.HoldRelease{
			ID: ward.NewID[ward.ReleaseID](t.now), CaseID: id, State: ward.ReleaseRequested, Reason: reason,
			RequestedBy: by.ID, Requested: at(us(t.now)), AnswerLeaf: -1,
		}
		if err := t.QueryRowContext(ctx, `SELECT institution_id FROM case_file WHERE id = $1`, id).Scan(&r.InstitutionID); err != nil {
			return noCase(err)
		}
		var err error
		if r.Count, r.Holds, err = t.heldBy(ctx, id, r.Requested); err != nil {
			return err
		}
		if err := r.Check(); err != nil {
			return err
		}
		var open int
		if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM hold_release WHERE case_id = $1 AND state = 'requested'`, id).Scan(&open); err != nil {
			return err
		}
		if open > 0 {
			return &ward.Error{Kind: ward.Conflict, Code: "release.open", ZH: "该案件已有一项解除申请待确认。", EN: "The case has a request for release that waits for its confirmation."}
		}
		if r.Leaf, err = t.sealRecord(ctx, KindRelease, string(r.ID)+"/1", recordOfRelease(r)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO hold_release (id, case_id, institution_id, state, reason, named, holds_sha, requested_by, requested_us, answered_by, answered_us, answer, leaf, answer_leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, '', $10, -1)`,
			r.ID, r.CaseID, r.InstitutionID, r.State, r.Reason, r.Count, r.Holds, r.RequestedBy, us(r.Requested), r.Leaf)
		if err != nil {
			return err
		}
		return t.releaseEvent(ctx, r, by, ward.ActionAskRelease, reason)
	})
	return r, err
}

func (t *tx) releaseEvent(ctx context.Context, r ward.HoldRelease, by ward.User, a ward.Action, reason string) error {
	_, err := t.custody(ctx, ward.Custody{CaseID: r.CaseID, Actor: by.ID, Role: by.Role, Action: a, Object: "hold_release/" + string(r.ID), SHA256: r.Holds, Reason: reason})
	return err
}

// AnswerRelease is another person's answer to a request, sealed with its
// custody event; who requested may take it back. Agreed, nothing that it names
// is held for this case any more: the object store lets go of it (see
// HoldKeeper) unless something else holds it, and retention goes on.
func (s *Store) AnswerRelease(ctx context.Context, id ward.ReleaseID, by ward.User, agree bool, answer string) (ward.HoldRelease, error) {
	var r ward.HoldRelease
	err := s.change(ctx, "answer release "+string(id), func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // two answers come one after the other
			return err
		}
		var err error
		if r, err = scanRelease(t.QueryRowContext(ctx, releaseColumns+` WHERE id = $1`, id)); err != nil {
			return noRelease(err)
		}
		if err := r.MayAnswer(by.ID, agree, answer); err != nil {
			return err
		}
		r.State, r.AnsweredBy, r.Answered, r.Answer = ward.ReleaseRefused, by.ID, at(us(t.now)), answer
		action := ward.ActionKeepHold
		if agree {
			r.State, action = ward.ReleaseConfirmed, ward.ActionRelease
			if err := t.endHolds(ctx, r); err != nil {
				return err
			}
		}
		if r.AnswerLeaf, err = t.sealRecord(ctx, KindRelease, string(r.ID)+"/2", answerOfRelease(r)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `UPDATE hold_release SET state = $2, answered_by = $3, answered_us = $4, answer = $5, answer_leaf = $6 WHERE id = $1`,
			r.ID, r.State, r.AnsweredBy, us(r.Answered), r.Answer, r.AnswerLeaf)
		if err != nil {
			return err
		}
		return t.releaseEvent(ctx, r, by, action, answer)
	})
	return r, err
}

// endHolds marks what r names, and queues that the store lets go of it.
func (t *tx) endHolds(ctx context.Context, r ward.HoldRelease) error {
	n, sum, err := t.heldBy(ctx, r.CaseID, r.Requested)
	if err != nil {
		return err
	}
	if n != r.Count || sum != r.Holds {
		return fmt.Errorf("release %s names %d holds (%s), the case has %d (%s): run fsck", r.ID, r.Count, r.Holds, n, sum)
	}
	rows, err := t.QueryContext(ctx, holdColumns+` WHERE case_id = $1 AND release_id = '' AND placed_us <= $2`, r.CaseID, us(r.Requested))
	if err != nil {
		return err
	}
	holds, err := collect(rows, scanHold)
	if err != nil {
		return err
	}
	rows, err = t.QueryContext(ctx, `SELECT ref FROM evidence WHERE case_id = $1 AND release_id = '' AND added_us <= $2 AND kind IN ('snapshot', 'file')`, r.CaseID, us(r.Requested))
	if err != nil {
		return err
	}
	keys, err := collect(rows, scanKey)
	if err != nil {
		return err
	}
	for _, h := range holds {
		rows, err := t.QueryContext(ctx, objectsUnder, underArgs(h)...)
		if err != nil {
			return err
		}
		under, err := collect(rows, scanKey)
		if err != nil {
			return err
		}
		keys = append(keys, under...)
	}
	for _, q := range []string{
		`UPDATE hold SET release_id = $3 WHERE case_id = $1 AND release_id = '' AND placed_us <= $2`,
		`UPDATE evidence SET release_id = $3 WHERE case_id = $1 AND release_id = '' AND added_us <= $2 AND kind IN ('snapshot', 'file')`,
	} {
		if _, err := t.ExecContext(ctx, q, r.CaseID, us(r.Requested), r.ID); err != nil {
			return err
		}
	}
	for _, key := range keys {
		// Whether something else holds it is looked at before the store is asked.
		_, err := t.ExecContext(ctx, `UPDATE object_hold SET state = 'ending', gen = gen + 1, retry_us = 0, why = '' WHERE object_key = $1 AND state <> 'ending'`, key)
		if err != nil {
			return err
		}
	}
	return nil
}

const releaseColumns = `SELECT id, case_id, institution_id, state, reason, named, holds_sha, requested_by, requested_us, answered_by, answered_us, answer, leaf, answer_leaf FROM hold_release`

func scanRelease(row row) (r ward.HoldRelease, err error) {
	var requested, answered int64
	err = row.Scan(&r.ID, &r.CaseID, &r.InstitutionID, &r.State, &r.Reason, &r.Count, &r.Holds, &r.RequestedBy, &requested, &r.AnsweredBy, &answered, &r.Answer, &r.Leaf, &r.AnswerLeaf)
	r.Requested = at(requested)
	if answered != 0 {
		r.Answered = at(answered)
	}
	return r, err
}

func noRelease(err error) error {
	return missing(err, "release.unknown", "没有这项解除申请，请刷新页面。", "There is no such request for release; reload the page.")
}

// Release returns one request, or ward.NotFound.
func (s *Store) Release(ctx context.Context, id ward.ReleaseID) (ward.HoldRelease, error) {
	r, err := scanRelease(s.read.QueryRowContext(ctx, releaseColumns+` WHERE id = $1`, id))
	return r, noRelease(err)
}

// CaseHolds is what a case holds, and how far the object store is with it.
type CaseHolds struct {
	Holds    []ward.Hold // in force and ended, the oldest first
	Pictures int         // held by their items
	Objects  HoldCount   // of those in force
	Releases []ward.HoldRelease
}

// CaseHolds returns the holds of a case.
func (s *Store) CaseHolds(ctx context.Context, id ward.CaseID) (c CaseHolds, err error) {
	what := "list holds of case " + string(id)
	if c.Holds, err = listed(ctx, s, what, scanHold, holdColumns+` WHERE case_id = $1 ORDER BY placed_us, id`, id); err != nil {
		return c, err
	}
	if c.Releases, err = listed(ctx, s, what, scanRelease, releaseColumns+` WHERE case_id = $1 ORDER BY requested_us, id`, id); err != nil {
		return c, err
	}
	pictures, err := listed(ctx, s, what, scanKey, `SELECT ref FROM evidence WHERE case_id = $1 AND kind IN ('snapshot', 'file') AND release_id = ''`, id)
	if err != nil {
		return c, err
	}
	c.Pictures = len(pictures)
	err = s.countObjects(ctx, id, &c)
	return c, err
}
