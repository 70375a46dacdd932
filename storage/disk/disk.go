// Package disk is the file system below the spool and below a directory of
// objects: one seam, so that tests can cut the power or let any call fail. It
// must not know what the files are.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// FS is a folder of a file system. Names are relative to it, with slashes.
// Errors wrap those of io/fs and syscall, as the kernel's do: fs.ErrNotExist,
// syscall.ENOSPC. It is safe for concurrent use.
//
// What counts as durable is what a file system promises: the bytes of a file
// after its Sync, a name after the Sync of its folder.
type FS interface {
	// Open opens a file, or with os.O_RDONLY a folder, to Sync it. Flag is
	// that of os.OpenFile; a file that it creates may be read by the group.
	Open(name string, flag int) (Handle, error)
	names
	links
	// Free is how many bytes may still be written.
	Free() (int64, error)
	io.Closer
}

type names interface {
	MkdirAll(name string) error
	Rename(from, to string) error
	Remove(name string) error
	// ReadDir lists a folder by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat follows no link.
	Stat(name string) (fs.FileInfo, error)
}

type links interface {
	// Link gives a file another name; unlike Rename it never replaces one.
	Link(from, to string) error
	// LinkOpen is Link of a file that was opened in any folder. It fails
	// with syscall.EXDEV when that is on another file system.
	LinkOpen(f Handle, to string) error
}

// Handle is an open file of an FS. *os.File is one.
type Handle interface {
	io.ReadSeekCloser
	io.ReaderAt
	io.WriterAt
	inode
}

type inode interface {
	Truncate(size int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
	Name() string
}

// folder is the FS of a folder of this machine. Only what is inside it can be
// reached.
type folder struct {
	root *os.Root
	self *os.File // the same, to measure its free space
}

// Open opens the folder dir, creating it if absent.
func Open(dir string) (FS, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	self, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &folder{root, self}, nil
}

func (d *folder) Open(name string, flag int) (Handle, error) {
	f, err := d.root.OpenFile(name, flag, 0o640)
	if err != nil {
		return nil, err // not f: a nil *os.File is no nil Handle
	}
	return f, nil
}

func (d *folder) MkdirAll(name string) error                 { return d.root.MkdirAll(name, 0o750) }
func (d *folder) Rename(from, to string) error               { return d.root.Rename(from, to) }
func (d *folder) Remove(name string) error                   { return d.root.Remove(name) }
func (d *folder) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), name) }
func (d *folder) Stat(name string) (fs.FileInfo, error)      { return d.root.Lstat(name) }
func (d *folder) Link(from, to string) error                 { return d.root.Link(from, to) }
func (d *folder) Close() error                               { return errors.Join(d.self.Close(), d.root.Close()) }

// LinkOpen links what the descriptor names, whatever its path says by now,
// into a folder that was opened inside the root.
func (d *folder) LinkOpen(h Handle, to string) (err error) {
	f, ok := h.(*os.File)
	if !ok {
		return &os.LinkError{Op: "link", Old: h.Name(), New: to, Err: syscall.EXDEV}
	}
	dir, err := d.root.Open(path.Dir(to))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	from := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	if err := unix.Linkat(unix.AT_FDCWD, from, int(dir.Fd()), path.Base(to), unix.AT_SYMLINK_FOLLOW); err != nil {
		return &os.LinkError{Op: "link", Old: f.Name(), New: to, Err: err}
	}
	return nil
}

func (d *folder) Free() (int64, error) {
	conn, err := d.self.SyscallConn()
	if err != nil {
		return 0, err
	}
	var st syscall.Statfs_t
	var failed error
	err = conn.Control(func(fd uintptr) { failed = syscall.Fstatfs(int(fd), &st) })
	if err = errors.Join(err, failed); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil //nolint:gosec // a disk has fewer than 2^63 bytes
}

// Forget asks the kernel to drop what it has in memory of a file that was
// synced, so that the next read is the disk's.
func Forget(h Handle) error {
	f, ok := h.(*os.File)
	if !ok {
		return nil // a file in memory
	}
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}
