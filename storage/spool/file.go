package spool

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"

	"wardwatch/storage/disk"
	"wardwatch/ward"
)

// File is a recording being written. One goroutine writes it; another may
// Sync it meanwhile.
type File struct {
	Entry

	s    *Spool
	f    disk.Handle
	hash hash.Hash
	torn bool // there may be bytes after Size
	dir  string

	syncMu sync.Mutex // held during an fsync: Finish must know how one that runs ends; guards ended
	ended  bool       // by Finish
	mu     sync.Mutex // guards the rest
	failed error      // what an fsync said first: the file is not to be trusted any more
	named  bool       // the file's folders are durable
}

// Create begins a recording. Start is cut to the microsecond. A spool
// without room is a ward.Error "spool.full".
func (s *Spool) Create(src ward.Source, start time.Time, seq int64) (*File, error) {
	e := Entry{Source: src, Start: start.UTC().Truncate(time.Microsecond), Seq: seq, Part: true}
	if !ward.ValidID(src.ID) || seq < 1 {
		return nil, fmt.Errorf("create spooled file of %s: bad name", src)
	}
	if err := s.mkdir(path.Dir(e.name())); err != nil {
		return nil, fmt.Errorf("create spooled file of %s: %w", src, explain(err))
	}
	f, err := s.fs.Open(e.name(), os.O_CREATE|os.O_EXCL|os.O_RDWR)
	if err != nil {
		return nil, fmt.Errorf("create spooled file of %s: %w", src, explain(err))
	}
	return &File{Entry: e, s: s, f: f, hash: sha256.New(), dir: path.Dir(e.name())}, nil
}

// mkdir makes dir and its parents durable.
func (s *Spool) mkdir(dir string) error {
	if _, err := s.fs.Stat(dir); err == nil {
		return nil
	}
	if err := s.fs.MkdirAll(dir); err != nil {
		return err
	}
	for at := dir; at != "."; at = path.Dir(at) {
		s.named.Delete(at) // somebody removed it
	}
	return s.syncDirs(path.Dir(dir))
}

// syncDirs makes the names in dir durable, and dir's own, which needs doing
// only once: folders stay.
func (s *Spool) syncDirs(dir string) error {
	_, named := s.named.Load(dir)
	for at := dir; ; at = path.Dir(at) {
		if err := s.syncDir(at); err != nil {
			return err
		}
		if named || at == "." {
			s.named.Store(dir, nil)
			return nil
		}
	}
}

func (s *Spool) syncDir(dir string) error {
	d, err := s.fs.Open(dir, os.O_RDONLY)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Write appends b with one write(2), or leaves the file as it was. It fails
// after a Sync failed.
func (f *File) Write(b []byte) (int, error) {
	if err := f.err(); err != nil {
		return 0, err
	}
	if err := f.s.room(int64(len(b))); err != nil {
		return 0, err
	}
	began := time.Now()
	if _, err := f.f.WriteAt(b, f.Size); err != nil {
		cut := f.f.Truncate(f.Size)
		f.torn = cut != nil
		return 0, fmt.Errorf("write spooled file of %s: %w", f.Source, errors.Join(explain(err), cut))
	}
	f.torn = false
	if time.Since(began) > slowWrite {
		f.s.Hurry()
	}
	_, _ = f.hash.Write(b) // a hash never fails
	f.Size += int64(len(b))
	f.s.used.Add(int64(len(b)))
	return len(b), nil
}

// Append writes what compose appended to the buffer that it is given. The
// spool's files share a few such buffers, so that each needs none of its own.
func (f *File) Append(compose func(b []byte) []byte) error {
	b := compose((<-f.s.buffers)[:0])
	_, err := f.Write(b)
	if cap(b) > maxBuffer {
		b = nil
	}
	f.s.buffers <- b
	return err
}

// Sync makes what was written before durable. An error is final: what a
// failed fsync left on the disk is unknown, and asking again may find nothing
// wrong. Write and Finish return it from then on.
func (f *File) Sync() error {
	f.syncMu.Lock()
	defer f.syncMu.Unlock()
	if f.ended {
		return nil
	}
	f.s.syncing <- struct{}{}
	err := f.f.Sync()
	if err == nil {
		err = f.makeNamed()
	}
	<-f.s.syncing
	if err == nil || errors.Is(err, os.ErrClosed) { // discarded meanwhile
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed == nil {
		f.failed = fmt.Errorf("sync spooled file of %s: %w", f.Source, explain(err))
	}
	return f.failed
}

// makeNamed makes the file's name durable, once.
func (f *File) makeNamed() error {
	f.mu.Lock()
	named := f.named
	f.mu.Unlock()
	if named {
		return nil
	}
	if err := f.s.syncDirs(f.dir); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.named = true
	return nil
}

func (f *File) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Finish makes the file durable under its final name: fsync, rename, fsync
// of the folder. It returns the SHA-256 of the content. After an error the
// file must be discarded: what a failed fsync left on the disk is unknown.
func (f *File) Finish() (sum [sha256.Size]byte, err error) {
	f.syncMu.Lock()
	defer f.syncMu.Unlock()
	f.ended = true
	var cut error
	if f.torn {
		cut = f.f.Truncate(f.Size)
	}
	if err := errors.Join(f.err(), cut, f.f.Sync(), f.f.Close()); err != nil {
		return sum, fmt.Errorf("finish spooled file of %s: %w", f.Source, explain(err))
	}
	part := f.name()
	f.Part = false
	if err := f.s.fs.Rename(part, f.name()); err != nil {
		f.Part = true
		return sum, fmt.Errorf("finish spooled file of %s: %w", f.Source, explain(err))
	}
	if err := f.s.syncDirs(f.dir); err != nil {
		return sum, fmt.Errorf("finish spooled file of %s: %w", f.Source, explain(err))
	}
	return [sha256.Size]byte(f.hash.Sum(nil)), nil
}

// Discard removes the file.
func (f *File) Discard() error {
	_ = f.f.Close() // it may be closed already
	return f.s.Remove(f.Entry)
}

// Repair reopens a torn file, cuts it to size bytes and finishes it. The
// bytes before the cut are kept as they are. Until Settle, Repaired says of
// the file that it was cut, however often the process dies meanwhile.
func (s *Spool) Repair(e Entry, size int64) (sum [sha256.Size]byte, err error) {
	f, err := s.fs.Open(e.name(), os.O_RDWR)
	if err != nil {
		return sum, fmt.Errorf("repair spooled file of %s: %w", e.Source, err)
	}
	if err := f.Truncate(size); err != nil {
		return sum, errors.Join(fmt.Errorf("repair spooled file of %s: %w", e.Source, err), f.Close())
	}
	s.used.Add(size - e.Size)
	w := &File{Entry: e, s: s, f: f, hash: sha256.New(), dir: path.Dir(e.name())}
	w.Size = size
	_, err = copyAll(w.hash, f)
	if err == nil {
		err = s.mark(e)
	}
	if err != nil {
		return sum, errors.Join(fmt.Errorf("repair spooled file of %s: %w", e.Source, err), f.Close())
	}
	return w.Finish()
}

// mark makes it durable that e is repaired, before its last name is.
func (s *Spool) mark(e Entry) error {
	f, err := s.fs.Open(e.markName(), os.O_CREATE|os.O_RDWR)
	if err != nil {
		return explain(err)
	}
	return errors.Join(f.Close(), s.syncDir(path.Dir(e.name())))
}

// Repaired says whether a file was cut by Repair and not settled since.
func (s *Spool) Repaired(e Entry) bool {
	_, err := s.fs.Stat(e.markName())
	return err == nil
}

// Settle forgets that a file was repaired: its row says so now.
func (s *Spool) Settle(e Entry) error {
	if err := s.fs.Remove(e.markName()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("settle spooled file of %s: %w", e.Source, err)
	}
	return nil
}

// Sum returns the SHA-256 of a file and makes its name durable: a crash may
// have come between its rename and the fsync of its folder.
func (s *Spool) Sum(e Entry) (sum [sha256.Size]byte, err error) {
	f, err := s.Open(e)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = copyAll(h, f)
	if err = errors.Join(err, f.Sync(), f.Close(), s.syncDir(path.Dir(e.name()))); err != nil {
		return sum, fmt.Errorf("hash spooled file of %s: %w", e.Source, err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

func copyAll(h hash.Hash, f disk.Handle) (int64, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(h, f)
}
