package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// decisionRecord is sealed (kind "decision") at every step of an alert but
// the first, which is sealed as the alert itself.
type decisionRecord struct {
	Alert    ward.AlertID       `json:"alert"`
	Seq      int64              `json:"seq,omitempty"`
	At       time.Time          `json:"at,omitzero"`
	Action   ward.AlertAction   `json:"action,omitempty"`
	From     ward.AlertState    `json:"from"`
	To       ward.AlertState    `json:"to"`
	By       ward.UserID        `json:"by"`
	Note     string             `json:"note"`
	Reason   ward.DismissReason `json:"reason_code,omitempty"`
	Assignee ward.UserID        `json:"assignee,omitempty"`
	Deadline time.Time          `json:"deadline,omitzero"`
}

func recordOfStep(id ward.AlertID, e ward.AlertEvent) decisionRecord {
	return decisionRecord{id, e.Seq, e.At, e.Action, e.From, e.To, e.By, e.Note, e.Reason, e.Assignee, e.Deadline}
}

// StepAlert takes a step in somebody's name and seals it. version is that of
// the alert that they saw: when somebody else was faster it is a ward.Conflict
// "alert.changed", and what the alert's state does not allow a ward.Conflict
// "alert.state". Whoever is assigned must be able to review the alert.
func (s *Store) StepAlert(ctx context.Context, id ward.AlertID, version int64, step ward.AlertStep) (ward.Alert, error) {
	all, err := s.StepAlerts(ctx, []AlertChoice{{id, version}}, step)
	if err != nil {
		return ward.Alert{}, err
	}
	return all[0], nil
}

// step takes a step of a, which the transaction has read with the ledger
// locked, and seals and stores it.
func (t *tx) step(ctx context.Context, a *ward.Alert, s ward.AlertStep) error {
	policy, err := readAlertPolicy(ctx, t.Tx)
	if err != nil {
		return err
	}
	s.At, s.Deadline = at(us(s.At)), at(us(s.Deadline))
	e, err := a.Apply(s, policy)
	if err != nil {
		return err
	}
	if e.Leaf, err = t.sealRecord(ctx, KindDecision, string(a.ID), recordOfStep(a.ID, e)); err != nil {
		return err
	}
	if err := t.addAlertEvent(ctx, a.ID, e); err != nil {
		return err
	}
	if _, err = t.ExecContext(ctx, `UPDATE alert SET state = $2, decided_by = $3, decision_note = $4, version = $5, assignee = $6, reason_code = $7, decided_us = $8,
			appealed = $9, deadline_us = $10, next_us = $11 WHERE id = $1`,
		a.ID, a.State, a.DecidedBy, a.DecisionNote, a.Version, a.Assignee, a.Reason, us(a.Decided), flag(a.Appealed), us(a.Deadline), us(a.Next)); err != nil {
		return err
	}
	return t.announceAlert(ctx, ward.AlertChangedEvent, *a)
}

func (t *tx) addAlertEvent(ctx context.Context, id ward.AlertID, e ward.AlertEvent) error {
	_, err := t.ExecContext(ctx, `INSERT INTO alert_event (alert_id, seq, at_us, by_user, action, from_state, to_state, note, reason_code, assignee, deadline_us, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		id, e.Seq, us(e.At), e.By, e.Action, e.From, e.To, e.Note, e.Reason, e.Assignee, us(e.Deadline), e.Leaf)
	if err != nil {
		return fmt.Errorf("store %s of alert %s: %w", e.Action, id, err)
	}
	return nil
}

// mayReview says what is wrong with giving alert a to a user.
func (t *tx) mayReview(ctx context.Context, id ward.UserID, a ward.Alert) error {
	rows, err := t.QueryContext(ctx, `SELECT `+userColumns+` FROM user_account u`+userScopes+` WHERE u.id = $1`, id)
	if err != nil {
		return err
	}
	lines, err := collect(rows, scanUser)
	if err != nil {
		return err
	}
	for _, u := range fold(lines) {
		if u.reviews(a) {
			return nil
		}
	}
	return &ward.Error{Kind: ward.Invalid, Code: "alert.assignee", ZH: "此人无权处理该机构的疑点，请另选承办人。", EN: "This person may not deal with this institution's alerts; choose another."}
}

// reviews says whether an alert can be the account's task.
func (a account) reviews(of ward.Alert) bool {
	return a.May(ward.MayReview, of.InstitutionID) && (!of.Shadow || a.Can(ward.MayAdminister))
}

// AlertAssignees lists by name whose task an alert can be.
func (s *Store) AlertAssignees(ctx context.Context, a ward.Alert) ([]UserName, error) {
	all, err := s.accounts(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list whose task alert %s can be: %w", a.ID, err)
	}
	var out []UserName
	for _, u := range all {
		if u.reviews(a) {
			out = append(out, UserName{u.ID, u.Name})
		}
	}
	return out, nil
}

const alertEventColumns = `SELECT seq, at_us, by_user, action, from_state, to_state, note, reason_code, assignee, deadline_us, leaf FROM alert_event`

// AlertEvents returns the steps of an alert, oldest first.
func (s *Store) AlertEvents(ctx context.Context, id ward.AlertID) ([]ward.AlertEvent, error) {
	return listed(ctx, s, "read steps of alert "+string(id), scanAlertEvent, alertEventColumns+` WHERE alert_id = $1 ORDER BY seq`, id)
}

func scanAlertEvent(r row) (ward.AlertEvent, error) {
	var e ward.AlertEvent
	var when, deadline int64
	err := r.Scan(&e.Seq, &when, &e.By, &e.Action, &e.From, &e.To, &e.Note, &e.Reason, &e.Assignee, &deadline, &e.Leaf)
	e.At, e.Deadline = at(when), at(deadline)
	return e, err
}
