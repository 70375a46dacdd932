package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// Finding is what an institution is told of an alert that was confirmed
// against it, and what it said.
type Finding struct {
	AlertID       ward.AlertID       `json:"alert_id"`
	Version       int64              `json:"version"`
	InstitutionID ward.InstitutionID `json:"institution_id"`
	PlaceID       ward.PlaceID       `json:"place_id"`
	Rule          ward.Rule          `json:"rule"`
	ExternalNo    string             `json:"external_no"`
	At            time.Time          `json:"at"`
	AmountFen     int64              `json:"amount_fen"`
	ExplainZH     string             `json:"explain_zh"`
	ExplainEN     string             `json:"explain_en"`
	State         ward.AlertState    `json:"state"`
	Decided       time.Time          `json:"decided,omitzero"`
	DecisionNote  string             `json:"decision_note"`
	AppealUntil   time.Time          `json:"appeal_until,omitzero"` // zero: it cannot be appealed
	Appeal        string             `json:"appeal"`
	AppealAt      time.Time          `json:"appeal_at,omitzero"`
}

// Findings lists the alerts of institutions (nil: all) that are confirmed, or
// were appealed, before the alert with id before (empty: from the newest),
// newest first, at most limit.
func (s *Store) Findings(ctx context.Context, insts []ward.InstitutionID, before ward.AlertID, limit int) ([]Finding, error) {
	policy, err := s.AlertPolicy(ctx)
	if err != nil {
		return nil, err
	}
	where, args := scope(insts, nil)
	if before != "" {
		args = append(args, before)
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	args = append(args, limit)
	scan := func(r row) (Finding, error) {
		var f Finding
		var when, decided, appealed int64
		var once int
		err := r.Scan(&f.AlertID, &f.Version, &f.InstitutionID, &f.PlaceID, &f.Rule, &f.ExternalNo, &when, &f.AmountFen, &f.ExplainZH, &f.ExplainEN,
			&f.State, &decided, &f.DecisionNote, &once, &f.Appeal, &appealed)
		f.At, f.Decided, f.AppealAt = at(when), at(decided), at(appealed)
		if f.State == ward.AlertConfirmed && once == 0 {
			f.AppealUntil = policy.AppealUntil(ward.Alert{Decided: f.Decided})
		}
		return f, err
	}
	return listed(ctx, s, "list findings", scan, `SELECT a.id, a.version, a.institution_id, a.place_id, a.rule, COALESCE(s.external_no, ''), a.at_us, CASE WHEN a.subject_kind = 'blind' THEN (SELECT COALESCE(SUM(amount_fen), 0) FROM (`+blindBills+`) AS b WHERE b.alert_id = a.id) ELSE COALESCE(s.amount_fen, 0) END,
			a.explain_zh, a.explain_en, a.state, a.decided_us, a.decision_note, a.appealed, COALESCE(e.note, ''), COALESCE(e.at_us, 0)
		FROM (SELECT * FROM alert`+where+` AND (state = 'confirmed' OR appealed = 1) AND shadow = 0`+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args))+`) AS a
			LEFT JOIN settlement s ON s.id = a.subject_id LEFT JOIN alert_event e ON e.alert_id = a.id AND e.action = 'appeal'
		ORDER BY a.id DESC`, args...)
}
