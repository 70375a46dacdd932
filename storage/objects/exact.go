package objects

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
)

// exact passes on exactly left bytes of r, and hashes them if it has a hash. A source that is
// shorter, longer or, with a sum, another is an error that is noticed before
// its last byte is passed on, so that whoever consumes exact never sees a
// complete object that is wrong.
type exact struct {
	r    io.Reader
	left int64
	hash hash.Hash          // may be nil
	sum  *[sha256.Size]byte // with a hash: what the content must have; nil: anything
	err  error              // sticky; io.EOF after the last byte
	src  error              // what the source did wrong, if anything
}

func (e *exact) Read(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	if e.left == 0 {
		e.err = e.ended()
		return 0, e.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	if int64(n) == e.left {
		if e.err = e.ended(); !errors.Is(e.err, io.EOF) {
			return 0, e.err
		}
		err = nil // the next call says io.EOF
	}
	if e.hash != nil {
		e.hash.Write(p[:n])
	}
	if int64(n) == e.left && e.sum != nil && [sha256.Size]byte(e.hash.Sum(nil)) != *e.sum {
		e.err = fmt.Errorf("source: %w", ErrDiffers)
		e.src = e.err
		return 0, e.err
	}
	e.left -= int64(n)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("source ended %d bytes early: %w", e.left, io.ErrUnexpectedEOF)
		}
		e.err, e.src = err, err
	}
	return n, err
}

// ended makes sure that the source has no more.
func (e *exact) ended() error {
	var b [1]byte
	_, err := io.ReadFull(e.r, b[:])
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err == nil:
		err = errors.New("source is longer than its stated size")
	}
	e.src = err
	return err
}

// drain reads what is left, for the hash.
func (e *exact) drain() error {
	_, err := copyAll(io.Discard, e)
	return err
}
