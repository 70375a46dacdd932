package storage

import (
	"context"
	"fmt"

	"wardwatch/ward"
)

// custody appends c to its case's chain.
func (t *tx) custody(ctx context.Context, c ward.Custody) (ward.Custody, error) {
	one := []ward.Custody{c}
	err := t.custodies(ctx, one)
	return one[0], err
}

const custodyColumns = `SELECT case_id, seq, at_us, actor, role, action, object, sha256, reason, leaf, result, via, scope, address, device FROM custody`

func scanCustody(r row) (ward.Custody, error) {
	var c ward.Custody
	var when int64
	err := r.Scan(&c.CaseID, &c.Seq, &when, &c.Actor, &c.Role, &c.Action, &c.Object, &c.SHA256, &c.Reason, &c.Leaf, &c.Result, &c.Via, &c.Scope, &c.Address, &c.Device)
	c.At = at(when)
	return c, err
}

// Custody returns a case's custody events, oldest first.
func (s *Store) Custody(ctx context.Context, id ward.CaseID) ([]ward.Custody, error) {
	rows, err := s.read.QueryContext(ctx, custodyColumns+` WHERE case_id = $1 ORDER BY seq`, id)
	if err != nil {
		return nil, fmt.Errorf("read custody of case %s: %w", id, err)
	}
	return collect(rows, scanCustody)
}
