package ingest

import (
	"slices"
	"time"

	"wardwatch/ward"
)

// Where the server's clock was set back, recordings of a source have the same
// dates. They are played one after the other, in the order of recording; a
// moment by itself means the latest of them.

// stretchesOf are the times of recordings, by their beginning.
func stretchesOf(all []ward.Segment) []Stretch {
	have := make([]Stretch, len(all))
	for i, g := range all {
		have[i] = Stretch{From: g.Start, To: g.End}
	}
	slices.SortFunc(have, func(a, b Stretch) int { return a.From.Compare(b.From) })
	return have
}

// overlaps returns the times that more than one stretch has; they come by
// their beginning. Less than maxHole is the jitter of arrival.
func overlaps(have []Stretch) []Stretch {
	var twice []Stretch
	var end time.Time
	for _, h := range have {
		if both := earlier(end, h.To); both.Sub(h.From) > maxHole {
			if n := len(twice); n > 0 && h.From.Sub(twice[n-1].To) <= maxHole {
				twice[n-1].To = later(twice[n-1].To, both)
			} else {
				twice = append(twice, Stretch{From: h.From, To: both})
			}
		}
		end = later(end, h.To)
	}
	return twice
}

// showing is the index of the place that shows a moment: of those that
// contain it the one recorded last, else the one that began last before it;
// -1 when there is none.
func showing(places []place, at time.Time) int {
	at = at.Add(pictureSlack)
	here, inside := -1, false
	for i, p := range places {
		if p.start().After(at) {
			continue
		}
		in := p.segment.ID == "" || p.segment.End.After(at)
		if here < 0 || in || !inside && !p.start().Before(places[here].start()) {
			here, inside = i, in
		}
	}
	return here
}

// ascending returns those places around the one at index here that follow
// each other both in the order of recording and by date, and where here is
// among them; all of them for -1.
func ascending(places []place, here int) ([]place, int) {
	if here < 0 {
		return places, here
	}
	from, to := here, here+1
	for from > 0 && places[from-1].start().Before(places[from].start()) {
		from--
	}
	for to < len(places) && places[to-1].start().Before(places[to].start()) {
		to++
	}
	return places[from:to], here - from
}
