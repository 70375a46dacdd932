package ingest

import (
	"slices"
	"time"

	"wardwatch/ward"
)

// Covered says how much of a stretch was recorded and how much is a gap.
type Covered struct {
	Recorded time.Duration // in a segment and in no gap: a damaged stretch is not recorded
	Gap      time.Duration // in a gap; a gap without end lasts until the stretch's end
	Filled   time.Duration // of Gap: what the device gave of it afterwards
}

// Cover sums up segments and gaps within [from, to). A moment in both counts
// as gap. What is left of the stretch is unaccounted for.
func Cover(segments []ward.Segment, gaps []ward.Gap, from, to time.Time) Covered {
	type edge struct {
		at               time.Time
		seg, device, gap int
	}
	var edges []edge
	add := func(begin, end time.Time, seg, device, gap int) {
		if begin.Before(from) {
			begin = from
		}
		if end.IsZero() || end.After(to) {
			end = to
		}
		if begin.Before(end) {
			edges = append(edges, edge{begin, seg, device, gap}, edge{end, -seg, -device, -gap})
		}
	}
	for _, s := range segments {
		device := 0
		if s.Origin == ward.FromDevice {
			device = 1
		}
		add(s.Start, s.End, 1, device, 0)
	}
	for _, g := range gaps {
		add(g.From, g.To, 0, 0, 1)
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	var c Covered
	seg, device, gap := 0, 0, 0
	for i, e := range edges {
		if i > 0 {
			d := e.at.Sub(edges[i-1].at)
			switch {
			case gap > 0:
				c.Gap += d
				if device > 0 {
					c.Filled += d
				}
			case seg > 0:
				c.Recorded += d
			}
		}
		seg, device, gap = seg+e.seg, device+e.device, gap+e.gap
	}
	return c
}

// holes returns the stretches of [from, to) that nothing covers.
func holes(segments []ward.Segment, gaps []ward.Gap, from, to time.Time) []Stretch {
	var have []Stretch
	for _, s := range segments {
		have = append(have, Stretch{From: s.Start, To: s.End})
	}
	for _, g := range gaps {
		if g.To.IsZero() {
			g.To = to
		}
		have = append(have, Stretch{From: g.From, To: g.To})
	}
	slices.SortFunc(have, func(a, b Stretch) int { return a.From.Compare(b.From) })
	var free []Stretch
	for _, h := range append(have, Stretch{From: to, To: to}) {
		if h.From.After(from) {
			free = append(free, Stretch{From: from, To: earlier(h.From, to)})
		}
		from = later(from, h.To)
	}
	return free
}
