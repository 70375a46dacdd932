package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// Package is an export that is ready to be streamed.
type Package struct {
	Name    string      // a file name for it
	Size    int64       // bytes that Write writes
	Missing []pack.Item // items whose bytes are not in the package, and why
	parts   []part
}

// part is one file of a package to be written.
type part struct {
	name string
	sum  pack.Sum
	data []byte                                           // or
	open func(ctx context.Context) (io.ReadCloser, error) // re-read while streaming
}

// measure reads an object once.
func measure(ctx context.Context, name string, open func(context.Context) (io.ReadCloser, error)) (part, error) {
	p := part{name: name, open: open}
	r, err := open(ctx)
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

func (p *Package) entries() []pack.Entry {
	var all []pack.Entry
	var at int64
	for _, f := range p.parts {
		e := pack.Entry{Name: f.name, Size: f.sum.Size, CRC: f.sum.CRC, Offset: at}
		all = append(all, e)
		at = e.End()
	}
	return all
}

// Write streams the package in little memory, reading every object again.
// An object that changed since Prepare is an error that names it; what was
// written until then is not a zip file.
func (p *Package) Write(ctx context.Context, w io.Writer) error {
	entries := p.entries()
	for i, f := range p.parts {
		if _, err := w.Write(entries[i].Local()); err != nil {
			return fmt.Errorf("write package: %w", err)
		}
		if err := f.copy(ctx, w); err != nil {
			return fmt.Errorf("write package: %s: %w", f.name, err)
		}
	}
	if _, err := w.Write(pack.Directory(entries)); err != nil {
		return fmt.Errorf("write package: %w", err)
	}
	return nil
}

func (p *part) copy(ctx context.Context, w io.Writer) error {
	if p.open == nil {
		_, err := io.Copy(w, bytes.NewReader(p.data))
		return err
	}
	r, err := p.open(ctx)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(r, p.sum.Size))
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if n != p.sum.Size || [32]byte(h.Sum(nil)) != p.sum.SHA256 {
		return &ward.Error{
			Kind: ward.Conflict, Code: "evidence.changed", ZH: "导出过程中原件发生变化，已中止：" + strings.TrimPrefix(p.name, "media/"),
			EN: "An original changed during the export, which was stopped: " + p.name,
		}
	}
	return nil
}
