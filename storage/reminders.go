package storage

import (
	"context"
	"slices"
	"time"

	"wardwatch/ward"
)

// roundEvent is the data of a reminder and of an escalation: counts, no beds.
type roundEvent struct {
	Round       ward.RoundID       `json:"round"`
	Institution ward.InstitutionID `json:"institution"`
	Deadline    time.Time          `json:"deadline"`
	Unanswered  int                `json:"unanswered"`
}

// RemindRounds reminds of the rounds whose time to has come at now, once each:
// an event "reminded" for every bed that has not begun, and a notification to
// those that the round names. It returns the rounds.
func (s *Store) RemindRounds(ctx context.Context, now time.Time) ([]ward.Round, error) {
	due, err := listed(ctx, s, "rounds to remind of", scanRound, roundColumns+` WHERE reminded_us = 0 AND remind_us > 0 AND remind_us <= $1 ORDER BY remind_us LIMIT 100`, us(now))
	if err != nil {
		return nil, err
	}
	for _, r := range due {
		err := s.change(ctx, "remind of round "+string(r.ID), func(t *tx) error {
			if err := t.lockLedger(ctx); err != nil { // before the rows, like who seals them
				return err
			}
			ok, err := t.affects(ctx, `UPDATE round SET reminded_us = $2 WHERE id = $1 AND reminded_us = 0`, r.ID, us(t.now))
			if err != nil || !ok || !t.now.Before(r.Deadline) {
				return err // too late: only the escalation is of use
			}
			rows, err := t.QueryContext(ctx, visitColumns+` WHERE round_id = $1 AND state IN ('ordered', 'opened', 'consented') ORDER BY id`, r.ID)
			if err != nil {
				return err
			}
			left, err := collect(rows, scanVisit)
			if err != nil || len(left) == 0 {
				return err
			}
			if err := t.tellRound(ctx, ward.RoundRemindedEvent, r, len(left)); err != nil {
				return err
			}
			for _, v := range left {
				ok, err := t.affects(ctx, `UPDATE visit SET leaf = leaf WHERE id = $1 AND state IN ('ordered', 'opened', 'consented')`, v.ID)
				if err == nil && ok {
					err = t.addVisitEvent(ctx, v.ID, "reminded", t.now, nil)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

// EscalateRounds tells those that a round names, once, when its deadline has
// passed at now and beds were sealed without an answer. It returns the rounds that were looked at.
func (s *Store) EscalateRounds(ctx context.Context, now time.Time) ([]ward.Round, error) {
	due, err := listed(ctx, s, "rounds to escalate", scanRound, roundColumns+` WHERE escalated_us = 0 AND notify <> '[]' AND deadline_us <= $1
		AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.round_id = round.id AND v.state IN ('ordered', 'opened', 'consented')) ORDER BY deadline_us LIMIT 100`, us(now))
	if err != nil {
		return nil, err
	}
	for _, r := range due {
		err := s.change(ctx, "escalate round "+string(r.ID), func(t *tx) error {
			if err := t.lockLedger(ctx); err != nil {
				return err
			}
			ok, err := t.affects(ctx, `UPDATE round SET escalated_us = $2 WHERE id = $1 AND escalated_us = 0`, r.ID, us(t.now))
			if err != nil || !ok {
				return err
			}
			var n int
			if err := t.QueryRowContext(ctx, `SELECT COUNT(*) FROM visit WHERE round_id = $1 AND verdict = 'no_answer'`, r.ID).Scan(&n); err != nil || n == 0 {
				return err
			}
			return t.tellRound(ctx, ward.RoundEscalatedEvent, r, n)
		})
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

// tellRound puts an event into the outbox of those that the round names,
// whatever else they want; one that was deleted, or may not see the institution, is passed over.
func (t *tx) tellRound(ctx context.Context, typ ward.EventType, r ward.Round, unanswered int) error {
	e := cloudEvent{
		ID: ward.NewID[string](t.now), Type: typ, Subject: "round/" + string(r.ID), Institution: r.InstitutionID,
		Data: roundEvent{r.ID, r.InstitutionID, r.Deadline, unanswered},
	}
	rows, err := t.QueryContext(ctx, endpointColumns+` ORDER BY id`)
	if err != nil {
		return err
	}
	all, err := collect(rows, scanEndpoint)
	if err != nil {
		return err
	}
	for _, p := range all {
		if slices.Contains(r.Notify, p.ID) && p.Hears(r.InstitutionID) {
			if err := t.enqueue(ctx, p.ID, e); err != nil {
				return err
			}
		}
	}
	return nil
}
