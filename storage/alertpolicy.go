package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// SetAlertPolicy stores the next version of the policy and seals it (kind
// "alert_policy"). p.Version is the one that the setter saw: when another has
// been set since it is a ward.Conflict "alert_policy.changed". Deadlines that
// were given stay; appeals go by the newest.
func (s *Store) SetAlertPolicy(ctx context.Context, p ward.AlertPolicy) (ward.AlertPolicy, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	err := s.change(ctx, "set alert policy", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		now, err := readAlertPolicy(ctx, t.Tx)
		if err != nil {
			return err
		}
		if now.Version != p.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "alert_policy.changed", ZH: "办理期限刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed the deadlines; reload and try again."}
		}
		set := p
		set.Version, set.At = now.Version+1, at(us(t.now))
		params, err := json.Marshal(set)
		if err != nil {
			return err
		}
		leaf, err := t.sealRecord(ctx, KindAlertPolicy, strconv.Itoa(set.Version), set)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO alert_policy (version, params, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5)`,
			set.Version, string(params), set.By, us(set.At), leaf); err != nil {
			return err
		}
		p = set
		return nil
	})
	return p, err
}

// AlertPolicy returns the policy that counts now.
func (s *Store) AlertPolicy(ctx context.Context) (ward.AlertPolicy, error) {
	return readAlertPolicy(ctx, s.read)
}

func readAlertPolicy(ctx context.Context, q ledgerdb.Querier) (ward.AlertPolicy, error) {
	p := ward.DefaultAlertPolicy() // for figures that are younger than the row
	var params string
	err := q.QueryRowContext(ctx, `SELECT params FROM alert_policy ORDER BY version DESC LIMIT 1`).Scan(&params)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(params), &p)
	}
	if err != nil {
		return p, fmt.Errorf("read alert policy: %w", err)
	}
	return p, nil
}
