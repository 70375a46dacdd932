package evidence

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// frozen is a part as it is kept with an export. What the catalogue has
// anyway, and may have to erase, is not kept twice.
type frozen struct {
	Name   string `json:"name"`
	SHA256 []byte `json:"sha256"`
	CRC    uint32 `json:"crc"`
	Size   int64  `json:"size"`
	Data   []byte `json:"data,omitempty"`
	From   source `json:"from"`
}

// freeze keeps what the package is made of.
func (c *Clerk) freeze(ctx context.Context, x ward.Export, p *Package) (ward.Export, error) {
	all := make([]frozen, len(p.parts))
	for i, f := range p.parts {
		all[i] = frozen{Name: f.name, SHA256: f.sum.SHA256[:], CRC: f.sum.CRC, Size: f.sum.Size, From: f.from}
		if f.from.Kind == fromHere {
			all[i].Data = f.data
		}
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(z).Encode(all), z.Close()); err != nil {
		return x, fmt.Errorf("freeze export: %w", err)
	}
	return c.Store.FreezeExport(ctx, x, p.Size, b.Bytes())
}

// Resume returns the package of an export again, with the same bytes.
// ward.Gone "export.ended" when it is over.
func (c *Clerk) Resume(ctx context.Context, x ward.Export) (*Package, error) {
	b, err := c.Store.FrozenExport(ctx, x)
	if err != nil {
		return nil, err
	}
	var all []frozen
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err == nil {
		err = json.NewDecoder(z).Decode(&all)
	}
	if err != nil {
		return nil, fmt.Errorf("resume export %s: %w", x.ID, err)
	}
	parts := make([]part, len(all))
	for i, f := range all {
		parts[i] = part{name: f.Name, sum: pack.Sum{SHA256: [32]byte(f.SHA256), CRC: f.CRC, Size: f.Size}, data: f.Data, from: f.From}
	}
	return newPackage(c, x, parts), nil
}
