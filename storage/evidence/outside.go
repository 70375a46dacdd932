package evidence

import (
	"context"
	"strings"

	"wardwatch/storage/evidence/pack"
	"wardwatch/storage/ledger"
)

// outside adds what others say of the checkpoint note of size leaves, and our second signature.
func (d *draft) outside(ctx context.Context, note string, size int64) error {
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
	k := d.Store.SM2()
	if err != nil || k == nil {
		return err
	}
	text, err := ledger.Text(note)
	if err != nil {
		return err
	}
	line, err := k.Sign(text, d.m.Log)
	d.parts = append(d.parts, dataPart(pack.SM2Name, []byte(line)))
	return err
}
