package objects

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"wardwatch/storage/disk"
)

// ErrDiffers says that content is not what its SHA-256 and size promise.
var ErrDiffers = errors.New("the content differs from its SHA-256")

// File is a finished file of this machine that is to be kept as an object.
type File struct {
	// Disk is the file; nobody changes it any more. Keep reads it only by
	// Reader, which begins at its beginning each time.
	Disk   disk.Handle
	Reader func() io.Reader
	Size   int64 // bytes
	SHA256 [sha256.Size]byte
}

// keeper is a store that keeps files and vouches for them in a way of its own.
type keeper interface {
	keep(ctx context.Context, key string, f File) error
	verify(ctx context.Context, key string, size int64, sum [sha256.Size]byte) error
}

// Keep is Put of a file whose SHA-256 is known. When it returns nil the
// object is durable and has this SHA-256: it was read back, or the store
// computed the sum itself and told it, or the object is the file itself by
// another name, which was read for this. A file with other content than f
// says is ErrDiffers, and leaves no object; other content under the key
// matches fs.ErrExist.
func Keep(ctx context.Context, o Objects, key string, f File) error {
	if k, ok := o.(keeper); ok {
		if err := checkPut(key, f.Size); err != nil {
			return err
		}
		if err := k.keep(ctx, key, f); err != nil {
			return fmt.Errorf("keep object %s: %w", key, err)
		}
		return nil
	}
	if err := o.Put(ctx, key, f.Reader(), f.Size); err != nil {
		return err
	}
	return readBack(ctx, o, key, f.Size, f.SHA256)
}

// Verify returns nil when the object has this size and SHA-256, by Keep's
// proofs, and ErrDiffers when it has others.
func Verify(ctx context.Context, o Objects, key string, size int64, sum [sha256.Size]byte) error {
	if k, ok := o.(keeper); ok {
		if err := checkKey(key); err != nil {
			return err
		}
		return k.verify(ctx, key, size, sum)
	}
	return readBack(ctx, o, key, size, sum)
}

func readBack(ctx context.Context, o Objects, key string, size int64, sum [sha256.Size]byte) error {
	got, n, err := Sum(ctx, o, key)
	if err == nil && (got != sum || n != size) {
		err = fmt.Errorf("object %s: %w", key, ErrDiffers)
	}
	return err
}

// source reads f and ends with ErrDiffers instead of its last bytes when its
// content is another.
func (f File) source(ctx context.Context) *exact {
	return &exact{r: &withContext{ctx, f.Reader()}, left: f.Size, hash: sha256.New(), sum: &f.SHA256}
}
