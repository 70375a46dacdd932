package spool

import "time"

// slowWrite is how long a write may take before the disk counts as busy: the
// page cache takes one in microseconds, and a recorder's ring holds 20 s.
const slowWrite = 500 * time.Millisecond

// Hurry says that a recording has to wait: whoever else uses the disk, the
// network or the processor for this spool should rest. Writes that take long
// say so by themselves.
func (s *Spool) Hurry() { s.hurried.Store(time.Now().UnixNano()) }

// Hurried is when a recording last had to wait; zero when none ever had.
func (s *Spool) Hurried() time.Time {
	if n := s.hurried.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}
