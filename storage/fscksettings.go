package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/storage/ledger"
	"wardwatch/ward"
)

// setRow is a version of something that an administrator sets.
type setRow[T any] struct {
	key  string // by which rows are paged, and the ref of its seal
	leaf int64
	v    T
}

func keyOf[T any](r setRow[T]) string { return r.key }

// keyed scans the key, the leaf, and the rest with scan.
func keyed[T any](scan func(row) (T, error)) func(row) (setRow[T], error) {
	return func(r row) (out setRow[T], err error) {
		out.v, err = scan(rowAfter{r, []any{&out.key, &out.leaf}})
		return out, err
	}
}

// rowAfter is a row whose first columns go to before.
type rowAfter struct {
	row
	before []any
}

func (r rowAfter) Scan(to ...any) error { return r.row.Scan(append(r.before, to...)...) }

// zoneRows compares every version of the cameras' zones with what was sealed.
func (f *fsck) zoneRows(ctx context.Context) error {
	type drawn struct {
		ward.Zoning
		staff int
	}
	scan := keyed(func(r row) (d drawn, err error) {
		d.Zoning, err = scanZoning(rowAfter{r, []any{&d.staff}})
		return d, err
	})
	return each(ctx, f, "list zones", `SELECT key, leaf, staff, camera_id, version, zones, set_by, set_us FROM
			(SELECT camera_id || '/' || CAST(version AS TEXT) AS key, z.* FROM camera_zones z) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[drawn]) error {
		z := r.v
		if z.staff != flag(z.Has(ward.StaffZone)) {
			f.bad("camera_zones/"+r.key, "工作人员区域标记与所画区域不符。", "Whether it has a zone of the staff differs from its zones")
		}
		if err := f.setAt(ctx, "camera_zones/"+r.key, r.leaf, z.At); err != nil {
			return err
		}
		return f.agree(ctx, "camera_zones", r.key, KindZones, r.key, r.leaf, zonesRecord{z.CameraID, z.Version, z.Zones, z.By})
	})
}

// ruleRows compares every setting of the rules with what was sealed.
func (f *fsck) ruleRows(ctx context.Context) error {
	return each(ctx, f, "list rule settings", `SELECT key, leaf, rule, version, institution_id, mode, params, inherit, set_by, set_us FROM
			(SELECT rule || '/' || CAST(version AS TEXT) AS key, s.* FROM rule_setting s) AS k WHERE key > $1 ORDER BY key LIMIT $2`, keyed(scanRuleSetting), keyOf, func(r setRow[ward.RuleSetting]) error {
		v := r.v
		if err := f.setAt(ctx, "rule_setting/"+r.key, r.leaf, v.At); err != nil {
			return err
		}
		return f.agree(ctx, "rule_setting", r.key, KindRule, r.key, r.leaf, ruleRecord{v.Rule, v.Version, v.InstitutionID, v.Mode, v.Params, v.Inherit, v.By})
	})
}

// policyRows compares every alert policy with what was sealed.
func (f *fsck) policyRows(ctx context.Context) error {
	type policy struct {
		ward.AlertPolicy // as its columns say
		params           string
	}
	scan := keyed(func(r row) (p policy, err error) {
		var set int64
		err = r.Scan(&p.Version, &p.params, &p.By, &set)
		p.At = at(set)
		return p, err
	})
	return each(ctx, f, "list alert policies", `SELECT key, leaf, version, params, set_by, set_us FROM
			(SELECT CAST(version AS TEXT) AS key, p.* FROM alert_policy p) AS k WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[policy]) error {
		var p ward.AlertPolicy
		if json.Unmarshal([]byte(r.v.params), &p) != nil || p.Version != r.v.Version || p.By != r.v.By || !p.At.Equal(r.v.At) {
			f.bad("alert_policy/"+r.key, "办理期限的数据库记录前后不一致。", "The columns of the row differ from its figures")
		}
		return f.agree(ctx, "alert_policy", r.key, KindAlertPolicy, r.key, r.leaf, p)
	})
}

// setAt compares the moment of a row with that of its seal, whose record does
// not hold it; without a seal there is nothing to say that agree does not.
func (f *fsck) setAt(ctx context.Context, where string, leaf int64, set time.Time) error {
	r, err := f.s.Sealed(ctx, leaf)
	if ward.KindOf(err) == ward.NotFound {
		return nil
	}
	var e ledger.Sealed
	if err != nil {
		return fmt.Errorf("compare when %s was set: %w", where, err)
	}
	if json.Unmarshal(r.Body, &e) == nil && us(e.At) != us(set) {
		f.bad(where, "设置时间与封存时间不同。", "The moment at which it was set differs from its seal")
	}
	return nil
}
