package spool

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
)

// quarantineDir holds what was put aside. Nothing looks into it.
const quarantineDir = "quarantine"

// Aside is where Quarantine moves e, relative to the spool's folder.
func (e Entry) Aside() string { return path.Join(quarantineDir, e.name()) }

// Path is where e is, relative to the spool's folder.
func (e Entry) Path() string { return e.name() }

// Quarantine moves a file aside, where it no longer counts as a recording.
// It is not deleted, and its space is not free.
func (s *Spool) Quarantine(e Entry) error {
	if err := s.mkdir(path.Dir(e.Aside())); err != nil {
		return fmt.Errorf("put %s aside: %w", e.name(), explain(err))
	}
	if err := s.fs.Rename(e.name(), e.Aside()); err != nil {
		return fmt.Errorf("put %s aside: %w", e.name(), err)
	}
	s.used.Add(-e.Size)
	if err := s.syncDir(path.Dir(e.Aside())); err != nil {
		return fmt.Errorf("put %s aside: %w", e.name(), err)
	}
	return s.syncDir(path.Dir(e.name()))
}

// TailAside is where CopyTail puts what e holds from a byte on.
func (e Entry) TailAside(from int64) string { return fmt.Sprintf("%s.from-%d", e.Aside(), from) }

// CopyTail copies what e holds from the byte from on to TailAside, durably,
// and returns the copy's size and SHA-256. The file itself stays as it is.
// A copy that is there already is written anew.
func (s *Spool) CopyTail(e Entry, from int64) (size int64, sum [sha256.Size]byte, err error) {
	to := e.TailAside(from)
	if err := s.copyTail(e, from, to, func(n int64, h []byte) { size, sum = n, [sha256.Size]byte(h) }); err != nil {
		return 0, sum, fmt.Errorf("copy the tail of %s aside: %w", e.name(), explain(err))
	}
	return size, sum, nil
}

func (s *Spool) copyTail(e Entry, from int64, to string, done func(n int64, sum []byte)) (err error) {
	src, err := s.fs.Open(e.name(), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := s.mkdir(path.Dir(to)); err != nil {
		return err
	}
	dst, err := s.fs.Open(to, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	if err := dst.Truncate(0); err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(io.NewOffsetWriter(dst, 0), h), io.NewSectionReader(src, from, max(e.Size-from, 0)))
	if err != nil {
		return err
	}
	done(n, h.Sum(nil))
	return errors.Join(dst.Sync(), s.syncDirs(path.Dir(to)))
}
