package ward

import (
	"slices"
	"time"
)

// Presence is one moment of a treatment session at which the patient's face
// was asked for.
type Presence struct {
	At     time.Time
	Answer Match
}

// TreatmentPolicy says how a treatment's minutes are counted.
type TreatmentPolicy struct {
	Apart    time.Duration // presences at most so far apart count what is between them
	Absences int           // misses in between that are tolerated: a toilet, a changed bag
}

// TreatmentMinutes is what was proven of a session. The three parts are all of it.
type TreatmentMinutes struct {
	Present time.Duration // between two presences that are near enough to each other
	Open    time.Duration // neither proven nor contradicted: unsure, or nothing was asked
	Absent  time.Duration // around a moment at which somebody else, or nobody, was there
}

// CountTreatment counts a session from its start to its end by the moments at
// which the patient was asked for. What lies between two presences counts as
// present when they are at most Apart and nothing was missed in between; with
// misses it is absent, but Absences misses in all are forgiven, those that
// count most for the institution. Moments outside the session count for nothing.
func CountTreatment(start, end time.Time, seen []Presence, p TreatmentPolicy) TreatmentMinutes {
	var m TreatmentMinutes
	if !end.After(start) {
		return m
	}
	in := slices.DeleteFunc(slices.Clone(seen), func(v Presence) bool { return v.At.Before(start) || v.At.After(end) })
	slices.SortStableFunc(in, func(a, b Presence) int { return a.At.Compare(b.At) })
	last, known, missed := start, false, 0
	forgiven := make([]time.Duration, max(0, p.Absences)+1) // by misses, the most that forgiving so many proves
	until := func(at time.Time, present bool) {
		d := at.Sub(last)
		near := known && present && d <= p.Apart
		switch {
		case missed > 0:
			m.Absent += d
			for n := len(forgiven) - 1; near && n >= missed; n-- {
				forgiven[n] = max(forgiven[n], forgiven[n-missed]+d)
			}
		case near:
			m.Present += d
		default:
			m.Open += d
		}
		last, known, missed = at, present, 0
	}
	for _, v := range in {
		switch v.Answer {
		case MatchYes:
			until(v.At, true)
		case MatchNo:
			missed++
		case MatchUnsure:
		}
	}
	until(end, false)
	most := slices.Max(forgiven)
	m.Present += most
	m.Absent -= most
	return m
}
