package analytics

import (
	"time"

	"wardwatch/ward"
)

// The figures below are what separates the demo clips with faults made by
// ffmpeg from hours of ordinary video: TestHealthOfRealClips, make health.
const (
	zonesNeeded = 3  // with contours; fewer show nothing that could be missed
	softBelow   = .5 // of the learned detail, at the same contrast
	softZones   = .7 // share of the zones that are recognised

	// A picture that does not change is coded anew by each key frame, and not
	// alike before its coder has settled. The noise of a sensor is .3 and more.
	stillBelow = .15 // grey levels
	stillMost  = .5  // grey levels, for a camera that was never as quiet
	alive      = .3  // grey levels: something moves

	steadyBelow = 4  // grey levels that cells differ from the picture before: nothing large moves
	sameZone    = .7 // correlation with the picture before
	steadyZones = .5 // share of the zones whose contours are as in the picture before

	blackShare = .97 // of the pixels
	glareShare = .4  // of the pixels, more than learned
	glareAlone = .6  // when nothing is learned
	lostShare  = .65 // of the contours
	flatShare  = .6  // of the cells
	flatAlone  = .95 // when nothing is learned
	movedZones = .2  // of the zones that are recognised at most
	fewAlike   = .35 // the same of what is covered
	darkAlike  = .15 // and of what is black
)

// unclear is a picture that may show a fault, or something that passes. It
// neither shows a fault nor that there is none.
const unclear ward.BlindCause = "unclear"

// suspect says what the picture looks like it suffers from; empty: nothing.
func (h *Health) suspect(m ward.Measures, at time.Time) ward.BlindCause {
	c := h.Scene.compare(m)
	h.learned = &c
	still := h.still(m, at)
	known := c.view >= 0 && c.zones >= zonesNeeded
	bright := float32(0)
	if known {
		bright = h.Scene.Views[c.view].Bright
	}
	switch {
	case m.Dark >= blackShare && !(known && c.alike > darkAlike):
		return ward.Black
	case known && m.Bright >= bright+glareShare, !known && m.Bright >= glareAlone:
		return ward.Glare
	case known && c.lost >= lostShare && c.flat >= flatShare && c.alike < fewAlike, !known && c.flat >= flatAlone:
		if h.steady(&c) {
			return ward.Covered
		}
		return unclear
	case known && c.softOf >= zonesNeeded && c.soft >= softZones:
		return ward.Defocused
	case known && c.alike <= movedZones:
		if h.sameZones(&c) {
			return ward.Moved
		}
		return unclear
	case still:
		return ward.Frozen
	}
	return ""
}

// still says whether nothing has changed for stillHold.
func (h *Health) still(m ward.Measures, at time.Time) bool {
	if m.Change < 0 || h.last.IsZero() {
		return false
	}
	if m.Change >= stillMost {
		h.lively = at
	}
	h.changes = append(h.changes, change{at: at, since: h.last, by: m.Change})
	for len(h.changes) > 1 && at.Sub(h.changes[1].since) >= stillHold {
		h.changes = h.changes[1:]
	}
	if at.Sub(h.changes[0].since) < stillHold {
		return false
	}
	return h.most() < h.Scene.still()
}

// most is the largest of the changes of the last stillHold.
func (h *Health) most() float32 {
	var most float32
	for _, c := range h.changes {
		most = max(most, c.by)
	}
	return most
}

// steady says whether the picture shows about what the one before did: what
// passes before the lens, or wipes it, does not.
func (h *Health) steady(c *comparison) bool {
	if !h.levels.Whole() {
		return false
	}
	before := h.levels.Figures()
	var sum float64
	for i := range before {
		d := float64(c.levels[i] - before[i])
		sum += max(d, -d)
	}
	return sum/ward.GridCells < steadyBelow
}

// sameZones says whether the contours of most zones are those of the picture
// before: a crowd's are not, and what stands still in another scene's are.
func (h *Health) sameZones(c *comparison) bool {
	if !h.levels.Whole() {
		return false
	}
	levels := h.levels.Figures()
	before := contours(&levels)
	all, same := 0, 0
	for z := range zones {
		var a, b [zoneCells]float32
		zoneOf(z, &c.contours, &a)
		zoneOf(z, &before, &b)
		if rms(&a) < contourMin {
			continue
		}
		all++
		if correlation(&a, &b) >= sameZone {
			same++
		}
	}
	return float64(same) >= steadyZones*float64(all)
}
