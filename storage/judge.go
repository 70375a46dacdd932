package storage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// Why an alert is withdrawn: the note of the decision that nobody made.
const (
	withdrawnReversed = "结算已冲正。The settlement was reversed."
	withdrawnChanged  = "结算更正或补报后，规则不再成立。After a correction or a late report the rule no longer holds."
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
// raised and withdrawn, and the settlements that were passed over.
func (s *Store) Judge(ctx context.Context, js ...Judgement) (changed []ward.Alert, passed []ward.SettlementID, err error) {
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
		for _, j := range kept {
			as, err := t.settle(ctx, j)
			if err != nil {
				return fmt.Errorf("settlement %s: %w", j.Settlement.ID, err)
			}
			changed = append(changed, as...)
		}
		return nil
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

// judgeOthers lets those wait again that the judgements of settlements which
// were not judged before concern. Those judged in the same call saw each other.
func (t *tx) judgeOthers(ctx context.Context, js []Judgement) error {
	own := map[ward.SettlementID]bool{}
	wait := map[ward.SettlementID]bool{}
	for _, j := range js {
		own[j.Settlement.ID] = true
		for _, id := range j.Others {
			wait[id] = true
		}
	}
	for some := range slices.Chunk(js, judgedTogether) {
		var rows values
		for _, j := range some {
			if v := j.Settlement; v.Stage == ward.NotJudged {
				rows.add("text text text bigint bigint bigint bigint", v.ID, v.PlaceID, v.InsuredID, us(v.At), us(v.At.Add(ward.PlaceReach)), us(v.At.Add(-maxAhead)), us(v.At.Add(ward.CardReach)))
			} else if err := t.resealSettlement(ctx, v.ID); err != nil {
				return err
			}
		}
		if len(rows.args) == 0 {
			continue
		}
		from := `SELECT s.id FROM (VALUES ` + rows.marks() + `) AS j JOIN settlement s ON s.stage > 0 AND s.state <> 'reversed' AND s.id <> column1 AND `
		for _, on := range []string{
			`s.place_id = column2 AND s.at_us BETWEEN column4 AND column5 AND (s.at_us > column4 OR s.id > column1)`,
			`s.insured_id = column3 AND s.at_us BETWEEN column6 AND column7`,
		} {
			found, err := t.QueryContext(ctx, from+on, rows.args...)
			if err != nil {
				return err
			}
			if _, err := collect(found, func(r row) (struct{}, error) {
				var id ward.SettlementID
				err := r.Scan(&id)
				wait[id] = true
				return struct{}{}, err
			}); err != nil {
				return err
			}
		}
	}
	for id := range wait {
		if own[id] {
			continue
		}
		if _, err := t.ExecContext(ctx, again+`id = $1`, id); err != nil {
			return err
		}
	}
	return nil
}

// values are the rows of a VALUES list, whose columns both engines name
// column1 and so on.
type values struct {
	args  []any
	types []string
}

// add adds a row; types are those of its columns, which PostgreSQL must be told.
func (v *values) add(types string, args ...any) {
	v.args, v.types = append(v.args, args...), strings.Fields(types)
}

func (v *values) marks() string {
	var b strings.Builder
	for i := range v.args {
		switch k := i % len(v.types); {
		case i == 0:
			b.WriteString("(")
		case k == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "CAST($%d AS %s)", i+1, v.types[i%len(v.types)])
	}
	b.WriteString(")")
	return b.String()
}

// settle makes the stored alerts of a settlement those of its judgement.
func (t *tx) settle(ctx context.Context, j Judgement) (changed []ward.Alert, err error) {
	v := j.Settlement
	stored := map[ward.Rule]ward.Alert{}
	if v.Stage != ward.NotJudged || v.Revision > 0 || v.Version > 0 {
		if stored, err = t.alertsOf(ctx, v.ID); err != nil {
			return nil, err
		}
		keep := slices.Clone(j.Open)
		for _, a := range j.Alerts {
			keep = append(keep, a.Rule)
		}
		if changed, err = t.withdraw(ctx, v.ID, keep, withdrawnChanged); err != nil {
			return nil, err
		}
	}
	for _, a := range j.Alerts {
		if a.SettlementID != v.ID {
			return nil, fmt.Errorf("alert %s is of settlement %s", a.ID, a.SettlementID)
		}
		a.Revision = v.Revision
		var old *ward.Alert
		if was, ok := stored[a.Rule]; ok {
			restate := was.State == ward.AlertWithdrawn || was.Revision != a.Revision && was.Withdrawable()
			if !restate {
				continue
			}
			old = &was
			if _, err := t.ExecContext(ctx, `DELETE FROM alert_related WHERE alert_id = $1`, was.ID); err != nil { // what it rested on before
				return nil, err
			}
		}
		if a, err = t.raise(ctx, a, old); err != nil {
			return nil, fmt.Errorf("raise alert %s: %w", a.ID, err)
		}
		changed = append(changed, a)
	}
	return changed, nil
}

// alertsOf returns the alerts of a settlement with the ledger locked when
// there are any, so that nobody decides on them before the transaction ends.
func (t *tx) alertsOf(ctx context.Context, id ward.SettlementID) (map[ward.Rule]ward.Alert, error) {
	for {
		rows, err := t.QueryContext(ctx, alertColumns+` WHERE settlement_id = $1`, id)
		if err != nil {
			return nil, err
		}
		all, err := collect(rows, scanAlert)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && !t.locked {
			if err := t.lockLedger(ctx); err != nil {
				return nil, err
			}
			continue // somebody may have decided meanwhile
		}
		out := map[ward.Rule]ward.Alert{}
		for _, a := range all {
			out[a.Rule] = a
		}
		return out, nil
	}
}

// withdraw lets the alerts of a settlement fall but those of the rules in
// keep, and those that a person has decided. Each is sealed as a decision of nobody.
func (t *tx) withdraw(ctx context.Context, id ward.SettlementID, keep []ward.Rule, note string) (fell []ward.Alert, err error) {
	stored, err := t.alertsOf(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, a := range stored {
		if slices.Contains(keep, a.Rule) || !a.Withdrawable() {
			continue
		}
		if err := t.step(ctx, &a, ward.AlertStep{Action: ward.AlertWithdraw, At: t.now, Note: note}); err != nil {
			return nil, err
		}
		fell = append(fell, a)
	}
	return fell, nil
}

// again makes a settlement that was judged wait, and be due since it happened;
// the version makes whoever is just judging it, on what was known before, be
// passed over.
const again = `UPDATE settlement SET waiting = 1, due_us = at_us, version = version + 1 WHERE stage > 0 AND state <> 'reversed' AND `

// judgeAgain lets the settlements wait that were judged already and may have
// counted v, which is no longer what it was: later ones at its place or with its
// card, as far as a rule can be set to look back, and those with an alert
// that rests on it.
func (t *tx) judgeAgain(ctx context.Context, v ward.Settlement) error {
	_, err := t.ExecContext(ctx, again+`(place_id = $1 AND at_us BETWEEN $2 AND $3 AND (at_us > $2 OR id > $4) OR insured_id = $5 AND at_us BETWEEN $6 AND $7 AND id <> $4)`,
		v.PlaceID, us(v.At), us(v.At.Add(ward.PlaceReach)), v.ID, v.InsuredID, us(v.At.Add(-maxAhead)), us(v.At.Add(ward.CardReach)))
	if err != nil {
		return err
	}
	_, err = t.ExecContext(ctx, again+`id IN (SELECT a.settlement_id FROM alert_related r JOIN alert a ON a.id = r.alert_id WHERE r.settlement_id = $1)`, v.ID)
	return err
}
