package evidence

import (
	"context"
	"strings"

	"wardwatch/storage/evidence/pack"
)

// outside adds what others say of the checkpoint note of size leaves.
func (d *draft) outside(ctx context.Context, size int64) error {
	if d.Ask != nil {
		d.Ask(ctx)
	}
	said, err := d.Store.CosignaturesOf(ctx, size)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, c := range said {
		lines.WriteString(c.Line)
	}
	if len(said) > 0 {
		d.parts = append(d.parts, dataPart(pack.CosignedName, []byte(lines.String())))
	}
	stamp, err := d.Store.StampOf(ctx, size)
	if err == nil && stamp.Size != 0 {
		d.parts = append(d.parts, dataPart(pack.StampName, stamp.Response))
	}
	return err
}
