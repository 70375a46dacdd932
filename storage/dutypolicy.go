package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"wardwatch/ward"
)

// SetDutyPolicy stores the next version of an institution's policy, or of that
// of all, and seals it (kind "duty_policy"). p.Version is the version of that
// scope that the setter saw, 0 for none: when another has been set since it is
// a ward.Conflict "duty_policy.changed". Windows that are open stay.
func (s *Store) SetDutyPolicy(ctx context.Context, p ward.DutyPolicy) (ward.DutyPolicy, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	if p.InstitutionID != "" {
		if _, err := s.Institution(ctx, p.InstitutionID); err != nil {
			return p, err
		}
	}
	err := s.change(ctx, "set duty policy", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var seen, last int
		if err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(CASE WHEN institution_id = $1 THEN version END), 0) FROM duty_policy`, p.InstitutionID).Scan(&last, &seen); err != nil {
			return err
		}
		if seen != p.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "duty_policy.changed", ZH: "在岗规则刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed this policy; reload and try again."}
		}
		set := p
		set.Version, set.At = last+1, at(us(t.now))
		params, err := json.Marshal(set)
		if err != nil {
			return err
		}
		leaf, err := t.sealRecord(ctx, KindDutyPolicy, strconv.Itoa(set.Version), set)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO duty_policy (version, institution_id, params, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5, $6)`,
			set.Version, set.InstitutionID, string(params), set.By, us(set.At), leaf); err != nil {
			return err
		}
		p = set
		return nil
	})
	return p, err
}

// DutyPolicies lists the newest version of every scope, by version.
func (s *Store) DutyPolicies(ctx context.Context) ([]ward.DutyPolicy, error) {
	return listed(ctx, s, "list duty policies", scanDutyPolicy, dutyPolicyColumns)
}

const dutyPolicyColumns = `SELECT params FROM duty_policy p
	WHERE version = (SELECT MAX(version) FROM duty_policy n WHERE n.institution_id = p.institution_id) ORDER BY version`

// DutyPolicyVersion is one version, or ward.NotFound; 0 is the one that is built in.
func (s *Store) DutyPolicyVersion(ctx context.Context, version int) (ward.DutyPolicy, error) {
	if version == 0 {
		return ward.DefaultDutyPolicy(), nil
	}
	p, err := scanDutyPolicy(s.read.QueryRowContext(ctx, `SELECT params FROM duty_policy WHERE version = $1`, version))
	if err != nil {
		return p, fmt.Errorf("read duty policy %d: %w", version, missing(err, "duty_policy.unknown", "没有这一版在岗规则。", "No such version of the duty policy."))
	}
	return p, nil
}

func scanDutyPolicy(r row) (p ward.DutyPolicy, err error) {
	var params string
	if err = r.Scan(&params); err == nil {
		err = json.Unmarshal([]byte(params), &p)
	}
	return p, err
}

// DutyPolicyFor is the policy that counts at an institution.
func (s *Store) DutyPolicyFor(ctx context.Context, inst ward.InstitutionID) (ward.DutyPolicy, error) {
	all, err := s.DutyPolicies(ctx)
	if err != nil {
		return ward.DutyPolicy{}, fmt.Errorf("duty policy of %s: %w", inst, err)
	}
	return ward.DutyPolicyFor(all, inst), nil
}

// dutyPolicyRows compares every duty policy with what was sealed.
func (f *fsck) dutyPolicyRows(ctx context.Context) error {
	type policy struct {
		ward.DutyPolicy // as its columns say
		params          string
	}
	scan := keyed(func(r row) (p policy, err error) {
		var set int64
		err = r.Scan(&p.Version, &p.InstitutionID, &p.params, &p.By, &set)
		p.At = at(set)
		return p, err
	})
	return each(ctx, f, "list duty policies", `SELECT key, leaf, version, institution_id, params, set_by, set_us FROM
			(SELECT CAST(version AS TEXT) AS key, p.* FROM duty_policy p) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[policy]) error {
		var p ward.DutyPolicy
		if json.Unmarshal([]byte(r.v.params), &p) != nil || p.Version != r.v.Version || p.InstitutionID != r.v.InstitutionID || p.By != r.v.By || !p.At.Equal(r.v.At) {
			f.bad("duty_policy/"+r.key, "在岗规则的数据库记录前后不一致。", "The columns of the row differ from the policy")
		}
		return f.agree(ctx, "duty_policy", r.key, KindDutyPolicy, r.key, r.leaf, p)
	})
}
