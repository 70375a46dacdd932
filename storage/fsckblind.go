package storage

import (
	"context"

	"wardwatch/ward"
)

// blindRows compares blind periods with their newest sealed records.
func (f *fsck) blindRows(ctx context.Context) error {
	id := func(b ward.BlindPeriod) string { return string(b.ID) }
	return each(ctx, f, "list blind periods", blindColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanBlind, id, func(b ward.BlindPeriod) error {
		return f.agree(ctx, "blind_period", string(b.ID), KindBlind, string(b.ID), b.Leaf, recordOfBlind(b))
	})
}

// outageRows compares every version of every outage with what was sealed.
func (f *fsck) outageRows(ctx context.Context) error {
	scan := func(r row) (out setRow[ward.Outage], err error) {
		out.v, err = scanOutage(rowAfter{r, []any{&out.key}})
		out.leaf = out.v.Leaf
		return out, err
	}
	return each(ctx, f, "list outages", `SELECT key, `+outageRows[len(`SELECT `):len(outageRows)-len(`outage o`)]+`(SELECT id || '/' || CAST(version AS TEXT) AS key, x.* FROM outage x) AS o
		WHERE key > $1 ORDER BY key LIMIT $2`, scan, keyOf, func(r setRow[ward.Outage]) error {
		return f.agree(ctx, "outage", r.key, KindOutage, r.key, r.leaf, recordOfOutage(r.v))
	})
}
