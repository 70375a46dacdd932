package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"wardwatch/storage/objects"
)

const (
	objectChunk  = 1 << 20 // how much of an object is fetched at a time, in bytes
	objectChunks = 4       // how many are kept: a fragment's pictures and sounds lie apart
)

// objectReader reads an object in chunks and keeps the latest ones.
type objectReader struct {
	ctx     context.Context //nolint:containedctx // lives for one call of Library
	objects objects.Objects
	key     string
	size    int64
	chunks  []objectPart
}

type objectPart struct {
	from int64
	b    []byte
}

// ReadAt implements io.ReaderAt. Its errors are *fs.PathError, so that they
// are not taken for damage of the file.
func (r *objectReader) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	for n < len(p) {
		off := at + int64(n)
		if off >= r.size {
			return n, io.EOF
		}
		c, err := r.chunk(off - off%objectChunk)
		if err != nil {
			return n, &fs.PathError{Op: "read", Path: r.key, Err: err}
		}
		n += copy(p[n:], c[off%objectChunk:])
	}
	return n, nil
}

func (r *objectReader) chunk(from int64) (b []byte, err error) {
	for _, c := range r.chunks {
		if c.from == from {
			return c.b, nil
		}
	}
	b = make([]byte, min(objectChunk, r.size-from))
	body, err := r.objects.Get(r.ctx, r.key, from, int64(len(b)))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	if _, err := io.ReadFull(body, b); err != nil {
		return nil, fmt.Errorf("read object %s: %w", r.key, err)
	}
	if len(r.chunks) == objectChunks {
		r.chunks = r.chunks[1:]
	}
	r.chunks = append(r.chunks, objectPart{from, b})
	return b, nil
}
