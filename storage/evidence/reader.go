package evidence

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"sort"
	"strings"

	"wardwatch/storage/evidence/pack"
	"wardwatch/ward"
)

// Reader reads a package from any byte on, in little memory. A file in which
// reading begins is read from its own first byte, so that a change in it is
// seen. Its errors are Write's. It is for one goroutine.
type Reader struct {
	ctx   context.Context //nolint:containedctx // lives for one fetch
	p     *Package
	at    int64         // of the next byte
	body  io.ReadCloser // from the byte next to the end of its file; nil: to be opened
	next  int64
	whole hash.Hash // over the first hashed bytes of the package; nil: nobody wants it
	done  int64     // bytes that whole has
}

// Reader reads p from its beginning.
func (p *Package) Reader(ctx context.Context) *Reader { return &Reader{ctx: ctx, p: p} }

// Hash has the reader compute the hash of the whole package, going on from
// what p.Export says is Hashed. What lies before the byte that is read next is
// read for it then.
func (r *Reader) Hash() error {
	r.whole, r.done = sha256.New(), 0
	if len(r.p.Export.Hashed) == 0 {
		return nil
	}
	r.done = r.p.Export.Sent
	if err := r.whole.(encoding.BinaryUnmarshaler).UnmarshalBinary(r.p.Export.Hashed); err != nil { //nolint:forcetypeassert // sha256 promises it
		return fmt.Errorf("go on hashing export %s: %w", r.p.Export.ID, err)
	}
	return nil
}

// Hashed is how many bytes were hashed, the state after them and their hash;
// nothing without Hash.
func (r *Reader) Hashed() (n int64, state []byte, sum [32]byte, err error) {
	if r.whole == nil {
		return 0, nil, sum, nil
	}
	state, err = r.whole.(encoding.BinaryMarshaler).MarshalBinary() //nolint:forcetypeassert // sha256 promises it
	return r.done, state, [32]byte(r.whole.Sum(nil)), err
}

// Seek is io.Seeker's; it opens nothing.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.p.Size
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek in package to %d", offset)
	}
	r.at = offset
	return offset, nil
}

// Ready goes to the byte at and opens what it is in, so that an error about
// that is known before it is read.
func (r *Reader) Ready(at int64) error {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return err
	}
	return r.catchUp()
}

// Close ends reading; Read would go on where it was.
func (r *Reader) Close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	return err
}

func (r *Reader) Read(b []byte) (int, error) {
	if err := r.catchUp(); err != nil {
		return 0, err
	}
	return r.read(b)
}

// catchUp hashes what lies before the next byte, and opens what that is in.
func (r *Reader) catchUp() error {
	if to := r.at; r.whole != nil && r.done < to && to < r.p.Size {
		r.at = r.done
		if _, err := io.CopyN(io.Discard, reads(r.read), to-r.done); err != nil {
			return err
		}
	}
	return r.open()
}

type reads func([]byte) (int, error)

func (f reads) Read(b []byte) (int, error) { return f(b) }

func (r *Reader) read(b []byte) (int, error) {
	for r.at < r.p.Size {
		if err := r.open(); err != nil {
			return 0, err
		}
		n, err := r.body.Read(b)
		if r.whole != nil && r.at <= r.done && r.done < r.at+int64(n) {
			_, _ = r.whole.Write(b[r.done-r.at : n]) // never fails
			r.done = r.at + int64(n)
		}
		r.at += int64(n)
		r.next = r.at
		if errors.Is(err, io.EOF) {
			err = r.Close()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.EOF
}

// open opens the file that has the next byte, up to that byte, unless it is open.
func (r *Reader) open() error {
	if r.at >= r.p.Size || r.body != nil && r.next == r.at {
		return nil
	}
	if err := r.Close(); err != nil {
		return err
	}
	r.next = r.at
	all := r.p.entries
	i := sort.Search(len(all), func(i int) bool { return all[i].End() > r.at })
	if i == len(all) { // also after an empty last file
		end := r.p.Size - int64(len(r.p.tail))
		r.body = io.NopCloser(bytes.NewReader(r.p.tail[r.at-end:]))
		return nil
	}
	head := all[i].Local()
	if at := r.at - all[i].Offset; at < int64(len(head)) {
		head = head[at:]
	} else {
		head = nil
	}
	f := r.p.parts[i]
	body, err := r.p.clerk.source(r.ctx, f)
	if errors.Is(err, fs.ErrNotExist) || ward.KindOf(err) == ward.NotFound {
		return changed(f.name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	c := &checked{body: body, left: f.sum.Size, sum: sha256.New(), want: f.sum, name: f.name}
	if len(head) == 0 {
		if _, err := io.CopyN(io.Discard, c, r.at-all[i].Offset-int64(len(all[i].Local()))); err != nil && !errors.Is(err, io.EOF) {
			return errors.Join(err, c.Close())
		}
	}
	r.body = headed{io.MultiReader(bytes.NewReader(head), c), c}
	return nil
}

type headed struct {
	io.Reader
	io.Closer
}

// checked reads one file, and withholds its last piece unless all of it is what it was.
type checked struct {
	body io.ReadCloser
	left int64
	sum  hash.Hash
	want pack.Sum
	name string
	over bool
}

func (c *checked) Close() error { return c.body.Close() }

func (c *checked) Read(b []byte) (int, error) {
	if c.over {
		return 0, io.EOF
	}
	n, err := pack.ReadFull(c.body, b[:min(int64(len(b)), c.left)])
	if err != nil && !errors.Is(err, io.EOF) { // a line that broke changes nothing
		return 0, fmt.Errorf("%s: %w", c.name, err)
	}
	_, _ = c.sum.Write(b[:n]) // never fails
	c.left -= int64(n)
	if c.left > 0 && err == nil {
		return n, nil
	}
	if c.over = true; c.left > 0 || [32]byte(c.sum.Sum(nil)) != c.want.SHA256 {
		return 0, changed(c.name)
	}
	return n, nil
}

// ChangedError is the error about a file of a package whose original is gone or
// differs from what it was when the export began.
type ChangedError struct{ Name string }

func (c *ChangedError) Error() string { return c.Name + " changed" }

func changed(name string) error {
	return &ward.Error{
		Kind: ward.Conflict, Code: "evidence.changed", ZH: "导出过程中原件被删除或发生变化，已中止：" + strings.TrimPrefix(name, "media/"),
		EN: "An original was removed or changed during the export, which was stopped: " + name, Err: &ChangedError{name},
	}
}
