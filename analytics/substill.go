package analytics

import (
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// stir takes the measures of a picture of the sub stream: whether it changed.
func (s *subSight) stir(m ward.Measures, at time.Time) {
	if m.Change >= stillBelow {
		s.moved, s.mainThen = at, nil
	}
}

// frozen says, by a picture of the main stream, whether the sub stream has
// stood still for stillHold while something moved in the main one. Standing
// still alone proves nothing: a coder of few bits takes the noise away.
func (s *subSight) frozen(seen ward.Seen) bool {
	if seen.Measures == nil || !seen.Measures.Levels.Whole() {
		return false
	}
	if s.mainThen == nil {
		s.mainThen = seen.Measures.Levels
	}
	if len(s.looks) == 0 {
		return false
	}
	newest := s.looks[len(s.looks)-1].at
	if newest.Sub(latest(s.moved, s.looks[0].at)) < stillHold || differing(seen.Measures.Levels, s.mainThen) < stirred {
		return false
	}
	s.stood = true
	return true
}

// contradicted takes what a picture of the main stream showed that was looked
// at for want. It says whether somebody is there, again, of whom the sub stream
// showed nothing meanwhile.
func (s *subSight) contradicted(seen ward.Seen, at time.Time, want vision.Want) bool {
	if !want.Has(vision.WantPeople) {
		return false
	}
	s.asked = at
	if !somebodyIn(seen) {
		s.somebody, s.denied = false, false
		return false
	}
	s.somebody = true
	return s.denied
}

// agreed takes a picture of the sub stream that was looked at for want, and
// says whether the main stream supports that nobody is in it.
func (s *subSight) agreed(seen ward.Seen, at time.Time, want vision.Want) bool {
	switch {
	case somebodyIn(seen):
		s.somebody, s.denied = false, false
		return true
	case s.somebody && at.Before(s.asked): // it came before
		return false
	case s.somebody:
		s.denied = s.denied || want.Has(vision.WantPeople)
		return false
	}
	return !s.asked.IsZero() && at.Sub(s.asked).Abs() <= uncorroborated
}
