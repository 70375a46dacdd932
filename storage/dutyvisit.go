package storage

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"time"

	"wardwatch/ward"
)

// otherwise is what a record says of a purpose: nothing of a ward round, as
// before there were others.
func otherwise(p ward.Purpose) ward.Purpose {
	if p == ward.ForVisit {
		return ""
	}
	return p
}

// dutyOfVisit stores and seals the start of a shift that the verdict of a
// physician's own link is, in the transaction of the verdict, and notes it in v.
func (t *tx) dutyOfVisit(ctx context.Context, v *ward.Visit, checks []ward.Check) error {
	if v.Purpose != ward.ForDuty {
		return nil
	}
	d, tried := ward.DutyByVisit(v.Verdict, checks)
	if !tried {
		return nil
	}
	rows, err := t.QueryContext(ctx, dutyPolicyColumns)
	if err != nil {
		return err
	}
	policies, err := collect(rows, scanDutyPolicy)
	if err != nil {
		return err
	}
	policy := ward.DutyPolicyFor(policies, v.InstitutionID)
	s := storedDuty{Duty: d, salt: make([]byte, 32)}
	_, _ = rand.Read(s.salt)  // never fails
	s.At = at(us(time.Now())) // the wait for the lock is no part of the window
	if s.Seen = at(us(d.Seen)); s.Seen.IsZero() {
		s.Seen = s.At
	}
	s.Until, s.Policy, s.InstitutionID, s.PhysicianID, s.VisitID = s.At, policy.Version, v.InstitutionID, v.PhysicianID, v.ID
	s.ID, s.picture = ward.NewID[ward.DutyID](s.At), salted(s.salt, "picture", []byte(v.ID))
	if err := t.QueryRowContext(ctx, `SELECT ordered_by FROM round WHERE id = $1`, v.RoundID).Scan(&s.By); err != nil {
		return err
	}
	err = t.placeDuty(ctx, &s.Duty, policy.Window())
	if errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "physician.unknown"}) { // left since the link was made
		s.Outcome, err = ward.DutyRefused, nil
	}
	if err != nil {
		return err
	}
	if err := t.insertDuty(ctx, &s); err != nil {
		return err
	}
	v.DutyID = s.ID
	_, err = t.ExecContext(ctx, `UPDATE visit SET duty_id = $2 WHERE id = $1`, v.ID, v.DutyID)
	return err
}

// DutyChecks lists the surprise checks of starts, the newest first.
func (s *Store) DutyChecks(ctx context.Context, starts []ward.DutyID) (map[ward.DutyID][]ward.Visit, error) {
	out := map[ward.DutyID][]ward.Visit{}
	err := eachOf(ctx, s.read, visitColumns+` WHERE purpose = 'duty_check' AND duty_id IN `, starts, nil, func(r row) error {
		v, err := scanVisit(r)
		out[v.DutyID] = append(out[v.DutyID], v)
		return err
	})
	for _, all := range out {
		slices.SortFunc(all, func(a, b ward.Visit) int { return strings.Compare(string(b.ID), string(a.ID)) })
	}
	return out, err
}
