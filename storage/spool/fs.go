package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// FS is the file system below a Spool. Names are relative to the spool's
// folder, with slashes. Errors wrap those of io/fs and syscall, as the
// kernel's do: fs.ErrNotExist, syscall.ENOSPC. It is safe for concurrent use.
//
// What counts as durable is what a file system promises: the bytes of a file
// after its Sync, a name after the Sync of its folder.
type FS interface {
	// Open opens a file, or with os.O_RDONLY a folder, to Sync it. Flag is
	// that of os.OpenFile; a file that it creates may be read by the group.
	Open(name string, flag int) (Handle, error)
	names
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

// disk is the FS of a folder of this machine. Only what is inside the folder
// can be reached.
type disk struct {
	root   *os.Root
	folder *os.File // the same, to measure its free space
}

// Disk opens the folder dir, creating it if absent.
func Disk(dir string) (FS, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create spool: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	folder, err := root.Open(".")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open spool: %w", err), root.Close())
	}
	return &disk{root, folder}, nil
}

func (d *disk) Open(name string, flag int) (Handle, error) {
	f, err := d.root.OpenFile(name, flag, 0o640)
	if err != nil {
		return nil, err // not f: a nil *os.File is no nil Handle
	}
	return f, nil
}

func (d *disk) MkdirAll(name string) error                 { return d.root.MkdirAll(name, 0o750) }
func (d *disk) Rename(from, to string) error               { return d.root.Rename(from, to) }
func (d *disk) Remove(name string) error                   { return d.root.Remove(name) }
func (d *disk) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.root.FS(), name) }
func (d *disk) Stat(name string) (fs.FileInfo, error)      { return d.root.Lstat(name) }
func (d *disk) Close() error                               { return errors.Join(d.folder.Close(), d.root.Close()) }

func (d *disk) Free() (int64, error) {
	conn, err := d.folder.SyscallConn()
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
