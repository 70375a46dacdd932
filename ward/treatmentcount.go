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

// TreatmentTolerance says how a treatment's minutes are counted.
type TreatmentTolerance struct {
	Apart    time.Duration // presences at most so far apart count what is between them
	Absences int           // misses in between that are tolerated: a toilet, a changed bag
	Absence  time.Duration // the longest from a tolerated miss to the next presence; 0: any
}

// TreatmentMinutes is what was proven of a session. The three parts are all of it.
type TreatmentMinutes struct {
	Present time.Duration // between two presences that are near enough to each other
	Open    time.Duration // neither proven nor contradicted: unsure, or nothing was asked
	Absent  time.Duration // around a moment at which somebody else, or nobody, was there
}

// SpanState says what a stretch of a treatment session counts as.
type SpanState string

// The states of a stretch.
const (
	SpanPresent   SpanState = "present"
	SpanTolerated SpanState = "tolerated" // missed in between, and forgiven: counts as present
	SpanOpen      SpanState = "open"
	SpanAbsent    SpanState = "absent"
)

// TreatmentSpan is a stretch between two presences, or to an end of the session.
type TreatmentSpan struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	State SpanState `json:"state"`

	misses  int
	absence time.Duration // from the first miss to To
	sound   bool          // two presences, near enough, and nothing unsure between them
}

// CountTreatment adds up the spans of a session.
func CountTreatment(start, end time.Time, seen []Presence, p TreatmentTolerance) TreatmentMinutes {
	var m TreatmentMinutes
	for _, s := range TreatmentSpans(start, end, seen, p) {
		d := s.To.Sub(s.From)
		switch s.State {
		case SpanPresent, SpanTolerated:
			m.Present += d
		case SpanOpen:
			m.Open += d
		case SpanAbsent:
			m.Absent += d
		}
	}
	return m
}

// TreatmentSpans divides a session from its start to its end by the moments at
// which the patient was asked for. What lies between two presences counts as
// present when they are at most Apart and nothing was missed or unsure in
// between; with misses it is absent, but Absences misses in all are forgiven,
// those that count most for the institution. Moments outside the session count
// for nothing.
func TreatmentSpans(start, end time.Time, seen []Presence, p TreatmentTolerance) []TreatmentSpan {
	if !end.After(start) {
		return nil
	}
	in := slices.DeleteFunc(slices.Clone(seen), func(v Presence) bool { return v.At.Before(start) || v.At.After(end) })
	slices.SortStableFunc(in, func(a, b Presence) int { return a.At.Compare(b.At) })
	var spans []TreatmentSpan
	last, known, unsure, misses := start, false, false, []time.Time(nil)
	until := func(at time.Time, present bool) {
		s := TreatmentSpan{From: last, To: at, State: SpanOpen, misses: len(misses), sound: known && present && !unsure && at.Sub(last) <= p.Apart}
		switch {
		case len(misses) > 0:
			s.State, s.absence = SpanAbsent, at.Sub(misses[0])
		case s.sound:
			s.State = SpanPresent
		}
		if at.After(last) {
			spans = append(spans, s)
		}
		last, known, unsure, misses = at, present, false, nil
	}
	for _, v := range in {
		switch v.Answer {
		case MatchYes:
			until(v.At, true)
		case MatchNo:
			misses = append(misses, v.At)
		case MatchUnsure:
			unsure = true
		}
	}
	until(end, false)
	forgive(spans, p)
	return spans
}

// forgive marks the absent spans that are tolerated: those that together count
// most and have at most p.Absences misses.
func forgive(spans []TreatmentSpan, p TreatmentTolerance) {
	type choice struct {
		counts time.Duration
		spans  []int
	}
	best := make([]choice, max(0, p.Absences)+1) // by misses
	for i, s := range spans {
		if s.State != SpanAbsent || !s.sound || p.Absence > 0 && s.absence > p.Absence {
			continue
		}
		for n := len(best) - 1; n >= s.misses; n-- {
			if with := best[n-s.misses]; with.counts+s.To.Sub(s.From) > best[n].counts {
				best[n] = choice{with.counts + s.To.Sub(s.From), append(slices.Clone(with.spans), i)}
			}
		}
	}
	most := slices.MaxFunc(best, func(a, b choice) int { return int(a.counts - b.counts) })
	for _, i := range most.spans {
		spans[i].State = SpanTolerated
	}
}
