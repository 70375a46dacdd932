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

// KindAccessPolicy is the kind of an access policy, by version.
const KindAccessPolicy = "access_policy"

// SetAccessPolicy stores the next version of the policy and seals it (kind
// "access_policy"). p.Version is the one that the setter saw: when another has
// been set since it is a ward.Conflict "access_policy.changed".
func (s *Store) SetAccessPolicy(ctx context.Context, p ward.AccessPolicy) (ward.AccessPolicy, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	err := s.change(ctx, "set access policy", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		now, err := readAccessPolicy(ctx, t.Tx)
		if err != nil {
			return err
		}
		if now.Version != p.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "access_policy.changed", ZH: "调阅理由规定刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed this policy; reload and try again."}
		}
		set := p
		set.Version, set.At = now.Version+1, at(us(t.now))
		params, err := json.Marshal(set)
		if err != nil {
			return err
		}
		leaf, err := t.sealRecord(ctx, KindAccessPolicy, strconv.Itoa(set.Version), set)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO access_policy (version, params, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5)`,
			set.Version, string(params), set.By, us(set.At), leaf); err != nil {
			return err
		}
		p = set
		return nil
	})
	return p, err
}

// AccessPolicy returns the policy that counts now.
func (s *Store) AccessPolicy(ctx context.Context) (ward.AccessPolicy, error) {
	return readAccessPolicy(ctx, s.read)
}

func readAccessPolicy(ctx context.Context, q ledgerdb.Querier) (ward.AccessPolicy, error) {
	p := ward.DefaultAccessPolicy()
	var params string
	err := q.QueryRowContext(ctx, `SELECT params FROM access_policy ORDER BY version DESC LIMIT 1`).Scan(&params)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(params), &p)
	}
	if err != nil {
		return p, fmt.Errorf("read access policy: %w", err)
	}
	return p, nil
}

// AccessReason is the newest reason that the user gave for looking at the
// case's evidence (empty: for searching) in the session, empty when none.
// session is the object of the custody event that the reason was noted with.
func (s *Store) AccessReason(ctx context.Context, id ward.CaseID, by ward.UserID, session string) (string, error) {
	var reason string
	err := s.read.QueryRowContext(ctx, `SELECT reason FROM custody WHERE action = 'state' AND object = $1 AND case_id = $2 AND actor = $3 ORDER BY seq DESC LIMIT 1`,
		session, id, by).Scan(&reason)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read why %s looks at case %s: %w", by, id, err)
	}
	return reason, nil
}

// accessPolicyRows compares every access policy with what was sealed.
func (f *fsck) accessPolicyRows(ctx context.Context) error {
	type policy struct {
		ward.AccessPolicy // as its columns say
		params            string
	}
	scan := keyed(func(r row) (p policy, err error) {
		var set int64
		err = r.Scan(&p.Version, &p.params, &p.By, &set)
		p.At = at(set)
		return p, err
	})
	return each(ctx, f, "list access policies", `SELECT key, leaf, version, params, set_by, set_us FROM
			(SELECT CAST(version AS TEXT) AS key, p.* FROM access_policy p) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[policy]) error {
		var p ward.AccessPolicy
		if json.Unmarshal([]byte(r.v.params), &p) != nil || p.Version != r.v.Version || p.By != r.v.By || !p.At.Equal(r.v.At) {
			f.bad("access_policy/"+r.key, "调阅理由规定的数据库记录前后不一致。", "The columns of the row differ from the policy")
		}
		return f.agree(ctx, "access_policy", r.key, KindAccessPolicy, r.key, r.leaf, p)
	})
}
