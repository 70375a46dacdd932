package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/ward"
)

// SetCheckPolicy stores the next version of a scope's policy and seals it
// (kind "check_policy"). p.Version is the scope's version that the setter
// saw, 0 for none: when another has been set since it is a ward.Conflict
// "check_policy.changed". Visits whose checks are done keep their verdict.
func (s *Store) SetCheckPolicy(ctx context.Context, p ward.CheckPolicy) (ward.CheckPolicy, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	if p.InstitutionID != "" {
		if _, err := s.Institution(ctx, p.InstitutionID); err != nil {
			return p, err
		}
	}
	err := s.change(ctx, "set check policy", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var seen, last int
		if err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(CASE WHEN institution_id = $1 AND ward = $2 AND purpose = $3 THEN version END), 0) FROM check_policy`,
			p.InstitutionID, p.Ward, p.Purpose).Scan(&last, &seen); err != nil {
			return err
		}
		if seen != p.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "check_policy.changed", ZH: "该范围的检测要求刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed this policy; reload and try again."}
		}
		set := p
		set.Version, set.At = last+1, at(us(t.now))
		params, err := json.Marshal(set)
		if err != nil {
			return err
		}
		leaf, err := t.sealRecord(ctx, KindCheckPolicy, strconv.Itoa(set.Version), set)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO check_policy (version, institution_id, ward, purpose, params, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			set.Version, set.InstitutionID, set.Ward, set.Purpose, string(params), set.By, us(set.At), leaf); err != nil {
			return err
		}
		p = set
		return nil
	})
	return p, err
}

// CheckPolicies lists the newest version of every scope, those withdrawn
// included, by version.
func (s *Store) CheckPolicies(ctx context.Context) ([]ward.CheckPolicy, error) {
	return readCheckPolicies(ctx, s.read)
}

func readCheckPolicies(ctx context.Context, q ledgerdb.Querier) ([]ward.CheckPolicy, error) {
	rows, err := q.QueryContext(ctx, `SELECT params FROM check_policy p WHERE NOT EXISTS (SELECT 1 FROM check_policy n
		WHERE n.institution_id = p.institution_id AND n.ward = p.ward AND n.purpose = p.purpose AND n.version > p.version) ORDER BY version`)
	if err != nil {
		return nil, fmt.Errorf("read check policies: %w", err)
	}
	return collect(rows, scanCheckPolicy)
}

func scanCheckPolicy(r row) (p ward.CheckPolicy, err error) {
	var params string
	if err = r.Scan(&params); err == nil {
		err = json.Unmarshal([]byte(params), &p)
	}
	return p, err
}

// CheckPolicyFor is the policy that counts for a visit in this ward; room is
// empty where a physician is verified.
func (s *Store) CheckPolicyFor(ctx context.Context, purpose ward.Purpose, inst ward.InstitutionID, room string) (ward.CheckPolicy, error) {
	all, err := s.CheckPolicies(ctx)
	return ward.PolicyFor(all, purpose, inst, room), err
}

// CheckPolicyVersion is the policy of a version; 0 is the built-in one.
func (s *Store) CheckPolicyVersion(ctx context.Context, version int) (ward.CheckPolicy, error) {
	if version == 0 {
		return ward.DefaultCheckPolicy(), nil
	}
	p, err := scanCheckPolicy(s.read.QueryRowContext(ctx, `SELECT params FROM check_policy WHERE version = $1`, version))
	if err != nil {
		return p, fmt.Errorf("read check policy %d: %w", version, err)
	}
	return p, nil
}

// checkPolicyRows compares every check policy with what was sealed.
func (f *fsck) checkPolicyRows(ctx context.Context) error {
	type policy struct {
		ward.CheckPolicy // as its columns say
		params           string
	}
	scan := keyed(func(r row) (p policy, err error) {
		var set int64
		err = r.Scan(&p.Version, &p.InstitutionID, &p.Ward, &p.Purpose, &p.params, &p.By, &set)
		p.At = at(set)
		return p, err
	})
	return each(ctx, f, "list check policies", `SELECT key, leaf, version, institution_id, ward, purpose, params, set_by, set_us FROM
			(SELECT CAST(version AS TEXT) AS key, p.* FROM check_policy p) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[policy]) error {
		var p ward.CheckPolicy
		if json.Unmarshal([]byte(r.v.params), &p) != nil || p.Version != r.v.Version || p.InstitutionID != r.v.InstitutionID || p.Ward != r.v.Ward || p.Purpose != r.v.Purpose || p.By != r.v.By || !p.At.Equal(r.v.At) {
			f.bad("check_policy/"+r.key, "检测要求的数据库记录前后不一致。", "The columns of the row differ from the policy")
		}
		return f.agree(ctx, "check_policy", r.key, KindCheckPolicy, r.key, r.leaf, p)
	})
}
