package spool

import (
	"fmt"
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
