package storage

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"wardwatch/ward"
)

// Why an alert is withdrawn: the note of the decision that nobody made.
const (
	withdrawnReversed = "结算已冲正。The settlement was reversed."
	withdrawnChanged  = "结算更正或补报后，规则不再成立。After a correction or a late report the rule no longer holds."
	// restatedOthers is the note of one that holds without a settlement that it rested on.
	restatedOthers = "原作依据的结算已冲正或更正，规则仍然成立，依据已更新。A settlement that it rested on was reversed or corrected; the rule holds without it, and what it rests on is stated anew."
)

// settle makes the stored alerts of settlements those of their judgements.
func (t *tx) settle(ctx context.Context, js []Judgement) (changed []ward.Alert, err error) {
	var known []ward.SettlementID // may have alerts
	for _, j := range js {
		if v := j.Settlement; v.Stage != ward.NotJudged || v.Revision > 0 || v.Version > 0 {
			known = append(known, v.ID)
		}
	}
	stored, err := t.alertsOf(ctx, known)
	if err != nil {
		return nil, err
	}
	for _, j := range js {
		as, err := t.settleOne(ctx, j, stored[j.Settlement.ID])
		if err != nil {
			return nil, fmt.Errorf("settlement %s: %w", j.Settlement.ID, err)
		}
		changed = append(changed, as...)
	}
	return changed, nil
}

func (t *tx) settleOne(ctx context.Context, j Judgement, stored map[ward.Rule]ward.Alert) (changed []ward.Alert, err error) {
	keep := slices.Clone(j.Open)
	for _, a := range j.Alerts {
		keep = append(keep, a.Rule)
	}
	if changed, err = t.withdraw(ctx, stored, keep, withdrawnChanged); err != nil {
		return nil, err
	}
	for _, a := range j.Alerts {
		if a.SettlementID != j.Settlement.ID {
			return nil, fmt.Errorf("alert %s is of settlement %s", a.ID, a.SettlementID)
		}
		a.Revision = j.Settlement.Revision
		var old *ward.Alert
		if was, ok := stored[a.Rule]; ok {
			if !restated(was, a) {
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

// restated says whether the alert is to be stated anew as now: it was
// withdrawn, or nobody has decided on it and it was about another revision of the
// settlement or names others as evidence that no longer count, since they were
// reversed, say.
func restated(was, now ward.Alert) bool {
	fewer := slices.ContainsFunc(was.Related, func(id ward.SettlementID) bool { return !slices.Contains(now.Related, id) })
	return was.State == ward.AlertWithdrawn || was.Withdrawable() && (was.Revision != now.Revision || fewer)
}

// alertsOf returns the alerts of settlements with the ledger locked when
// there are any, so that nobody decides on them before the transaction ends.
func (t *tx) alertsOf(ctx context.Context, ids []ward.SettlementID) (map[ward.SettlementID]map[ward.Rule]ward.Alert, error) {
	for {
		out := map[ward.SettlementID]map[ward.Rule]ward.Alert{}
		err := eachOf(ctx, t.Tx, alertColumns+` WHERE subject_id IN `, padded(ids), nil, func(r row) error {
			a, err := scanAlert(r)
			if out[a.SettlementID] == nil {
				out[a.SettlementID] = map[ward.Rule]ward.Alert{}
			}
			out[a.SettlementID][a.Rule] = a
			return err
		})
		if err != nil || len(out) == 0 || t.locked {
			return out, err
		}
		if err := t.lockLedger(ctx); err != nil { // and read again: somebody may have decided meanwhile
			return nil, err
		}
	}
}

// withdraw lets those of the alerts of a settlement fall that no person has
// decided, but not those of the rules in keep. Each is sealed as a decision of nobody.
func (t *tx) withdraw(ctx context.Context, stored map[ward.Rule]ward.Alert, keep []ward.Rule, note string) (fell []ward.Alert, err error) {
	for _, rule := range slices.Sorted(maps.Keys(stored)) {
		a := stored[rule]
		if slices.Contains(keep, rule) || !a.Withdrawable() {
			continue
		}
		if err := t.step(ctx, &a, ward.AlertStep{Action: ward.AlertWithdraw, At: t.now, Note: note}); err != nil {
			return nil, err
		}
		fell = append(fell, a)
	}
	return fell, nil
}
