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
