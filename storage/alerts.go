package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// raise seals and inserts one alert. One that was there (old), withdrawn or
// resting on what is no longer so, is stated anew.
func (t *tx) raise(ctx context.Context, a ward.Alert, old *ward.Alert) (ward.Alert, error) {
	step := ward.AlertStep{Action: ward.AlertRaise, At: at(us(t.now))}
	a.State, a.Version, a.Appealed, a.CaseID = "", 0, false, ""
	if old != nil {
		a.ID, a.State, a.Version, step.Action = old.ID, old.State, old.Version, ward.AlertRestate
		if old.State != ward.AlertWithdrawn && old.Revision == a.Revision && a.BlindID == "" {
			step.Note = restatedOthers
		}
	}
	a.At, a.Raised, a.ClipFrom, a.ClipTo = at(us(a.At)), at(us(a.Raised)), at(us(a.ClipFrom)), at(us(a.ClipTo))
	if a.Related == nil {
		a.Related = []ward.SettlementID{}
	}
	if a.Sightings == nil {
		a.Sightings = []ward.SightingID{}
	}
	var sum []byte
	if a.SnapshotKey != "" {
		sum = a.SnapshotSHA[:]
	}
	// Whoever begins to remove a picture has this lock, and spares what an alert shows.
	err := t.lockLedger(ctx)
	if err == nil {
		err = t.removing(ctx, pictureRemoving, a.SnapshotKey)
	}
	if err != nil {
		return a, err
	}
	policy, err := readAlertPolicy(ctx, t.Tx)
	if err != nil {
		return a, err
	}
	event, err := a.Apply(step, policy)
	if err != nil {
		return a, err
	}
	if a.Quiet, err = t.cooling(ctx, a, policy.Cooldown()); err != nil {
		return a, err
	}
	if a.Leaf, err = t.sealRecord(ctx, "alert", string(a.ID), recordOfAlert(a)); err != nil {
		return a, err
	}
	var subject string
	a.Subject, subject = a.About()
	related, err := json.Marshal(a.Related)
	if err != nil {
		return a, err
	}
	sightings, err := json.Marshal(a.Sightings)
	if err != nil {
		return a, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO alert
		(id, institution_id, place_id, camera_id, rule, rule_version, subject_id, related, at_us, raised_us, severity, state,
		 decided_by, decision_note, sightings, explain_zh, explain_en, snapshot_key, snapshot_sha, clip_from_us, clip_to_us, case_id, leaf, shadow, revision,
		 version, deadline_us, next_us, quiet, subject_kind)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', '', $13, $14, $15, $16, $17, $18, $19, '', $20, $21, $22, $23, $24, $25, $26, $27)
		ON CONFLICT (rule, subject_id) DO UPDATE SET place_id = excluded.place_id, camera_id = excluded.camera_id, rule_version = excluded.rule_version,
			related = excluded.related, at_us = excluded.at_us, raised_us = excluded.raised_us, severity = excluded.severity, state = excluded.state,
			decided_by = '', decision_note = '', sightings = excluded.sightings, explain_zh = excluded.explain_zh, explain_en = excluded.explain_en,
			snapshot_key = excluded.snapshot_key, snapshot_sha = excluded.snapshot_sha, clip_from_us = excluded.clip_from_us, clip_to_us = excluded.clip_to_us,
			leaf = excluded.leaf, shadow = excluded.shadow, revision = excluded.revision, version = excluded.version, assignee = '', reason_code = '', decided_us = 0,
			deadline_us = excluded.deadline_us, next_us = excluded.next_us, quiet = excluded.quiet`,
		a.ID, a.InstitutionID, a.PlaceID, a.CameraID, a.Rule, a.RuleVersion, subject, string(related), us(a.At), us(a.Raised),
		int(a.Severity), a.State, string(sightings), a.ExplainZH, a.ExplainEN, a.SnapshotKey, sum, us(a.ClipFrom), us(a.ClipTo), a.Leaf, flag(a.Shadow), a.Revision,
		a.Version, us(a.Deadline), us(a.Next), flag(a.Quiet), a.Subject)
	if err != nil {
		return a, err
	}
	if event.Leaf = a.Leaf; old != nil {
		if event.Leaf, err = t.sealRecord(ctx, KindDecision, string(a.ID), recordOfStep(a.ID, event)); err != nil {
			return a, err
		}
	}
	if err := t.addAlertEvent(ctx, a.ID, event); err != nil {
		return a, err
	}
	if err := t.relate(ctx, a); err != nil {
		return a, err
	}
	return a, t.announceAlert(ctx, ward.AlertRaisedEvent, a)
}

// cooling says whether an alert of the same rule at the same camera, which was
// not quiet itself, was raised so short a time ago that a is.
func (t *tx) cooling(ctx context.Context, a ward.Alert, cooldown time.Duration) (bool, error) {
	if cooldown == 0 {
		return false, nil
	}
	var n int
	err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM alert WHERE camera_id = $1 AND rule = $2 AND raised_us > $3 AND raised_us <= $4
		AND place_id = $5 AND shadow = $6 AND quiet = 0 AND id <> $7 LIMIT 1) AS loud`, a.CameraID, a.Rule, us(a.Raised.Add(-cooldown)), us(a.Raised), a.PlaceID, flag(a.Shadow), a.ID).Scan(&n)
	return n > 0, err
}

// relate notes the other settlements that an alert rests on.
func (t *tx) relate(ctx context.Context, a ward.Alert) error {
	for _, id := range a.Related {
		if _, err := t.ExecContext(ctx, `INSERT INTO alert_related (settlement_id, alert_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, id, a.ID); err != nil {
			return err
		}
	}
	return nil
}

// recordOfAlert is what is sealed of an alert.
func recordOfAlert(a ward.Alert) sealed.Alert {
	rec := sealed.Alert{
		Alert: a.ID, Institution: a.InstitutionID, Place: a.PlaceID, Camera: a.CameraID, Rule: a.Rule, RuleVersion: a.RuleVersion,
		Settlement: a.SettlementID, Blind: a.BlindID, Related: a.Related, At: a.At, Raised: a.Raised, ClipFrom: a.ClipFrom, ClipTo: a.ClipTo,
		Sightings: a.Sightings, ExplainZH: a.ExplainZH, ExplainEN: a.ExplainEN,
	}
	if a.SnapshotKey != "" {
		rec.Snapshot = hexOf(a.SnapshotSHA)
	}
	return rec
}

const alertColumns = `SELECT id, institution_id, place_id, camera_id, rule, rule_version, subject_id, related, at_us, raised_us, severity, state,
	decided_by, decision_note, sightings, explain_zh, explain_en, snapshot_key, snapshot_sha, clip_from_us, clip_to_us, case_id, leaf, shadow, revision,
	version, assignee, reason_code, decided_us, appealed, deadline_us, next_us, quiet, subject_kind FROM alert`

// Alert returns one alert, or ward.NotFound.
func (s *Store) Alert(ctx context.Context, id ward.AlertID) (ward.Alert, error) {
	a, err := scanAlert(s.read.QueryRowContext(ctx, alertColumns+` WHERE id = $1`, id))
	if err != nil {
		return a, fmt.Errorf("read alert %s: %w", id, alertMissing(err))
	}
	return a, nil
}

func alertMissing(err error) error {
	return missing(err, "alert.unknown", "没有这条疑点，请检查编号。", "No such alert; check its id.")
}

// AlertFilter narrows Alerts; a zero field does not.
type AlertFilter struct {
	Institutions []ward.InstitutionID // nil: all; empty: none
	State        ward.AlertState
	Rule         ward.Rule
	SettlementID ward.SettlementID
	BlindID      ward.BlindID
	Assignee     ward.UserID
	PlaceID      ward.PlaceID
	InsuredID    ward.InsuredID // of the settlement
	From, To     time.Time      // the settlement's moment is in [From, To]
	Open         bool           // only those that wait for a decision
	Overdue      time.Time      // only those that wait and whose deadline was before
	Shadow       bool           // also those of rules in shadow
	Before       string         // cursor: the next of an earlier call
	Limit        int            // 1 to 500; 0 means 50
}

// where is the condition that f sets on the rows of alert a.
func (f AlertFilter) where() (string, []any) {
	where, args := scope(f.Institutions, nil)
	and := func(condition string, value any) {
		args = append(args, value)
		where += fmt.Sprintf(` AND `+condition, len(args))
	}
	for _, c := range []struct{ condition, value string }{
		{`state = $%d`, string(f.State)},
		{`rule = $%d`, string(f.Rule)},
		{`subject_kind = 'settlement' AND subject_id = $%d`, string(f.SettlementID)},
		{`subject_kind = 'blind' AND subject_id = $%d`, string(f.BlindID)},
		{`assignee = $%d`, string(f.Assignee)},
		{`place_id = $%d`, string(f.PlaceID)},
		{`subject_id IN (SELECT id FROM settlement WHERE insured_id = $%d)`, string(f.InsuredID)},
	} {
		if c.value != "" {
			and(c.condition, c.value)
		}
	}
	if !f.From.IsZero() {
		and(`at_us >= $%d`, us(f.From))
	}
	if !f.To.IsZero() {
		and(`at_us <= $%d`, us(f.To))
	}
	if !f.Shadow {
		where += ` AND shadow = 0`
	}
	if f.Open || !f.Overdue.IsZero() {
		where += ` AND state IN ('new', 'taken', 'appealed')`
	}
	if !f.Overdue.IsZero() {
		and(`deadline_us > 0 AND deadline_us < $%d`, us(f.Overdue))
	}
	return where, args
}

// Alerts lists the newest first. next continues the list and is empty at its end.
func (s *Store) Alerts(ctx context.Context, f AlertFilter) (list []ward.Alert, next string, err error) {
	where, args := f.where()
	if f.Before != "" {
		args = append(args, f.Before)
		where += fmt.Sprintf(` AND id < $%d`, len(args))
	}
	limit := pageSize(f.Limit)
	args = append(args, limit+1)
	if list, err = listed(ctx, s, "list alerts", scanAlert, alertColumns+where+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args...); err != nil {
		return nil, "", err
	}
	if len(list) > limit {
		list, next = list[:limit], string(list[limit-1].ID)
	}
	return list, next, nil
}

func scanAlert(r row) (ward.Alert, error) {
	var a ward.Alert
	var related, sightings, subject string
	var when, raised, from, to, decided, deadline, next int64
	var severity, shadow, appealed, quiet int
	var sum []byte
	err := r.Scan(&a.ID, &a.InstitutionID, &a.PlaceID, &a.CameraID, &a.Rule, &a.RuleVersion, &subject, &related, &when, &raised, &severity, &a.State,
		&a.DecidedBy, &a.DecisionNote, &sightings, &a.ExplainZH, &a.ExplainEN, &a.SnapshotKey, &sum, &from, &to, &a.CaseID, &a.Leaf, &shadow, &a.Revision,
		&a.Version, &a.Assignee, &a.Reason, &decided, &appealed, &deadline, &next, &quiet, &a.Subject)
	if err != nil {
		return a, err
	}
	a.At, a.Raised, a.ClipFrom, a.ClipTo, a.Severity = at(when), at(raised), at(from), at(to), ward.Severity(severity)
	a.Shadow, a.Appealed, a.Quiet, a.Decided, a.Deadline, a.Next = shadow != 0, appealed != 0, quiet != 0, at(decided), at(deadline), at(next)
	copy(a.SnapshotSHA[:], sum)
	switch a.Subject {
	case ward.OnSettlement:
		a.SettlementID = ward.SettlementID(subject)
	case ward.OnBlind:
		a.BlindID = ward.BlindID(subject)
	default:
		return a, fmt.Errorf("alert %s is about %q", a.ID, a.Subject)
	}
	if err := json.Unmarshal([]byte(related), &a.Related); err != nil {
		return a, fmt.Errorf("related of alert %s: %w", a.ID, err)
	}
	if err := json.Unmarshal([]byte(sightings), &a.Sightings); err != nil {
		return a, fmt.Errorf("sightings of alert %s: %w", a.ID, err)
	}
	return a, nil
}
