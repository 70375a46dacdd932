package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"wardwatch/ward"
)

// orderedRecord is what the ledger commits to when a round is ordered: who
// asked whom, why and until when, and no names.
type orderedRecord struct {
	Round       ward.RoundID       `json:"round"`
	Institution ward.InstitutionID `json:"institution"`
	OrderedBy   ward.UserID        `json:"ordered_by"`
	Reason      string             `json:"reason"`
	Ward        string             `json:"ward"`
	Ordered     time.Time          `json:"ordered"`
	Deadline    time.Time          `json:"deadline"`
	Method      ward.RoundMethod   `json:"method,omitempty"` // none: by hand
	RiskVersion int                `json:"risk_version,omitempty"`
	Draw        ward.DrawID        `json:"draw,omitempty"`
	Plan        ward.PlanID        `json:"plan,omitempty"`
	Due         *time.Time         `json:"due,omitempty"`     // when its plan wanted it
	Purpose     ward.Purpose       `json:"purpose,omitempty"` // none: a ward round
	Visits      []orderedVisit     `json:"visits"`
}

type orderedVisit struct {
	Visit     ward.VisitID     `json:"visit"`
	Admission ward.AdmissionID `json:"admission"`
	Physician string           `json:"physician,omitempty"`        // SHA-256 of the nonce, "physician", id
	Duty      ward.DutyID      `json:"duty,omitempty"`             // the start that is checked
	Treatment ward.TreatmentID `json:"treatment,omitempty"`        // the session that it is about
	Call      int              `json:"call,omitempty"`             // of the session; none: its end
	Risk      *int             `json:"risk,omitempty"`             // the score that it was chosen by
	Challenge string           `json:"challenge_sha256,omitempty"` // of the nonce that its challenges are drawn from
}

// recordOfRound is the record of a round without its visits.
func recordOfRound(r ward.Round) orderedRecord {
	rec := orderedRecord{
		Round: r.ID, Institution: r.InstitutionID, OrderedBy: r.OrderedBy, Reason: r.Reason, Ward: r.Ward, Ordered: r.Ordered.UTC(), Deadline: r.Deadline.UTC(),
		Method: r.Method, RiskVersion: r.RiskVersion, Draw: r.DrawID, Purpose: otherwise(r.Purpose),
	}
	if r.Method == ward.ByHand {
		rec.Method = ""
	}
	if r.PlanID != "" {
		due := r.Due.UTC()
		rec.Plan, rec.Due = r.PlanID, &due
	}
	return rec
}

// OrderRound stores the round and its visits, seals the order (kind
// "round") and returns the round with its leaf. tokenHashes[i] is the
// SHA-256 of the link token of visits[i]; the token itself is never stored.
// A patient who was moved since the visits were made is visited where they are now.
func (s *Store) OrderRound(ctx context.Context, r ward.Round, visits []ward.Visit, tokenHashes [][]byte) (ward.Round, error) {
	if len(visits) == 0 || len(visits) != len(tokenHashes) {
		return r, fmt.Errorf("order round %s: %d visits with %d tokens", r.ID, len(visits), len(tokenHashes))
	}
	err := s.change(ctx, "order round "+string(r.ID), func(t *tx) (err error) {
		if err = t.lockAdmissions(ctx); err != nil { // whoever is moved now is seen here, or sees the visit
			return err
		}
		r, err = t.orderRound(ctx, r, visits, tokenHashes)
		return err
	})
	return r, err
}

// OrderDrawn is OrderRound for the round of a draw: the draw's step that
// orders it (kind ward.StepOrder) is sealed in the same transaction.
func (s *Store) OrderDrawn(ctx context.Context, r ward.Round, visits []ward.Visit, tokenHashes [][]byte, c DrawChange) (ward.Round, error) {
	if len(visits) == 0 || len(visits) != len(tokenHashes) {
		return r, fmt.Errorf("order round %s: %d visits with %d tokens", r.ID, len(visits), len(tokenHashes))
	}
	err := s.change(ctx, "order drawn round "+string(r.ID), func(t *tx) error {
		if err := t.lockAdmissions(ctx); err != nil {
			return err
		}
		_, err := t.stepDraw(ctx, c, r.ID)
		if err == nil {
			r, err = t.orderRound(ctx, r, visits, tokenHashes)
		}
		return err
	})
	return r, err
}

func (t *tx) orderRound(ctx context.Context, r ward.Round, visits []ward.Visit, tokenHashes [][]byte) (ward.Round, error) {
	if r.Method == "" {
		r.Method = ward.ByHand
	}
	if r.Purpose == "" {
		r.Purpose = ward.ForVisit
	}
	rec := recordOfRound(r)
	nonces := make([][]byte, len(visits))
	for i, v := range visits {
		o := orderedVisit{Visit: v.ID, Admission: v.AdmissionID, Duty: v.DutyID, Treatment: v.TreatmentID, Call: v.TreatmentCall}
		nonces[i], o.Challenge = newNonce()
		if v.PhysicianID != "" {
			o.Physician = salted(nonces[i], "physician", []byte(v.PhysicianID))
		}
		if score, ok := r.Scores[v.AdmissionID]; ok {
			o.Risk = &score
		}
		rec.Visits = append(rec.Visits, o)
	}
	leaf, err := t.sealRecord(ctx, KindRound, string(r.ID), rec)
	if err != nil {
		return r, err
	}
	r.Leaf = leaf
	r.Notify = append([]ward.EndpointID{}, r.Notify...)
	notify, err := json.Marshal(r.Notify)
	if err != nil {
		return r, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO round (id, institution_id, ordered_by, reason, ward, ordered_us, deadline_us, method, risk_version, draw_id, leaf, plan_id, due_us, remind_us, notify, purpose)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		r.ID, r.InstitutionID, r.OrderedBy, r.Reason, r.Ward, us(r.Ordered), us(r.Deadline), r.Method, r.RiskVersion, r.DrawID, leaf, r.PlanID, us(r.Due), us(r.Remind), string(notify), r.Purpose)
	if err != nil {
		return r, err
	}
	if r.Run != nil {
		if err := t.endRun(ctx, *r.Run); err != nil {
			return r, err
		}
	}
	for i := range visits {
		v := &visits[i]
		v.Purpose = r.Purpose
		if err := t.whereNow(ctx, v); err != nil {
			return r, err
		}
		if err := t.addVisit(ctx, *v, r.Deadline, tokenHashes[i]); err != nil {
			return r, err
		}
		if err := t.keepNonce(ctx, v.ID, nonces[i]); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (t *tx) addVisit(ctx context.Context, v ward.Visit, deadline time.Time, tokenHash []byte) error {
	_, err := t.ExecContext(ctx, `INSERT INTO visit (id, round_id, institution_id, admission_id, insured_id, ward, bed, state, verdict,
			reason_zh, reason_en, decided_by, token_hash, link_expires_us, deadline_us, opened_us, consented_us, sealed_us, snapshot_key, case_id, leaf, purpose, physician_id, duty_id, treatment_id, treatment_call)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', '', '', $9, $10, $11, 0, 0, 0, '', '', -1, $12, $13, $14, $15, $16)`,
		v.ID, v.RoundID, v.InstitutionID, v.AdmissionID, v.InsuredID, v.Ward, v.Bed, ward.VisitOrdered, tokenHash, us(v.LinkExpires), us(deadline), v.Purpose, v.PhysicianID, v.DutyID, v.TreatmentID, v.TreatmentCall)
	if err != nil {
		return fmt.Errorf("add visit %s: %w", v.ID, err)
	}
	return nil
}

const roundColumns = `SELECT id, institution_id, ordered_by, reason, ward, ordered_us, deadline_us, method, risk_version, draw_id, leaf, plan_id, due_us, remind_us, notify, reminded_us, escalated_us, purpose FROM round`

// Round returns one round, or ward.NotFound.
func (s *Store) Round(ctx context.Context, id ward.RoundID) (ward.Round, error) {
	r, err := scanRound(s.read.QueryRowContext(ctx, roundColumns+` WHERE id = $1`, id))
	if err != nil {
		return r, fmt.Errorf("read round %s: %w", id, missing(err, "round.unknown", "没有这次查房，请检查编号。", "No such round; check its id."))
	}
	return r, nil
}

// Rounds lists the rounds of the institutions (nil: all) that were ordered for
// one of the purposes (nil: any), newest first, at most limit, older than the round
// before when it is not empty.
func (s *Store) Rounds(ctx context.Context, insts []ward.InstitutionID, purposes []ward.Purpose, before ward.RoundID, limit int) ([]ward.Round, error) {
	where, args := scope(insts, nil)
	marks := make([]string, len(purposes))
	for i, p := range purposes {
		args = append(args, p)
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	if len(marks) > 0 {
		where += ` AND purpose IN (` + strings.Join(marks, ", ") + `)`
	}
	if before != "" {
		args = append(args, before)
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	args = append(args, limit)
	rows, err := s.read.QueryContext(ctx, roundColumns+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("list rounds: %w", err)
	}
	out, err := collect(rows, scanRound)
	if err != nil {
		return nil, fmt.Errorf("list rounds: %w", err)
	}
	return out, nil
}

func scanRound(r row) (ward.Round, error) {
	var o ward.Round
	var ordered, deadline, due, remind, reminded, escalated int64
	var notify string
	err := r.Scan(&o.ID, &o.InstitutionID, &o.OrderedBy, &o.Reason, &o.Ward, &ordered, &deadline, &o.Method, &o.RiskVersion, &o.DrawID, &o.Leaf,
		&o.PlanID, &due, &remind, &notify, &reminded, &escalated, &o.Purpose)
	if err != nil {
		return o, err
	}
	o.Ordered, o.Deadline, o.Due, o.Remind, o.Reminded, o.Escalated = at(ordered), at(deadline), at(due), at(remind), at(reminded), at(escalated)
	return o, json.Unmarshal([]byte(notify), &o.Notify)
}

const visitColumns = `SELECT id, round_id, institution_id, admission_id, insured_id, ward, bed, state, verdict, reason_zh, reason_en,
	decided_by, link_expires_us, opened_us, consented_us, sealed_us, snapshot_key, snapshot_sha, case_id, leaf, policy, decide_by_us, purpose, physician_id, duty_id, treatment_id, treatment_call FROM visit`

func scanVisit(r row) (ward.Visit, error) {
	var v ward.Visit
	var link, opened, consented, sealed, decide int64
	var sum []byte
	err := r.Scan(&v.ID, &v.RoundID, &v.InstitutionID, &v.AdmissionID, &v.InsuredID, &v.Ward, &v.Bed, &v.State, &v.Verdict,
		&v.ReasonZH, &v.ReasonEN, &v.DecidedBy, &link, &opened, &consented, &sealed, &v.SnapshotKey, &sum, &v.CaseID, &v.Leaf, &v.Policy, &decide, &v.Purpose, &v.PhysicianID, &v.DutyID, &v.TreatmentID, &v.TreatmentCall)
	copy(v.SnapshotSHA[:], sum)
	v.LinkExpires, v.Opened, v.Consented, v.Sealed, v.DecideBy = at(link), at(opened), at(consented), at(sealed), at(decide)
	return v, err
}

// Visit returns one visit, or ward.NotFound.
func (s *Store) Visit(ctx context.Context, id ward.VisitID) (ward.Visit, error) {
	v, err := scanVisit(s.read.QueryRowContext(ctx, visitColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, fmt.Errorf("read visit %s: %w", id, missing(err, "visit.unknown", "没有这条床位查访，请检查编号。", "No such visit; check its id."))
	}
	return v, nil
}

// Visits lists the visits of a round in the order they were made.
func (s *Store) Visits(ctx context.Context, round ward.RoundID) ([]ward.Visit, error) {
	return s.visits(ctx, ` WHERE round_id = $1 ORDER BY id`, round)
}

// OverdueVisits lists the visits whose round's deadline has passed at now
// and whose bedside never began the session.
func (s *Store) OverdueVisits(ctx context.Context, now time.Time) ([]ward.Visit, error) {
	return s.visits(ctx, ` WHERE state IN ('ordered', 'opened', 'consented') AND deadline_us <= $1 ORDER BY id`, us(now))
}

// VisitsIn lists every visit in a state; at the start of a process the
// visits still checking are those that a dead process left.
func (s *Store) VisitsIn(ctx context.Context, state ward.VisitState) ([]ward.Visit, error) {
	return s.visits(ctx, ` WHERE state = $1 ORDER BY id`, state)
}

// UndecidedVisits lists the visits that no human has decided in time at now.
func (s *Store) UndecidedVisits(ctx context.Context, now time.Time) ([]ward.Visit, error) {
	return s.visits(ctx, ` WHERE state = 'deciding' AND decide_by_us > 0 AND decide_by_us <= $1 ORDER BY id`, us(now))
}

func (s *Store) visits(ctx context.Context, where string, arg any) ([]ward.Visit, error) {
	rows, err := s.read.QueryContext(ctx, visitColumns+where, arg)
	if err != nil {
		return nil, fmt.Errorf("list visits: %w", err)
	}
	out, err := collect(rows, scanVisit)
	if err != nil {
		return nil, fmt.Errorf("list visits: %w", err)
	}
	return out, nil
}
