// Package testfs has file systems for tests of what must not be lost: one
// that loses what was not made durable when the power goes, and one whose
// calls fail.
package testfs

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"wardwatch/storage/disk"
)

// ErrOff is what every call returns after the power went.
var ErrOff = errors.New("the power is off")

// Power is a file system in memory that promises no more than POSIX: bytes
// are durable after the file's Sync, names after their folder's.
type Power struct {
	mu    sync.Mutex // guards the rest, and all nodes
	root  *node
	calls int
	last  int // the call before which the power goes; 0: never
	off   bool
}

// node is a file or a folder.
type node struct {
	folder  bool
	bytes   []byte
	durable []byte
	log     []change // since the last Sync
	names   map[string]*node
	kept    map[string]*node // names that are durable
	renamed []map[string]*node
}

// change is a write, or with nil bytes a truncation.
type change struct {
	at    int64
	bytes []byte
}

// NewPower returns an empty file system whose power goes before the given
// call; 0 means never.
func NewPower(call int) *Power {
	return &Power{root: newFolder(), last: call}
}

func newFolder() *node {
	return &node{folder: true, names: map[string]*node{}, kept: map[string]*node{}}
}

// call counts a call; called locked.
func (p *Power) call() error {
	p.calls++
	if p.last > 0 && p.calls >= p.last {
		p.off = true
	}
	if p.off {
		return &fs.PathError{Op: "call", Path: "disk", Err: ErrOff}
	}
	return nil
}

// Calls counts the calls so far.
func (p *Power) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// Off says whether the power went.
func (p *Power) Off() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.off
}

// Durable says whether all that was written would survive.
func (p *Power) Durable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.root.settled()
}

func (n *node) settled() bool {
	if len(n.log) > 0 || len(n.renamed) > 0 {
		return false
	}
	for _, c := range n.names {
		if !c.settled() {
			return false
		}
	}
	return true
}

// After returns what is there when the power is back. What was not durable
// is lost, or there, or there in part, as the dice fall: of a file, any of
// the writes since its last Sync, torn at any sector or with sectors of
// zeros; of a folder, the changes of its names up to some moment.
func (p *Power) After(dice *rand.Rand) *Power {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off = true
	return &Power{root: p.root.after(dice, map[*node]*node{})}
}

const sector = 512

// after makes what is left of n, once for all of its names.
func (n *node) after(dice *rand.Rand, made map[*node]*node) *node {
	if m := made[n]; m != nil {
		return m
	}
	m := n.left(dice, made)
	made[n] = m
	return m
}

func (n *node) left(dice *rand.Rand, made map[*node]*node) *node {
	if n.folder {
		names := n.kept
		if len(n.renamed) > 0 {
			if i := dice.IntN(len(n.renamed) + 1); i > 0 {
				names = n.renamed[i-1]
			}
		}
		f := newFolder()
		for _, name := range slices.Sorted(maps.Keys(names)) { // the same dice, the same fall
			c := names[name]
			f.names[name] = c.after(dice, made)
			f.kept[name] = f.names[name]
		}
		return f
	}
	b := slices.Clone(n.durable)
	for _, c := range n.log {
		switch dice.IntN(4) {
		case 0: // lost
		case 1: // torn
			if c.bytes != nil {
				c.bytes = c.bytes[:dice.IntN(len(c.bytes)+1)]
			}
			b = c.apply(b)
		case 2: // its size is there, and some sectors are not
			b = c.apply(b)
			for at := c.at; at < c.at+int64(len(c.bytes)); at += sector {
				if dice.IntN(3) == 0 {
					clear(b[at:min(at+sector, int64(len(b)))])
				}
			}
		case 3:
			b = c.apply(b)
		}
	}
	return &node{bytes: b, durable: slices.Clone(b)}
}

func (c change) apply(b []byte) []byte {
	if c.bytes == nil {
		if c.at <= int64(len(b)) {
			return b[:c.at]
		}
		return append(b, make([]byte, c.at-int64(len(b)))...)
	}
	if need := c.at + int64(len(c.bytes)) - int64(len(b)); need > 0 {
		b = append(b, make([]byte, need)...)
	}
	copy(b[c.at:], c.bytes)
	return b
}

// at finds a node; called locked.
func (p *Power) at(op, name string) (*node, error) {
	n := p.root
	if name != "." {
		for part := range strings.SplitSeq(name, "/") {
			if n = n.names[part]; n == nil {
				return nil, &fs.PathError{Op: op, Path: name, Err: syscall.ENOENT}
			}
		}
	}
	return n, nil
}

// moved notes that the folder's names changed; called locked.
func (n *node) moved() {
	now := make(map[string]*node, len(n.names))
	maps.Copy(now, n.names)
	n.renamed = append(n.renamed, now)
}

// Open implements disk.FS.
func (p *Power) Open(name string, flag int) (disk.Handle, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return nil, err
	}
	n, err := p.at("open", name)
	switch {
	case err == nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EEXIST}
	case err != nil && flag&os.O_CREATE == 0:
		return nil, err
	case err != nil:
		folder, err := p.at("open", path.Dir(name))
		if err != nil {
			return nil, err
		}
		n = &node{}
		folder.names[path.Base(name)] = n
		folder.moved()
	}
	return &handle{p: p, n: n, name: name}, nil
}

// MkdirAll implements disk.FS.
func (p *Power) MkdirAll(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return err
	}
	n := p.root
	for part := range strings.SplitSeq(name, "/") {
		if !n.folder {
			return &fs.PathError{Op: "mkdir", Path: name, Err: syscall.ENOTDIR}
		}
		next := n.names[part]
		if next == nil {
			next = newFolder()
			n.names[part] = next
			n.moved()
		}
		n = next
	}
	return nil
}

// Rename implements disk.FS.
func (p *Power) Rename(from, to string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return err
	}
	n, err := p.at("rename", from)
	if err != nil {
		return err
	}
	folder, err := p.at("rename", path.Dir(from))
	if err != nil {
		return err
	}
	target, err := p.at("rename", path.Dir(to))
	if err != nil {
		return err
	}
	delete(folder.names, path.Base(from))
	target.names[path.Base(to)] = n
	folder.moved()
	if target != folder {
		target.moved()
	}
	return nil
}

// Link implements disk.FS.
func (p *Power) Link(from, to string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return err
	}
	n, err := p.at("link", from)
	if err != nil {
		return err
	}
	return p.link(n, to)
}

// LinkOpen implements disk.FS.
func (p *Power) LinkOpen(f disk.Handle, to string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return err
	}
	h, ok := f.(*handle)
	if !ok || h.p != p {
		return &fs.PathError{Op: "link", Path: to, Err: syscall.EXDEV}
	}
	return p.link(h.n, to)
}

// link is called locked.
func (p *Power) link(n *node, to string) error {
	folder, err := p.at("link", path.Dir(to))
	if err != nil {
		return err
	}
	if folder.names[path.Base(to)] != nil {
		return &fs.PathError{Op: "link", Path: to, Err: syscall.EEXIST}
	}
	folder.names[path.Base(to)] = n
	folder.moved()
	return nil
}

// Remove implements disk.FS.
func (p *Power) Remove(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return err
	}
	n, err := p.at("remove", name)
	if err != nil {
		return err
	}
	if len(n.names) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	folder, err := p.at("remove", path.Dir(name))
	if err != nil {
		return err
	}
	delete(folder.names, path.Base(name))
	folder.moved()
	return nil
}

// ReadDir implements disk.FS.
func (p *Power) ReadDir(name string) ([]fs.DirEntry, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return nil, err
	}
	n, err := p.at("readdir", name)
	if err != nil {
		return nil, err
	}
	var all []fs.DirEntry
	for k, c := range n.names {
		all = append(all, fs.FileInfoToDirEntry(info{k, c.folder, int64(len(c.bytes))}))
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// Stat implements disk.FS.
func (p *Power) Stat(name string) (fs.FileInfo, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.call(); err != nil {
		return nil, err
	}
	n, err := p.at("stat", name)
	if err != nil {
		return nil, err
	}
	return info{path.Base(name), n.folder, int64(len(n.bytes))}, nil
}

// Free implements disk.FS: there is always room.
func (p *Power) Free() (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return 1 << 40, p.call()
}

// Close implements disk.FS.
func (p *Power) Close() error { return nil }

type info struct {
	name   string
	folder bool
	size   int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.folder }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.folder {
		return fs.ModeDir | 0o750
	}
	return 0o640
}

// handle is an open node. It implements disk.Handle.
type handle struct {
	p      *Power
	n      *node
	name   string
	at     int64
	closed bool
}

func (h *handle) do(f func() error) error {
	h.p.mu.Lock()
	defer h.p.mu.Unlock()
	if err := h.p.call(); err != nil {
		return err
	}
	if h.closed {
		return os.ErrClosed
	}
	return f()
}

func (h *handle) Name() string { return h.name }

func (h *handle) Read(b []byte) (n int, err error) {
	n, err = h.ReadAt(b, h.at)
	h.at += int64(n)
	if n > 0 && err == io.EOF { //nolint:errorlint // ReadAt's own
		err = nil
	}
	return n, err
}

func (h *handle) ReadAt(b []byte, at int64) (n int, err error) {
	err = h.do(func() error {
		if at < int64(len(h.n.bytes)) {
			n = copy(b, h.n.bytes[at:])
		}
		if n < len(b) {
			return io.EOF
		}
		return nil
	})
	return n, err
}

func (h *handle) WriteAt(b []byte, at int64) (int, error) {
	err := h.do(func() error {
		c := change{at, slices.Clone(b)}
		h.n.bytes = c.apply(h.n.bytes)
		h.n.log = append(h.n.log, c)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (h *handle) Seek(at int64, from int) (int64, error) {
	if from != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	h.at = at
	return at, nil
}

func (h *handle) Truncate(size int64) error {
	return h.do(func() error {
		c := change{at: size}
		h.n.bytes = c.apply(h.n.bytes)
		h.n.log = append(h.n.log, c)
		return nil
	})
}

func (h *handle) Sync() error {
	return h.do(func() error {
		n := h.n
		n.durable, n.log, n.renamed = slices.Clone(n.bytes), nil, nil
		n.kept = make(map[string]*node, len(n.names))
		maps.Copy(n.kept, n.names)
		return nil
	})
}

func (h *handle) Stat() (i fs.FileInfo, err error) {
	err = h.do(func() error {
		i = info{path.Base(h.name), h.n.folder, int64(len(h.n.bytes))}
		return nil
	})
	return i, err
}

func (h *handle) Close() error {
	return h.do(func() error { h.closed = true; return nil })
}
