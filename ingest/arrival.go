package ingest

import "time"

// arrival dates the units of a track that were read together. They came one
// after the other since the read before: as far apart as their time stamps
// say, where that is possible.
type arrival struct {
	begun bool
	ts    uint32    // the latest time stamp
	at    time.Time // when its unit came
	last  time.Time // when the last unit came
}

// of is when the unit with RTP time ts came, which was read at at and after
// the read at after.
func (a *arrival) of(t Track, ts uint32, at, after time.Time) time.Time {
	step := t.span(int64(int32(ts - a.ts))) //nolint:gosec // RTP time wraps
	late := time.Duration(0)
	switch {
	case !a.begun || step < -maxBack:
		step = 0 // another time line
	case step < 0: // reordered
		late = at.Sub(a.last)
	default:
		late = at.Sub(a.at.Add(step))
	}
	late = max(min(late, at.Sub(after), at.Sub(a.last)), 0)
	a.last = at.Add(-late)
	if step >= 0 {
		a.begun, a.ts, a.at = true, ts, a.last
	}
	return a.last
}
