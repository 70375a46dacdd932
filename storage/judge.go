package storage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// Judgement is what the rules say about one settlement.
type Judgement struct {
	// Settlement as it was read: when it has changed since, nothing is stored.
	Settlement ward.Settlement
	State      ward.SettlementState
	Reason     string
	Unclear    []ward.Unclear
	Stage      ward.Stage
	// Again is when the rules that look further ahead can judge it; zero: never.
	Again time.Time
	// Alerts are those that fire; those of the rules in Open, which could not
	// be judged yet, stay as they are; every other falls.
	Alerts []ward.Alert
	Open   []ward.Rule
	// Face is who stood there; nil when nobody can be named.
	Face *Face
	// Others counted this settlement too late, and are judged again.
	Others []ward.SettlementID
}

// Face is the nearest face at a settlement; At is by the cameras' clock.
type Face struct {
	Settlement ward.SettlementID
	At         time.Time
	Sighting   ward.SightingID
	ModelID    string
	Template   ward.Template
}

// Judge stores judgements in one transaction: state, who stood there, the
// alerts that fire (each with a sealed record, kind "alert", and its ledger
// leaf), and the withdrawal of those that no longer do. A settlement that was
// changed, or judged by another, since it was read is passed over, so neither
// a crash nor a second judge accuses twice. It returns the alerts that were
// raised and withdrawn, and the settlements that were passed over. Where
// several may judge, JudgingLease.Judge is to be called instead.
func (s *Store) Judge(ctx context.Context, js ...Judgement) (changed []ward.Alert, passed []ward.SettlementID, err error) {
	return s.judge(ctx, "", js)
}

// judge is Judge for the holder of the lease; "" for whoever needs none.
func (s *Store) judge(ctx context.Context, holder string, js []Judgement) (changed []ward.Alert, passed []ward.SettlementID, err error) {
	for _, j := range js {
		shown := slices.ContainsFunc(j.Alerts, func(a ward.Alert) bool { return !a.Shadow })
		if j.State == ward.Pending || j.State == ward.Reversed || shown != (j.State == ward.Suspicious) {
			return nil, nil, fmt.Errorf("judge settlement %s: state %q with %d alerts", j.Settlement.ID, j.State, len(j.Alerts))
		}
	}
	js = slices.Clone(js) // in the order of their moments a later one never makes an earlier one wait again
	slices.SortFunc(js, func(a, b Judgement) int {
		return cmp.Or(a.Settlement.At.Compare(b.Settlement.At), cmp.Compare(a.Settlement.ID, b.Settlement.ID))
	})
	if len(js) == 0 {
		return nil, nil, nil
	}
	err = s.change(ctx, fmt.Sprintf("judge %d settlements", len(js)), func(t *tx) error {
		changed, passed = nil, nil
		if err := t.lockJudging(ctx); err != nil {
			return err
		}
		if holder != "" {
			if err := t.checkLease(ctx, holder); err != nil {
				return err
			}
		}
		var kept []Judgement
		for some := range slices.Chunk(js, judgedTogether) {
			ids, err := t.judge(ctx, some)
			if err != nil {
				return err
			}
			for _, j := range some {
				if ids[j.Settlement.ID] {
					kept = append(kept, j)
				} else {
					passed = append(passed, j.Settlement.ID)
				}
			}
		}
		if err := t.judgeOthers(ctx, kept); err != nil {
			return err
		}
		changed, err = t.settle(ctx, kept)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return changed, passed, nil
}

// judgedTogether is how many judgements one statement stores.
const judgedTogether = 100

// judge stores the states of judgements and who stood there, and returns
// those whose settlement was still as it was read.
func (t *tx) judge(ctx context.Context, js []Judgement) (map[ward.SettlementID]bool, error) {
	var rows values
	var faces []any
	for _, j := range js {
		v, due := j.Settlement, j.Settlement.Due
		unclear, err := json.Marshal(append([]ward.Unclear{}, j.Unclear...))
		if err != nil {
			return nil, err
		}
		if !j.Again.IsZero() {
			due = j.Again
		}
		rows.add("text bigint text text text bigint bigint bigint", v.ID, v.Version, j.State, j.Reason, string(unclear), int64(j.Stage), int64(flag(!j.Again.IsZero())), us(due))
	}
	done := map[ward.SettlementID]bool{}
	found, err := t.QueryContext(ctx, `UPDATE settlement SET state = column3, reason = column4, unclear = column5, stage = column6, waiting = column7, due_us = column8, version = version + 1
		FROM (VALUES `+rows.marks()+`) AS j WHERE id = column1 AND version = column2 RETURNING id`, rows.args...)
	if err != nil {
		return nil, err
	}
	if _, err := collect(found, func(r row) (struct{}, error) {
		var id ward.SettlementID
		err := r.Scan(&id)
		done[id] = true
		return struct{}{}, err
	}); err != nil {
		return nil, err
	}
	for _, j := range js {
		if f := j.Face; f != nil && j.Settlement.Stage == ward.NotJudged && done[j.Settlement.ID] {
			if len(f.Template) == 0 {
				return nil, errors.New("a face without a template")
			}
			faces = append(faces, f.Settlement, us(f.At), f.Sighting, f.ModelID, t.s.seal.sealTemplate(f.Template, "settlement.face."+string(f.Settlement)), us(t.now))
		}
	}
	if len(faces) == 0 {
		return done, nil
	}
	_, err = t.ExecContext(ctx, `INSERT INTO settlement_face (settlement_id, at_us, sighting_id, model_id, template, stored_us) VALUES `+rowMarks(len(faces)/6, 6)+`
		ON CONFLICT (settlement_id) DO UPDATE SET at_us = excluded.at_us, sighting_id = excluded.sighting_id, model_id = excluded.model_id,
			template = excluded.template, stored_us = excluded.stored_us`, faces...)
	return done, err
}
