package evidence

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io/fs"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// caseFile adds what the case is about, its officers, and how it was reviewed.
func (d *draft) caseFile(ctx context.Context) error {
	f, err := d.Store.CaseFile(ctx, d.m.Case.ID)
	if err != nil {
		return err
	}
	leafs := []int64{}
	if f.Version > 0 {
		d.m.File, leafs = &f, append(leafs, f.Leaf)
	}
	for _, o := range f.Officers {
		u, err := d.Store.User(ctx, o.User)
		if err != nil {
			return err
		}
		d.m.Officers = append(d.m.Officers, pack.Officer{Name: u.Name, Certificate: o.Certificate})
	}
	steps, err := d.Store.CaseSteps(ctx, d.m.Case.ID)
	if err != nil {
		return err
	}
	for _, s := range steps {
		leafs = append(leafs, s.Leaf)
	}
	for _, leaf := range leafs {
		r, err := d.Store.Sealed(ctx, leaf)
		if err != nil {
			return err
		}
		d.record(r)
	}
	return nil
}

// keys adds what leads to key.pub, and the key of the second signature.
func (d *draft) keys() error {
	var b bytes.Buffer
	for _, r := range d.Store.Rotations() {
		b.WriteString(r.String())
	}
	if b.Len() > 0 {
		d.file(pack.RoleKey, dataPart(pack.RotationsName, b.Bytes()))
	}
	k := d.Store.SM2()
	if k == nil {
		return nil
	}
	public, err := k.PEM()
	d.file(pack.RoleKey, dataPart(pack.SM2KeyName, public))
	return err
}

// list adds the list of one hash of all files so far.
func (d *draft) list(name string, hash func(pack.Sum) [32]byte) {
	byName := map[string][32]byte{}
	var names []string
	for _, p := range d.parts {
		byName[p.name] = hash(p.sum)
		names = append(names, p.name)
	}
	d.parts = append(d.parts, dataPart(name, pack.Sums(names, func(n string) [32]byte { return byName[n] })))
}

// media hashes the object behind e and adds it, or says why it cannot.
func (d *draft) media(ctx context.Context, it *pack.Item, e ward.Evidence, role pack.Role, name string) error {
	if d.covered[e.ID] {
		it.Missing = pack.MissingCovered
		return nil
	}
	p, err := d.measure(ctx, name, e)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
		it.Missing = pack.MissingAbsent
		return nil
	}
	if err != nil {
		return err
	}
	if e.SHA256 == [32]byte{} {
		it.Missing, it.Found = pack.MissingAbsent, hex.EncodeToString(p.sum.SHA256[:]) // came after it was looked for
		return nil
	}
	if p.sum.SHA256 != e.SHA256 {
		it.Missing, it.Found = pack.MissingChanged, hex.EncodeToString(p.sum.SHA256[:])
		return nil
	}
	it.Path = name
	d.file(role, p)
	return nil
}
