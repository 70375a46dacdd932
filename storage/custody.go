package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// Record stores one custody event: row and ledger leaf in one transaction.
// Seq, At (when zero) and Leaf are assigned here. An empty CaseID is a view
// of media outside any case.
func (s *Store) Record(ctx context.Context, c ward.Custody) error {
	return s.change(ctx, "record custody of "+c.Object, func(t *tx) error {
		_, err := t.custody(ctx, c)
		return err
	})
}

// custody appends c to its case's chain.
func (t *tx) custody(ctx context.Context, c ward.Custody) (ward.Custody, error) {
	// The lock comes first: two events of one case must not read the same last one.
	if err := t.lockLedger(ctx); err != nil {
		return c, err
	}
	var prev []byte
	err := t.QueryRowContext(ctx, `SELECT c.seq, r.body FROM custody c JOIN sealed_record r ON r.leaf = c.leaf
		WHERE c.case_id = $1 ORDER BY c.seq DESC LIMIT 1`, c.CaseID).Scan(&c.Seq, &prev)
	if errors.Is(err, sql.ErrNoRows) {
		c.Seq, err = 0, nil
	}
	if err != nil {
		return c, fmt.Errorf("read last custody event: %w", err)
	}
	c.Seq++
	if c.At.IsZero() {
		c.At = t.now
	}
	c.At = at(us(c.At))
	rec := sealed.Custody{CaseID: c.CaseID, Seq: c.Seq, At: c.At, Actor: c.Actor, Role: c.Role, Action: c.Action, Object: c.Object, SHA256: c.SHA256, Reason: c.Reason}
	if prev != nil {
		sum := sha256.Sum256(prev)
		rec.Prev = hex.EncodeToString(sum[:])
	}
	if c.Leaf, err = t.sealRecord(ctx, KindCustody, fmt.Sprintf("%s/%d", c.CaseID, c.Seq), rec); err != nil {
		return c, err
	}
	_, err = t.ExecContext(ctx, `INSERT INTO custody (case_id, seq, at_us, actor, role, action, object, sha256, reason, leaf)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.CaseID, c.Seq, us(c.At), c.Actor, c.Role, c.Action, c.Object, c.SHA256, c.Reason, c.Leaf)
	return c, err
}

const custodyColumns = `SELECT case_id, seq, at_us, actor, role, action, object, sha256, reason, leaf FROM custody`

func scanCustody(r row) (ward.Custody, error) {
	var c ward.Custody
	var when int64
	err := r.Scan(&c.CaseID, &c.Seq, &when, &c.Actor, &c.Role, &c.Action, &c.Object, &c.SHA256, &c.Reason, &c.Leaf)
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
