package objects

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"wardwatch/storage/disk"
)

// tempDir holds files that are being written. No key begins with a dot.
const tempDir = ".incoming"

// temp is a file that has no key yet. It is locked while its process lives,
// so that OpenDir in another process leaves it alone.
type temp struct {
	disk.Handle

	fs   disk.FS
	name string
}

func (d *Dir) create() (*temp, error) {
	for {
		name := tempDir + "/" + rand.Text()
		f, err := d.fs.Open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return nil, err
		}
		gone, err := lockTemp(f)
		if err != nil {
			return nil, errors.Join(err, f.Close(), d.fs.Remove(name))
		}
		if !gone {
			return &temp{Handle: f, fs: d.fs, name: name}, nil
		}
		if err := f.Close(); err != nil { // another process swept it before we locked it
			return nil, err
		}
	}
}

// lockTemp locks f and reports whether it was removed before that.
func lockTemp(h disk.Handle) (gone bool, err error) {
	f, ok := h.(*os.File)
	if !ok {
		return false, nil // in memory: no other process sees it
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return false, err
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		return false, err
	}
	return st.Nlink == 0, nil
}

// discard removes the temporary name; the object, if there is one, has its
// own.
func (t *temp) discard() error {
	return fromFS(errors.Join(t.fs.Remove(t.name), t.Close()))
}

// sweep removes the temporary files of processes that have gone.
func (d *Dir) sweep() error {
	if err := d.fs.MkdirAll(tempDir); err != nil {
		return err
	}
	left, err := d.fs.ReadDir(tempDir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := d.sweepOne(tempDir + "/" + e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (d *Dir) sweepOne(name string) (err error) {
	f, err := d.fs.Open(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if of, ok := f.(*os.File); ok && syscall.Flock(int(of.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil // being written now
	}
	return d.fs.Remove(name)
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
