package storage

import (
	"context"
	"encoding/json"
	"fmt"

	"wardwatch/ward"
)

// ruleRecord is what the ledger commits to when a rule is set, so that
// anybody can later see by which figures an alert was raised.
type ruleRecord struct {
	Rule        ward.Rule          `json:"rule"`
	Version     int                `json:"version"`
	Institution ward.InstitutionID `json:"institution"`
	Mode        ward.RuleMode      `json:"mode"`
	Params      map[string]float64 `json:"params"`
	Inherit     bool               `json:"inherit"`
	By          ward.UserID        `json:"by"`
}

// SetRule stores the next version of a rule's setting and seals it (kind
// "rule"). basedOn is the version that the setter saw for this institution, or
// for all: when another has been set since it is a ward.Conflict "rule.changed".
// A bad figure is a ward.Invalid, an unknown institution a ward.NotFound.
func (s *Store) SetRule(ctx context.Context, set ward.RuleSetting, basedOn int) (ward.RuleSetting, error) {
	if err := set.Check(); err != nil {
		return set, err
	}
	params, err := json.Marshal(set.Params)
	if err != nil {
		return set, fmt.Errorf("set rule %s: %w", set.Rule, err)
	}
	err = s.change(ctx, "set rule "+string(set.Rule), func(t *tx) error {
		if set.InstitutionID != "" {
			var one int
			err := t.QueryRowContext(ctx, `SELECT 1 FROM institution WHERE id = $1`, set.InstitutionID).Scan(&one)
			if err != nil {
				return missing(err, "institution.unknown", "没有这家机构，请检查机构编号。", "No such institution; check its id.")
			}
		}
		if err := t.lockLedger(ctx); err != nil { // also makes versions one at a time
			return err
		}
		var newest, seen int
		err := t.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0), COALESCE(MAX(CASE WHEN institution_id = $2 THEN version END), 0) FROM rule_setting WHERE rule = $1`,
			set.Rule, set.InstitutionID).Scan(&newest, &seen)
		if err != nil {
			return err
		}
		if seen > basedOn {
			return &ward.Error{Kind: ward.Conflict, Code: "rule.changed", ZH: "该规则刚被他人修改，请刷新后重试。", EN: "Somebody else has just changed this rule; reload and try again."}
		}
		set.Version, set.At = max(newest, ward.BuiltInVersion)+1, at(us(t.now))
		leaf, err := t.sealRecord(ctx, KindRule, fmt.Sprintf("%s/%d", set.Rule, set.Version), ruleRecord{set.Rule, set.Version, set.InstitutionID, set.Mode, set.Params, set.Inherit, set.By})
		if err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO rule_setting (rule, version, institution_id, mode, params, inherit, set_by, set_us, leaf) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			set.Rule, set.Version, set.InstitutionID, set.Mode, string(params), flag(set.Inherit), set.By, us(set.At), leaf)
		return err
	})
	return set, err
}

const ruleColumns = `SELECT rule, version, institution_id, mode, params, inherit, set_by, set_us FROM rule_setting`

// RuleSettings returns the newest setting of every rule for every institution
// and for all, by rule and version.
func (s *Store) RuleSettings(ctx context.Context) ([]ward.RuleSetting, error) {
	return listed(ctx, s, "list rule settings", scanRuleSetting, ruleColumns+` r WHERE version = (SELECT MAX(version) FROM rule_setting x
		WHERE x.rule = r.rule AND x.institution_id = r.institution_id) ORDER BY rule, version`)
}

// RuleHistory returns every setting of a rule for an institution, or for all
// (empty), the newest first.
func (s *Store) RuleHistory(ctx context.Context, rule ward.Rule, inst ward.InstitutionID) ([]ward.RuleSetting, error) {
	return listed(ctx, s, "list settings of rule "+string(rule), scanRuleSetting, ruleColumns+` WHERE rule = $1 AND institution_id = $2 ORDER BY version DESC`, rule, inst)
}

func scanRuleSetting(r row) (ward.RuleSetting, error) {
	var v ward.RuleSetting
	var params string
	var inherit int
	var set int64
	err := r.Scan(&v.Rule, &v.Version, &v.InstitutionID, &v.Mode, &params, &inherit, &v.By, &set)
	if err != nil {
		return v, err
	}
	v.Inherit, v.At = inherit != 0, at(set)
	if err = json.Unmarshal([]byte(params), &v.Params); err != nil {
		return v, fmt.Errorf("figures of rule %s version %d: %w", v.Rule, v.Version, err)
	}
	return v, nil
}
