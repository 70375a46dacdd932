package ward

import (
	"cmp"
	"slices"
	"time"
)

// Stretch is a stretch of time, without its end; a zero To has none.
type Stretch struct{ From, To time.Time }

// contains says whether the moment is in the stretch.
func (s Stretch) contains(at time.Time) bool {
	return !at.Before(s.From) && (s.To.IsZero() || at.Before(s.To))
}

// Accounting says whether somebody answers for a blind period.
type Accounting struct {
	// Planned is the outage that covers its beginning, when all of the period
	// is covered as far as it is known.
	Planned OutageID
	// Unreported is the first stretch of it that nobody reported in advance and
	// that lasts long enough; zero when there is none. Its To is zero while it lasts.
	Unreported Stretch
	// Due is when there will be such a stretch if the camera stays blind; zero
	// when there is one, or never will be.
	Due time.Time
}

// Account compares a blind period with what its institution reported. until is
// up to when it is known to last, as long as it does; a stretch of at least
// least counts. The order of the outages does not matter, nor do those of other cameras.
func (b BlindPeriod) Account(outages []Outage, least time.Duration, until time.Time) Accounting {
	covered, first := b.covered(outages)
	end, lasts := until, b.To.IsZero()
	if !lasts {
		end = b.To
	}
	var out Accounting
	if len(covered) > 0 && covered[0].contains(b.From) && !covered[0].To.Before(end) {
		out.Planned = first
	}
	for _, hole := range holes(b.From, covered) {
		known, goesOn := hole.To, false
		if known.IsZero() || known.After(end) {
			known, goesOn = end, lasts
		}
		switch {
		case known.Sub(hole.From) >= least:
			if out.Unreported = (Stretch{hole.From, known}); goesOn {
				out.Unreported.To = time.Time{}
			}
			return out
		case goesOn && (hole.To.IsZero() || hole.To.Sub(hole.From) >= least):
			out.Due = hole.From.Add(least)
			return out // those that follow begin later
		}
	}
	return out
}

// CoveredAt says whether the blind period was reported in advance for a moment in it.
func (b BlindPeriod) CoveredAt(outages []Outage, at time.Time) bool {
	covered, _ := b.covered(outages)
	return slices.ContainsFunc(covered, func(s Stretch) bool { return s.contains(at) })
}

// covered returns the stretches that outages cover, from the period's
// beginning on and maybe beyond its end, joined, in order; and the outage that
// covers the beginning. What was reported once the camera was blind counts only
// where it goes on, without a hole, from what had been reported before: nobody
// may cover a lens first and report it then.
func (b BlindPeriod) covered(outages []Outage) (out []Stretch, first OutageID) {
	some := slices.DeleteFunc(slices.Clone(outages), func(o Outage) bool {
		return o.InstitutionID != b.InstitutionID || !o.Of(b.CameraID, b.PlaceID) || !o.end().After(o.From) || !o.end().After(b.From)
	})
	slices.SortFunc(some, func(a, b Outage) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID)) })
	reached := b.From
	for _, o := range some {
		if o.Reported.After(b.From) && o.From.After(reached) {
			continue
		}
		s := Stretch{o.From, o.end()}
		if !s.From.After(b.From) {
			s.From = b.From
			if first == "" {
				first = o.ID
			}
		}
		if !s.From.After(reached) && s.To.After(reached) {
			reached = s.To
		}
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out, first
}

// holes are the stretches from a moment on that are not covered; the last has no end.
func holes(from time.Time, covered []Stretch) []Stretch {
	var out []Stretch
	for _, s := range covered {
		if s.From.After(from) {
			out = append(out, Stretch{from, s.From})
		}
		from = s.To
	}
	return append(out, Stretch{from, time.Time{}})
}
