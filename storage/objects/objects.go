// Package objects keeps finished media and snapshots: in a directory, or in
// MinIO or any other S3 server. It knows nothing of what the objects mean.
//
// An object never changes: it is put once, read often and deleted by
// retention. Errors that a person can act on are a *ward.Error and contain
// no credentials.
package objects

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"wardwatch/ward"
)

// MaxKeyLen is the longest key in bytes; S3 allows 1,024, and a directory
// needs room for its own path.
const MaxKeyLen = 900

// maxElementLen is the longest part of a key between slashes, as file
// systems limit it.
const maxElementLen = 255

// Info describes a stored object.
type Info struct {
	Key      string
	Size     int64 // bytes
	Modified time.Time
}

// Objects is where finished media and snapshots live. A key is one or more
// parts of [a-zA-Z0-9._-] joined by slashes; no part is empty or begins with
// a dot. A key must not continue another key with a slash ("a" and "a/b").
//
// Errors: a malformed argument is ward.Invalid; an object that is not there
// matches fs.ErrNotExist and ward.NotFound; other content under an existing
// key matches fs.ErrExist and ward.Conflict; a full, unreachable or refusing
// store is ward.Unavailable with code "objects.full", "objects.unreachable"
// or "objects.denied"; an object that the store protects is ward.Conflict
// with code "objects.locked". A cancelled ctx gives ctx's error.
type Objects interface {
	// Put stores exactly size bytes of r under key and returns only when they
	// are durable. Putting the same content again is no error; other content
	// never replaces what is there. A source that is shorter or longer than
	// size leaves no object. After an error that is not ErrExist the object is
	// either absent or complete, so the caller may put it again.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Get returns length bytes from offset; length < 0 means to the end. A
	// range that reaches beyond the end is cut there; an offset beyond the end
	// is ward.Invalid. The caller closes the reader.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)
	// Stat describes the object.
	Stat(ctx context.Context, key string) (Info, error)
	// List yields the objects whose key begins with prefix, in byte order of
	// their keys. It ends after the first error. Objects put or deleted
	// meanwhile may or may not appear.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Delete removes the object and frees its space. An absent object is no
	// error.
	Delete(ctx context.Context, key string) error
}

// copyPiece is how much is copied or hashed at a time, in bytes: a call for
// each 32 kB, as io.Copy has it, costs as much as the hash.
const copyPiece = 256 << 10

// plainWriter and plainReader hide what else they can do, so that copyPiece
// counts.
type (
	plainWriter struct{ io.Writer }
	plainReader struct{ io.Reader }
)

func copyAll(w io.Writer, r io.Reader) (int64, error) {
	return io.CopyBuffer(plainWriter{w}, plainReader{r}, make([]byte, copyPiece))
}

// Sum reads an object once and returns its SHA-256 and its size in bytes.
func Sum(ctx context.Context, o Objects, key string) (sum [sha256.Size]byte, size int64, err error) {
	r, err := o.Get(ctx, key, 0, -1)
	if err != nil {
		return sum, 0, err
	}
	h := sha256.New()
	size, err = copyAll(h, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return sum, size, fmt.Errorf("hash object %s: %w", key, err)
	}
	return [sha256.Size]byte(h.Sum(nil)), size, nil
}

// checkKey says what is wrong with a key, if anything.
func checkKey(key string) error {
	if err := checkPrefix(key); err != nil {
		return err
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' || len(part) > maxElementLen {
			return invalid("objects.key", fmt.Errorf("key %q", key))
		}
	}
	return nil
}

// checkPut checks the arguments of Put.
func checkPut(key string, size int64) error {
	if size < 0 {
		return invalid("objects.range", fmt.Errorf("size %d", size))
	}
	return checkKey(key)
}

// checkPrefix says what is wrong with the beginning of a key, if anything.
func checkPrefix(prefix string) error {
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-/", r)
	}
	if len(prefix) > MaxKeyLen || strings.ContainsFunc(prefix, bad) || strings.HasPrefix(prefix, "/") ||
		strings.HasPrefix(prefix, ".") || strings.Contains(prefix, "/.") || strings.Contains(prefix, "//") {
		return invalid("objects.key", fmt.Errorf("key %q", prefix))
	}
	return nil
}

// checkRange checks an offset against an object of size bytes.
func checkRange(offset, size int64) error {
	if offset < 0 || offset > size {
		return invalid("objects.range", fmt.Errorf("offset %d of %d bytes", offset, size))
	}
	return nil
}

func invalid(code string, cause error) error {
	return &ward.Error{
		Kind: ward.Invalid, Code: code, Err: cause,
		ZH: "对象的名称或范围不正确，请检查请求。", EN: "The object's name or range is malformed; check the request.",
	}
}
