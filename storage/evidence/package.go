package evidence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"wardwatch/storage"
	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// Package is an export that is ready to be streamed, from any byte on.
type Package struct {
	Export  ward.Export
	Name    string      // a file name for it
	Size    int64       // bytes that Write writes
	Missing []pack.Item // items whose bytes are not in the package, and why; only Prepare says
	clerk   *Clerk
	parts   []part
	entries []pack.Entry // of parts
	tail    []byte       // the list of files
}

// part is one file of a package to be written.
type part struct {
	name string
	sum  pack.Sum
	data []byte // nil: it is read from where it came
	from source
}

// sourceKind says where a part comes from.
type sourceKind string

const (
	fromHere   sourceKind = ""       // made for this export
	fromRecord sourceKind = "record" // Ref is the leaf
	fromItem   sourceKind = "item"   // an object; Item is the piece of evidence
	fromEvents sourceKind = "events" // Ref is the visit
	fromChat   sourceKind = "chat"   // Ref is the visit
)

// source is where a part is read again.
type source struct {
	Kind sourceKind    `json:"kind"`
	Ref  string        `json:"ref,omitempty"`
	Leaf int64         `json:"leaf,omitempty"`
	Item ward.Evidence `json:"item,omitzero"`
}

func newPackage(c *Clerk, x ward.Export, parts []part) *Package {
	p := &Package{Export: x, Name: "case-" + string(x.CaseID) + ".zip", clerk: c, parts: parts}
	var at int64
	for _, f := range parts {
		e := pack.Entry{Name: f.name, Size: f.sum.Size, CRC: f.sum.CRC, Offset: at}
		p.entries = append(p.entries, e)
		at = e.End()
	}
	p.tail = pack.Directory(p.entries)
	p.Size = at + int64(len(p.tail))
	return p
}

// measure reads the object of e once.
func (c *Clerk) measure(ctx context.Context, name string, e ward.Evidence) (part, error) {
	p := part{name: name, from: source{Kind: fromItem, Item: e}}
	r, _, err := c.Open(ctx, e)
	if err != nil {
		return p, err
	}
	p.sum, err = (&pack.Summer{}).Sum(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return p, fmt.Errorf("read %s: %w", name, err)
	}
	return p, nil
}

func dataPart(name string, b []byte) part { return part{name: name, sum: pack.SumOf(b), data: b} }

func recordPart(name string, r storage.SealedRecord) part {
	p := dataPart(name, r.Body)
	p.from = source{Kind: fromRecord, Leaf: r.Leaf}
	return p
}

// source reads a part from where it came.
func (c *Clerk) source(ctx context.Context, p part) (io.ReadCloser, error) {
	b := p.data
	var err error
	if b == nil {
		switch p.from.Kind {
		case fromItem:
			r, _, err := c.Open(ctx, p.from.Item)
			return r, err
		case fromRecord:
			var r storage.SealedRecord
			r, err = c.Store.Sealed(ctx, p.from.Leaf)
			b = r.Body
		case fromEvents:
			b, err = c.Store.SealedEvents(ctx, ward.VisitID(p.from.Ref))
		case fromChat:
			if b, err = c.Store.SealedEvents(ctx, ward.VisitID(p.from.Ref)); err == nil {
				b, err = c.chatFile(ctx, ward.VisitID(p.from.Ref), b)
			}
		case fromHere: // an empty one
		}
	}
	return io.NopCloser(bytes.NewReader(b)), err
}

// Write streams the package in little memory, reading every object again.
// An object that is gone or changed since Prepare is an error that names it,
// ward.Conflict "evidence.changed"; what was written until then is not a zip file.
func (p *Package) Write(ctx context.Context, w io.Writer) error {
	r := p.Reader(ctx)
	_, err := io.Copy(w, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("write package: %w", err)
	}
	return nil
}
