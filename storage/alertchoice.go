package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// AlertChoice is an alert and the version of it that somebody saw.
type AlertChoice struct {
	ID      ward.AlertID `json:"id" maxLength:"64"`
	Version int64        `json:"version" minimum:"1"`
}

// StepAlerts takes a step of each alert in somebody's name and seals each, in
// one transaction: all or, with the first error that StepAlert can give, none.
func (s *Store) StepAlerts(ctx context.Context, chosen []AlertChoice, step ward.AlertStep) (all []ward.Alert, err error) {
	err = s.change(ctx, fmt.Sprintf("%s %d alerts", step.Action, len(chosen)), func(t *tx) error {
		all, err = t.stepChosen(ctx, chosen, step)
		return err
	})
	return all, err
}

// ConfirmIntoCase is StepAlerts and OpenCase in one transaction.
func (s *Store) ConfirmIntoCase(ctx context.Context, chosen []AlertChoice, step ward.AlertStep, c ward.Case, items []ward.Evidence, by ward.User) ([]ward.Alert, ward.Case, error) {
	var all []ward.Alert
	err := s.change(ctx, fmt.Sprintf("%s %d alerts into a case", step.Action, len(chosen)), func(t *tx) error {
		var err error
		if all, err = t.stepChosen(ctx, chosen, step); err != nil {
			return err
		}
		if err := t.openCase(ctx, &c, items, by); err != nil {
			return err
		}
		for i := range all { // the case is noted at each
			if all[i], err = scanAlert(t.QueryRowContext(ctx, alertColumns+` WHERE id = $1`, all[i].ID)); err != nil {
				return err
			}
		}
		return nil
	})
	return all, c, err
}

func (t *tx) stepChosen(ctx context.Context, chosen []AlertChoice, step ward.AlertStep) ([]ward.Alert, error) {
	// The ledger before the alerts' rows, as everybody does.
	if err := t.lockLedger(ctx); err != nil {
		return nil, err
	}
	step.At = t.now
	all := make([]ward.Alert, len(chosen))
	for i, choice := range chosen {
		a, err := scanAlert(t.QueryRowContext(ctx, alertColumns+` WHERE id = $1`, choice.ID))
		if err != nil {
			return nil, alertMissing(err)
		}
		if a.Version != choice.Version {
			return nil, &ward.Error{Kind: ward.Conflict, Code: "alert.changed", ZH: "该疑点刚被他人处理过，您的操作未生效；请看过最新情况再决定。", EN: "Somebody else has just dealt with this alert, so nothing was done; look at it again, then decide."}
		}
		if step.Action == ward.AlertAssign {
			if err := t.mayReview(ctx, step.Assignee, a); err != nil {
				return nil, err
			}
		}
		if err := t.step(ctx, &a, step); err != nil {
			return nil, err
		}
		all[i] = a
	}
	return all, nil
}
