package ingest

import "time"

const (
	// clockJump is how much the wall clock may part from the monotonic one
	// between two pictures and count as slewed rather than set.
	clockJump = time.Second
	// maxAheadOfWall bounds for how long recordings may be dated after the wall
	// clock, so that none overlap: a wrong hour or time zone, not a wrong year.
	maxAheadOfWall = 25 * time.Hour
)

// steady dates what arrives: it takes the wall clock's time once, and goes on
// with the monotonic clock. A wall clock that is set while a source is
// recorded neither tears a hole into its recording nor lets two of its
// segments overlap. The new time counts from the next session on.
type steady struct {
	at   time.Time // an arrival
	wall time.Time // its date
	off  time.Duration
}

// steadyFrom begins at an arrival. The date is the wall clock's, but not
// before last, the end of the recording before, unless that is more than
// maxAheadOfWall away.
func steadyFrom(at, last time.Time) steady {
	s := steady{at: at, wall: at.Round(0).UTC()}
	if ahead := last.Sub(s.wall); ahead > 0 && ahead <= maxAheadOfWall {
		s.wall = last
	}
	return s
}

// date is the time of an arrival.
func (s steady) date(arrived time.Time) time.Time { return s.wall.Add(arrived.Sub(s.at)) }

// ahead is by how much dates are after the wall clock of an arrival.
func (s steady) ahead(arrived time.Time) time.Duration {
	return s.date(arrived).Sub(arrived.Round(0))
}

// jumped is by how much the wall clock was set since the last arrival it was
// asked for; 0 when it was not.
func (s *steady) jumped(arrived time.Time) time.Duration {
	off := arrived.Round(0).Sub(s.at.Round(0)) - arrived.Sub(s.at)
	by := off - s.off
	s.off = off
	if by.Abs() < clockJump {
		return 0
	}
	return by
}
