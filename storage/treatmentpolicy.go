package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"wardwatch/ward"
)

// SetTreatmentPolicy stores the next version of the policy of one kind of
// treatment, of an institution or of all, and seals it (kind
// "treatment_policy"). p.Version is the version of that scope that the setter
// saw, 0 for none: when another has been set since it is a ward.Conflict
// "treatment_policy.changed". Sessions that have begun keep theirs.
func (s *Store) SetTreatmentPolicy(ctx context.Context, p ward.TreatmentPolicy) (ward.TreatmentPolicy, error) {
	if err := p.Check(); err != nil {
		return p, err
	}
	if p.InstitutionID != "" {
		if _, err := s.Institution(ctx, p.InstitutionID); err != nil {
			return p, err
		}
	}
	err := s.change(ctx, "set treatment policy", func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var seen, last int
		if err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(CASE WHEN institution_id = $1 AND kind = $2 THEN version END), 0) FROM treatment_policy`,
			p.InstitutionID, p.Kind).Scan(&last, &seen); err != nil {
			return err
		}
		if seen != p.Version {
			return &ward.Error{Kind: ward.Conflict, Code: "treatment_policy.changed", ZH: "治疗核验规则刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed this policy; reload and try again."}
		}
		set := p
		set.Version, set.At = last+1, at(us(t.now))
		params, err := json.Marshal(set)
		if err != nil {
			return err
		}
		leaf, err := t.sealRecord(ctx, KindTreatmentPolicy, strconv.Itoa(set.Version), set)
		if err != nil {
			return err
		}
		if _, err := t.ExecContext(ctx, `INSERT INTO treatment_policy (version, institution_id, kind, params, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			set.Version, set.InstitutionID, set.Kind, string(params), set.By, us(set.At), leaf); err != nil {
			return err
		}
		p = set
		return nil
	})
	return p, err
}

// TreatmentPolicies lists the newest version of every scope, by version.
func (s *Store) TreatmentPolicies(ctx context.Context) ([]ward.TreatmentPolicy, error) {
	return listed(ctx, s, "list treatment policies", scanTreatmentPolicy, `SELECT params FROM treatment_policy p
		WHERE version = (SELECT MAX(version) FROM treatment_policy n WHERE n.institution_id = p.institution_id AND n.kind = p.kind) ORDER BY version`)
}

func scanTreatmentPolicy(r row) (p ward.TreatmentPolicy, err error) {
	var params string
	if err = r.Scan(&params); err == nil {
		err = json.Unmarshal([]byte(params), &p)
	}
	return p, err
}

// TreatmentPolicyFor is the policy that counts for a kind at an institution.
func (s *Store) TreatmentPolicyFor(ctx context.Context, inst ward.InstitutionID, kind ward.TreatmentKind) (ward.TreatmentPolicy, error) {
	all, err := s.TreatmentPolicies(ctx)
	if err != nil {
		return ward.TreatmentPolicy{}, fmt.Errorf("treatment policy of %s: %w", inst, err)
	}
	return ward.TreatmentPolicyFor(all, inst, kind), nil
}

// treatmentPolicyRows compares every treatment policy with what was sealed.
func (f *fsck) treatmentPolicyRows(ctx context.Context) error {
	type policy struct {
		ward.TreatmentPolicy // as its columns say
		params               string
	}
	scan := keyed(func(r row) (p policy, err error) {
		var set int64
		err = r.Scan(&p.Version, &p.InstitutionID, &p.Kind, &p.params, &p.By, &set)
		p.At = at(set)
		return p, err
	})
	return each(ctx, f, "list treatment policies", `SELECT key, leaf, version, institution_id, kind, params, set_by, set_us FROM
			(SELECT CAST(version AS TEXT) AS key, p.* FROM treatment_policy p) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[policy]) error {
		var p ward.TreatmentPolicy
		if json.Unmarshal([]byte(r.v.params), &p) != nil || p.Version != r.v.Version || p.InstitutionID != r.v.InstitutionID || p.Kind != r.v.Kind || p.By != r.v.By || !p.At.Equal(r.v.At) {
			f.bad("treatment_policy/"+r.key, "治疗核验规则的数据库记录前后不一致。", "The columns of the row differ from the policy")
		}
		return f.agree(ctx, "treatment_policy", r.key, KindTreatmentPolicy, r.key, r.leaf, p)
	})
}
