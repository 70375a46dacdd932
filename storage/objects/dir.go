package objects

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"wardwatch/storage/disk"
)

// Dir keeps objects as files under one directory, at the path that their key
// says. Several processes may read it; one process writes.
type Dir struct {
	fs    disk.FS
	apart atomic.Bool // files that are kept are on another file system

	// tree is held shared while a file is given its name, and alone while
	// empty directories are removed.
	tree sync.RWMutex

	mu      sync.Mutex
	durable map[string]struct{} // guarded by mu: directories whose own entry is on disk
}

// maxDurable bounds Dir.durable; forgetting costs a few more fsyncs.
const maxDurable = 4096

// OpenDir opens the store in the directory root, creating it if absent, and
// removes what an interrupted Put left.
func OpenDir(root string) (*Dir, error) {
	f, err := disk.Open(root)
	if err != nil {
		return nil, fmt.Errorf("open object directory: %w", fromFS(err))
	}
	return OpenDirOn(f)
}

// OpenDirOn is OpenDir of a folder that is open. The Dir closes it.
func OpenDirOn(f disk.FS) (*Dir, error) {
	d := &Dir{fs: f, durable: map[string]struct{}{}}
	if err := d.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("clean object directory: %w", fromFS(err)), f.Close())
	}
	return d, nil
}

// Close releases the directory.
func (d *Dir) Close() error { return d.fs.Close() }

// Put implements Objects: write beside, fsync, link to the name, fsync the
// directories. A link never replaces a file, unlike a rename.
func (d *Dir) Put(ctx context.Context, key string, r io.Reader, size int64) (err error) {
	if err = checkPut(key, size); err != nil {
		return err
	}
	f, err := d.write(&exact{r: &withContext{ctx, r}, left: size})
	if err != nil {
		return fmt.Errorf("put object %s: %w", key, err)
	}
	defer func() {
		err = errors.Join(err, f.discard())
	}()
	err = d.place(key, func() error { return d.fs.Link(f.name, key) })
	if errors.Is(err, fs.ErrExist) {
		err = d.same(ctx, key, f, size)
	}
	if err != nil {
		return fmt.Errorf("put object %s: %w", key, fromFS(err))
	}
	return nil
}

// write makes a file of src that is durable and has no key yet.
func (d *Dir) write(src *exact) (*temp, error) {
	f, err := d.create()
	if err != nil {
		return nil, fromFS(err)
	}
	if _, err = copyAll(io.NewOffsetWriter(f, 0), src); err == nil {
		err = f.Sync()
	}
	if err == nil {
		return f, nil
	}
	if src.src == nil { // the store's, not the caller's
		err = fromFS(err)
	}
	return nil, errors.Join(err, f.discard())
}

// place gives a file its key by link, and makes that durable.
func (d *Dir) place(key string, link func() error) error {
	d.tree.RLock()
	defer d.tree.RUnlock()
	dir := path.Dir(key)
	if err := d.fs.MkdirAll(dir); err != nil {
		if errors.Is(err, fs.ErrExist) || isNotDir(err) {
			return exists(key) // a part of the path is an object
		}
		return err
	}
	linked := link()
	if linked != nil && !errors.Is(linked, fs.ErrExist) {
		return linked
	}
	// Also when it was there: whoever put it may have stopped before this.
	if err := d.syncUp(dir); err != nil {
		return err
	}
	return linked
}

// syncUp makes the entries of dir durable, and dir's own entry above it.
func (d *Dir) syncUp(dir string) error {
	if err := d.syncDir(dir); err != nil {
		return err
	}
	for ; dir != "."; dir = path.Dir(dir) {
		d.mu.Lock()
		_, done := d.durable[dir]
		d.mu.Unlock()
		if done {
			return nil
		}
		if err := d.syncDir(path.Dir(dir)); err != nil {
			return err
		}
		d.mu.Lock()
		if len(d.durable) >= maxDurable {
			clear(d.durable)
		}
		d.durable[dir] = struct{}{}
		d.mu.Unlock()
	}
	return nil
}

func (d *Dir) syncDir(dir string) error {
	f, err := d.fs.Open(dir, os.O_RDONLY)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// same returns nil when the object has the content of f, and an exists error
// when it has another.
func (d *Dir) same(ctx context.Context, key string, f *temp, size int64) error {
	info, err := d.Stat(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return exists(key) // a directory: other objects' keys continue this one
	}
	if err != nil {
		return err
	}
	if info.Size != size {
		return exists(key)
	}
	stored, _, err := Sum(ctx, d, key)
	if err != nil {
		return err
	}
	put := sha256.New()
	if _, err := copyAll(put, io.NewSectionReader(f, 0, size)); err != nil {
		return err
	}
	if stored != [sha256.Size]byte(put.Sum(nil)) {
		return exists(key)
	}
	return nil
}

// Get implements Objects.
func (d *Dir) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := d.fs.Open(key, os.O_RDONLY)
	if err != nil {
		return nil, absent(key, err)
	}
	r, err := section(f, key, offset, length)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func section(f disk.Handle, key string, offset, length int64) (io.ReadCloser, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", key, fromFS(err))
	}
	if !fi.Mode().IsRegular() {
		return nil, notFound(key)
	}
	if err := checkRange(offset, fi.Size()); err != nil {
		return nil, err
	}
	n := fi.Size() - offset
	if length >= 0 {
		n = min(n, length)
	}
	return &body{Reader: io.NewSectionReader(f, offset, n), Closer: f, explain: fromFS}, nil
}

// Stat implements Objects.
func (d *Dir) Stat(ctx context.Context, key string) (Info, error) {
	if err := checkKey(key); err != nil {
		return Info{}, err
	}
	if err := ctx.Err(); err != nil {
		return Info{}, err
	}
	fi, err := d.fs.Stat(key)
	if err != nil {
		return Info{}, absent(key, err)
	}
	if !fi.Mode().IsRegular() {
		return Info{}, notFound(key)
	}
	return Info{Key: key, Size: fi.Size(), Modified: fi.ModTime()}, nil
}

// Delete implements Objects. Directories that it leaves empty go too.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if _, err := d.Stat(ctx, key); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	d.tree.Lock()
	defer d.tree.Unlock()
	if is, err := d.held(ctx, key); err != nil || is {
		if is {
			err = locked(errHeld)
		}
		return fmt.Errorf("delete object %s: %w", key, err)
	}
	if err := d.fs.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete object %s: %w", key, fromFS(err))
	}
	dir := path.Dir(key)
	for ; dir != "."; dir = path.Dir(dir) {
		if d.fs.Remove(dir) != nil {
			break // not empty
		}
		d.mu.Lock()
		delete(d.durable, dir)
		d.mu.Unlock()
	}
	if err := d.syncDir(dir); err != nil {
		return fmt.Errorf("delete object %s: %w", key, fromFS(err))
	}
	return nil
}

// absent explains why a key cannot be opened.
func absent(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || isNotDir(err) {
		return notFound(key)
	}
	return fmt.Errorf("object %s: %w", key, fromFS(err))
}

// body is an opened object whose errors while reading are explained.
type body struct {
	io.Reader
	io.Closer
	explain func(error) error
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.explain(err)
	}
	return n, err
}

// withContext ends a copy when ctx does.
type withContext struct {
	ctx context.Context //nolint:containedctx // lives for one call
	r   io.Reader
}

func (w *withContext) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

// hidden reports whether a name is not part of any key.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || checkKey(name) != nil
}
