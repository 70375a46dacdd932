package ingest

import "time"

// clockJump is how far the wall clock may be from a recording's dates and
// count as the same: less is neither told nor followed.
const clockJump = 2 * time.Second

// steady dates what arrives: it takes the wall clock's time once, and goes on
// with the monotonic clock, so that a segment is neither torn nor stretched
// by a wall clock that is set. The recorder begins a new segment, and a new
// steady, when the two have parted.
type steady struct {
	at   time.Time // an arrival; zero: not begun
	wall time.Time // its date
}

// moment is a point in time on both clocks: by the wall clock, as rows tell
// it, and with a monotonic reading, which says how long something lasted.
type moment struct{ wall, mono time.Time }

// momentOf is the moment of a reading of the server's clock.
func momentOf(t time.Time) moment { return moment{t.Round(0).UTC(), t} }

// steadyFrom begins at an arrival. The date is the wall clock's, or last, the
// end of the recording before, when that is less than clockJump later.
func steadyFrom(at, last time.Time) steady {
	s := steady{at: at, wall: at.Round(0).UTC()}
	if ahead := last.Sub(s.wall); ahead > 0 && ahead < clockJump {
		s.wall = last
	}
	return s
}

// anew is the clock of a segment that does not continue the one before: the
// wall clock's time, or s's own when the wall clock is behind that by less
// than clockJump, so that the two do not overlap.
func (s steady) anew(at time.Time) steady {
	if off := s.off(at); off <= 0 && off > -clockJump {
		return s
	}
	return steady{at: at, wall: at.Round(0).UTC()}
}

// date is the time of an arrival.
func (s steady) date(arrived time.Time) time.Time { return s.wall.Add(arrived.Sub(s.at)) }

// moment is an arrival on both clocks, with the date as wall clock.
func (s steady) moment(arrived time.Time) moment { return moment{s.date(arrived), arrived} }

// dated is the moment of a date.
func (s steady) dated(date time.Time) moment { return moment{date, s.at.Add(date.Sub(s.wall))} }

// off is by how much the wall clock leads the dates at an arrival.
func (s steady) off(arrived time.Time) time.Duration { return arrived.Round(0).Sub(s.date(arrived)) }

// jumped says whether the wall clock was set since s began.
func (s steady) jumped(arrived time.Time) bool { return s.off(arrived).Abs() >= clockJump }
