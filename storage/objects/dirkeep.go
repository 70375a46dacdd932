package objects

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"wardwatch/storage/disk"
)

// keep implements keeper. On one file system the object is the file itself by
// another name: no byte moves, and the file's bytes are hashed once. Else it
// is copied, and what the disk has is read back.
func (d *Dir) keep(ctx context.Context, key string, f File) error {
	err := errApart
	if !d.apart.Load() {
		err = d.adopt(ctx, key, f)
	}
	if errors.Is(err, errApart) {
		err = d.copyIn(ctx, key, f)
	}
	if errors.Is(err, fs.ErrExist) {
		if err = d.verify(ctx, key, f.Size, f.SHA256); errors.Is(err, ErrDiffers) || errors.Is(err, fs.ErrNotExist) {
			return exists(key) // with other content, or as a folder
		}
	}
	return err
}

// verify implements keeper.
func (d *Dir) verify(ctx context.Context, key string, size int64, sum [sha256.Size]byte) error {
	return readBack(ctx, d, key, size, sum)
}

// errApart says that a file cannot be linked into this store.
var errApart = errors.New("not on the store's file system")

// adopt gives the file the name key after it was hashed. Its bytes were
// synced by who wrote them; once more costs nothing.
func (d *Dir) adopt(ctx context.Context, key string, f File) error {
	src := f.source(ctx)
	if err := src.drain(); err != nil {
		return err // the file's, not the store's
	}
	if err := f.Disk.Sync(); err != nil {
		return fromFS(err)
	}
	err := d.place(key, func() error { return d.fs.LinkOpen(f.Disk, key) })
	switch {
	case errors.Is(err, syscall.EXDEV), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EOPNOTSUPP):
		d.apart.Store(true) // and the next ones too
		return errApart
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EMLINK): // no /proc; too many names
		return errApart
	}
	return fromFS(err)
}

// copyIn copies the file, and gives it its key only after the disk gave the
// same bytes back: what the kernel still has in memory proves nothing, so it
// is asked to forget them.
func (d *Dir) copyIn(ctx context.Context, key string, f File) (err error) {
	t, err := d.write(&exact{r: &withContext{ctx, f.Reader()}, left: f.Size})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.discard()) }()
	if err := disk.Forget(t.Handle); err != nil {
		return fromFS(err)
	}
	h := sha256.New()
	if _, err := copyAll(h, &withContext{ctx, io.NewSectionReader(t, 0, f.Size)}); err != nil {
		return fromFS(err)
	}
	if [sha256.Size]byte(h.Sum(nil)) != f.SHA256 {
		if err := f.source(ctx).drain(); err != nil {
			return err // the file was another to begin with
		}
		return unreachable(fmt.Errorf("object %s: the disk gives back other bytes than were written", key))
	}
	return fromFS(d.place(key, func() error { return d.fs.Link(t.name, key) }))
}
