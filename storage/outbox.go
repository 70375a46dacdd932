package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"wardwatch/ward"
)

// cloudEvent is a CloudEvents 1.0 event in JSON with the extensions sequence
// (of the endpoint, digits) and institution.
type cloudEvent struct {
	SpecVersion     string             `json:"specversion"`
	ID              string             `json:"id"`
	Source          string             `json:"source"` // of this installation: wardwatch/ and 12 digits of its ledger key's fingerprint
	Type            ward.EventType     `json:"type"`
	Subject         string             `json:"subject,omitempty"`
	Time            time.Time          `json:"time"`
	DataContentType string             `json:"datacontenttype"`
	Sequence        string             `json:"sequence"`
	Institution     ward.InstitutionID `json:"institution,omitempty"`
	Data            any                `json:"data"`
}

// alertEvent is the data of an event about an alert: ids and states, no words,
// since those that people write may name somebody.
type alertEvent struct {
	Alert       ward.AlertID       `json:"alert"`
	State       ward.AlertState    `json:"state"`
	Institution ward.InstitutionID `json:"institution"`
	Place       ward.PlaceID       `json:"place"`
	Camera      ward.CameraID      `json:"camera,omitempty"`
	Rule        ward.Rule          `json:"rule"`
	RuleVersion int                `json:"rule_version"`
	Severity    ward.Severity      `json:"severity"`
	Settlement  ward.SettlementID  `json:"settlement,omitempty"`
	Blind       ward.BlindID       `json:"blind,omitempty"` // the blind period that it is about instead
	At          time.Time          `json:"at"`
	Raised      time.Time          `json:"raised"`
	Quiet       bool               `json:"quiet,omitempty"` // its rule and camera cool down: for machines, not to call a person for
}

// announceAlert puts an event about an alert into the outbox; alerts of rules
// in shadow are told to nobody.
func (t *tx) announceAlert(ctx context.Context, typ ward.EventType, a ward.Alert) error {
	if a.Shadow {
		return nil
	}
	return t.announce(ctx, typ, "alert/"+string(a.ID), a.InstitutionID, typ == ward.AlertRaisedEvent && a.Quiet, alertEvent{
		Alert: a.ID, State: a.State, Institution: a.InstitutionID, Place: a.PlaceID, Camera: a.CameraID, Rule: a.Rule, RuleVersion: a.RuleVersion,
		Severity: a.Severity, Settlement: a.SettlementID, Blind: a.BlindID, At: a.At, Raised: a.Raised, Quiet: a.Quiet,
	})
}

// outageEvent is the data of an event about an outage: what is said of it in words stays here.
type outageEvent struct {
	Outage      ward.OutageID      `json:"outage"`
	Version     int                `json:"version"`
	Institution ward.InstitutionID `json:"institution"`
	Action      ward.OutageAction  `json:"action"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Late        bool               `json:"late"`
}

func (t *tx) announceOutage(ctx context.Context, o ward.Outage) error {
	return t.announce(ctx, ward.OutageChangedEvent, "outage/"+string(o.ID), o.InstitutionID, false, outageEvent{o.ID, o.Version, o.InstitutionID, o.Action, o.From, o.To, o.Late})
}

// visitEvent is the data of an event about a visit that has its verdict.
type visitEvent struct {
	Visit       ward.VisitID       `json:"visit"`
	Round       ward.RoundID       `json:"round"`
	Admission   ward.AdmissionID   `json:"admission"`
	Institution ward.InstitutionID `json:"institution"`
	Verdict     ward.Verdict       `json:"verdict"`
	Sealed      time.Time          `json:"sealed"`
}

func (t *tx) announceVisit(ctx context.Context, v ward.Visit) error {
	return t.announce(ctx, ward.VisitSealedEvent, "visit/"+string(v.ID), v.InstitutionID, false, visitEvent{
		Visit: v.ID, Round: v.RoundID, Admission: v.AdmissionID, Institution: v.InstitutionID, Verdict: v.Verdict, Sealed: v.Sealed,
	})
}

// openVisitEvent is the data of an event about a visit that waits for people,
// or waited in vain.
type openVisitEvent struct {
	Visit       ward.VisitID       `json:"visit"`
	Round       ward.RoundID       `json:"round"`
	Admission   ward.AdmissionID   `json:"admission"`
	Institution ward.InstitutionID `json:"institution"`
	DecideBy    time.Time          `json:"decide_by"`
}

func (t *tx) announceOpen(ctx context.Context, typ ward.EventType, v ward.Visit) error {
	return t.announce(ctx, typ, "visit/"+string(v.ID), v.InstitutionID, false, openVisitEvent{v.ID, v.RoundID, v.AdmissionID, v.InstitutionID, v.DecideBy})
}

// announce puts an event into the outbox of every endpoint that wants it, in
// the transaction of what it tells: both are durable, or neither. What is quiet
// is for machines: no mail tells of it.
func (t *tx) announce(ctx context.Context, typ ward.EventType, subject string, inst ward.InstitutionID, quiet bool, data any) error {
	rows, err := t.QueryContext(ctx, endpointColumns+` ORDER BY id`)
	if err != nil {
		return err
	}
	all, err := collect(rows, scanEndpoint)
	if err != nil {
		return err
	}
	e := cloudEvent{ID: ward.NewID[string](t.now), Type: typ, Subject: subject, Institution: inst, Data: data}
	for _, p := range all {
		if len(p.Types) > 0 && !slices.Contains(p.Types, typ) || len(p.Institutions) > 0 && !slices.Contains(p.Institutions, inst) || quiet && p.Kind == ward.Email {
			continue
		}
		if err := t.enqueue(ctx, p.ID, e); err != nil {
			return err
		}
	}
	return nil
}

// enqueue gives the event the endpoint's next number. The ledger's lock makes
// transactions that number events one at a time, so that numbers are
// committed in their order and no two wait for each other's endpoints.
func (t *tx) enqueue(ctx context.Context, id ward.EndpointID, e cloudEvent) error {
	if err := t.lockLedger(ctx); err != nil {
		return err
	}
	var seq int64
	err := t.QueryRowContext(ctx, `UPDATE notify_endpoint SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq`, id).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return err
	}
	e.SpecVersion, e.DataContentType, e.Time, e.Sequence = "1.0", "application/json", t.now.UTC(), strconv.FormatInt(seq, 10)
	e.Source = t.s.keys.Log
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO notify_outbox (endpoint_id, seq, event_id, type, body, at_us, since_us, next_us, attempts, state, http_status, failure, delivered_us)
		VALUES ($1, $2, $3, $4, $5, $6, $6, 0, 0, 'pending', 0, '', 0)`, id, seq, e.ID, e.Type, string(body), us(t.now))
	return err
}
