package testfs

import (
	"fmt"
	"io/fs"
	"sync"

	"wardwatch/storage/disk"
)

// Fail is a file system one of whose calls fails, or all from one on.
type Fail struct {
	disk.FS
	Err   error        // what a call that fails returns
	Call  int          // which one fails, from 1; 0: none
	Short bool         // a write that fails writes half of its bytes
	Stays bool         // the calls after it fail too
	Each  func() error // before each call, in its goroutine, which fails with its error; nil: nothing

	mu     sync.Mutex // guards the rest
	calls  int
	failed string
}

// call says whether a call may go on.
func (f *Fail) call(what string) error {
	if f.Each != nil {
		if err := f.Each(); err != nil {
			return &fs.PathError{Op: what, Path: "each", Err: err}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.Call == 0 || f.calls < f.Call || f.calls > f.Call && !f.Stays {
		return nil
	}
	if f.failed == "" {
		f.failed = what
	}
	return &fs.PathError{Op: what, Path: fmt.Sprintf("call %d", f.calls), Err: f.Err}
}

// Calls counts the calls so far.
func (f *Fail) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

// Disarm lets every call from now on succeed.
func (f *Fail) Disarm() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Call = 0
}

// Failed says what failed first; empty: nothing did.
func (f *Fail) Failed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Open implements disk.FS.
func (f *Fail) Open(name string, flag int) (disk.Handle, error) {
	if err := f.call("open"); err != nil {
		return nil, err
	}
	h, err := f.FS.Open(name, flag)
	if err != nil {
		return nil, err
	}
	return &failHandle{h, f}, nil
}

// MkdirAll implements disk.FS.
func (f *Fail) MkdirAll(name string) error {
	if err := f.call("mkdir"); err != nil {
		return err
	}
	return f.FS.MkdirAll(name)
}

// Rename implements disk.FS.
func (f *Fail) Rename(from, to string) error {
	if err := f.call("rename"); err != nil {
		return err
	}
	return f.FS.Rename(from, to)
}

// Link implements disk.FS.
func (f *Fail) Link(from, to string) error {
	if err := f.call("link"); err != nil {
		return err
	}
	return f.FS.Link(from, to)
}

// LinkOpen implements disk.FS.
func (f *Fail) LinkOpen(h disk.Handle, to string) error {
	if err := f.call("link"); err != nil {
		return err
	}
	if of, ok := h.(*failHandle); ok {
		h = of.Handle
	}
	return f.FS.LinkOpen(h, to)
}

// Remove implements disk.FS.
func (f *Fail) Remove(name string) error {
	if err := f.call("remove"); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// ReadDir implements disk.FS.
func (f *Fail) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.call("readdir"); err != nil {
		return nil, err
	}
	return f.FS.ReadDir(name)
}

// Stat implements disk.FS.
func (f *Fail) Stat(name string) (fs.FileInfo, error) {
	if err := f.call("stat"); err != nil {
		return nil, err
	}
	return f.FS.Stat(name)
}

// Free implements disk.FS.
func (f *Fail) Free() (int64, error) {
	if err := f.call("statfs"); err != nil {
		return 0, err
	}
	return f.FS.Free()
}

type failHandle struct {
	disk.Handle
	f *Fail
}

func (h *failHandle) Read(b []byte) (int, error) {
	if err := h.f.call("read"); err != nil {
		return 0, err
	}
	return h.Handle.Read(b)
}

func (h *failHandle) ReadAt(b []byte, at int64) (int, error) {
	if err := h.f.call("read"); err != nil {
		return 0, err
	}
	return h.Handle.ReadAt(b, at)
}

func (h *failHandle) WriteAt(b []byte, at int64) (int, error) {
	if err := h.f.call("write"); err != nil {
		n := 0
		if h.f.Short {
			n, _ = h.Handle.WriteAt(b[:len(b)/2], at)
		}
		return n, err
	}
	return h.Handle.WriteAt(b, at)
}

func (h *failHandle) Truncate(size int64) error {
	if err := h.f.call("truncate"); err != nil {
		return err
	}
	return h.Handle.Truncate(size)
}

func (h *failHandle) Sync() error {
	if err := h.f.call("fsync"); err != nil {
		return err
	}
	return h.Handle.Sync()
}

func (h *failHandle) Close() error {
	if err := h.f.call("close"); err != nil {
		_ = h.Handle.Close()
		return err
	}
	return h.Handle.Close()
}
