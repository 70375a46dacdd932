package analytics

import (
	"math"
	"slices"
	"time"

	"wardwatch/ward"
)

const (
	zonesWide, zonesHigh = 4, 3 // of 8x6 cells each
	zones                = zonesWide * zonesHigh
	zoneCells            = ward.GridCells / zones

	maxViews   = 4                // by day, by lamps, by infrared …
	learnt     = 20               // pictures after which a view counts
	slowly     = 10 * time.Minute // how long a view takes to follow a scene that changes
	newView    = 5 * time.Minute  // how long the scene must look unlike all views, and be steady, to be another
	likeZone   = .5               // correlation from which a zone is the learned one; another scene gives 0±.15
	likeView   = .5               // share of the zones that make a picture one of this view
	contourMin = .8               // grey levels: a zone with less has no contours that could be missed
	detailMin  = .6               // the same of detail
	cellMin    = 1.5              // grey levels of a contour in one cell
	cellFlat   = .5               // grey levels: none
	cellLight  = 8                // grey levels of light that count as none
	lostBelow  = .3               // of that contour
)

// figures are those of the cells of a picture.
type figures = [ward.GridCells]float32

// Scene is what a camera should see: how it looks in one or several lights.
type Scene struct {
	Views []View `json:"views"`
	// Quiet is the least that pictures changed for stillHold while the scene
	// was alive, in grey levels; 0: not known. QuietFor says after how much time.
	Quiet    float32       `json:"quiet"`
	QuietFor time.Duration `json:"quiet_for"`

	strange    View // unlike all views, and perhaps another
	strangeFor time.Duration
	calm       float32 // less than Quiet, if what comes shows that the scene was alive
}

// View is the learned mean of pictures that look alike.
type View struct {
	Levels   figures `json:"levels"`
	Detail   figures `json:"detail"`
	Bright   float32 `json:"bright"`   // share of overexposed pixels
	Pictures int     `json:"pictures"` // at most learnt
}

// known says whether enough is learned to tell another scene from this one.
func (s *Scene) known() bool { return len(s.Views) > 0 && s.Views[0].Pictures >= learnt }

// comparison is one picture beside the view that it is most like.
type comparison struct {
	levels, detail, contours figures
	bright                   float32
	view                     int     // in Scene.Views; -1: none is known
	zones                    int     // that have contours to compare
	alike                    float64 // share of them that look as learned
	lost                     float64 // share of the learned contours, cell by cell, that are not there
	flat                     float64 // share of the cells without any
	soft                     float64 // share of those alike in the large that lost their detail
	softOf                   int     // how many those are
	detailShare              float64 // all detail over all of the view
}

// compare finds the view that the picture is most like.
func (s *Scene) compare(m ward.Measures) comparison {
	best := comparison{levels: m.Levels.Figures(), detail: m.Detail.Figures(), bright: m.Bright, view: -1}
	best.contours = contours(&best.levels)
	for _, v := range best.contours {
		if max(v, -v) < cellFlat {
			best.flat += 1. / ward.GridCells
		}
	}
	if !s.known() {
		return best
	}
	for i := range s.Views {
		c := best
		c.view = i
		c.with(&s.Views[i])
		if best.view < 0 || c.alike > best.alike {
			best = c
		}
	}
	return best
}

// with compares the picture with v, zone by zone.
func (c *comparison) with(v *View) {
	learned := contours(&v.Levels)
	c.zones, c.alike, c.soft, c.softOf = 0, 0, 0, 0
	var sum, sumLearned float64
	for z := range zones {
		var a, b, la, lb, da, db [zoneCells]float32
		zoneOf(z, &c.contours, &a)
		zoneOf(z, &learned, &b)
		zoneOf(z, &c.levels, &la)
		zoneOf(z, &v.Levels, &lb)
		zoneOf(z, &c.detail, &da)
		zoneOf(z, &v.Detail, &db)
		contrast, contrastLearned := rms(&a), rms(&b)
		detail, detailLearned := mean(&da), mean(&db)
		sum, sumLearned = sum+detail, sumLearned+detailLearned
		if contrastLearned < contourMin || detailLearned < detailMin {
			continue
		}
		c.zones++
		like := max(correlation(&a, &b), correlation(&da, &db))
		if contrast < .12 { // nothing but rounding
			like = 0
		}
		if like < likeZone {
			continue
		}
		c.alike++
		c.softOf++
		// What is darker has less contrast and as much less detail.
		if left := detail / detailLearned; left < softBelow*min(rms(&la)/rms(&lb), 1) {
			c.soft++
		}
	}
	if c.zones > 0 {
		c.alike /= float64(c.zones)
	}
	if c.softOf > 0 {
		c.soft /= float64(c.softOf)
	}
	c.detailShare = sum / max(sumLearned, .01)
	c.lost = c.lostOf(v, &learned)
}

// lostOf is the share of the learned contours, cell by cell, that are not
// there: allowing for the light, which makes all of them weaker.
func (c *comparison) lostOf(v *View, learned *figures) float64 {
	all, gone := 0, 0
	for i, was := range learned {
		if was = max(was, -was); was < cellMin {
			continue
		}
		all++
		is := max(c.contours[i], -c.contours[i])
		if is < cellFlat || is/(c.levels[i]+cellLight) < lostBelow*was/(v.Levels[i]+cellLight) {
			gone++
		}
	}
	return float64(gone) / float64(max(all, 1))
}

// learn takes what the newest picture showed, which was well; gone is the time
// since the one before.
func (s *Scene) learn(c comparison, gone time.Duration) {
	gone = min(max(gone, 0), unseenHole)
	switch {
	case len(s.Views) == 0:
		s.Views = []View{{}}
		fallthrough
	case !s.known():
		s.Views[0].add(c, gone)
	case c.alike >= likeView || c.zones < zonesNeeded:
		s.strange, s.strangeFor = View{}, 0
		s.Views[c.view].add(c, gone)
	default:
		s.strange.add(c, gone)
		if s.strangeFor += gone; s.strangeFor < newView {
			return
		}
		if len(s.Views) == maxViews { // the first was learned when the camera was set up
			s.Views = slices.Delete(s.Views, 1, 2)
		}
		s.Views = append(s.Views, s.strange)
		s.strange, s.strangeFor = View{}, 0
	}
}

// add takes a picture into the view: the mean of the first ones, later slowly.
func (v *View) add(c comparison, gone time.Duration) {
	part := float32(min(gone.Seconds()/slowly.Seconds(), 1))
	if v.Pictures < learnt {
		v.Pictures++
		part = 1 / float32(v.Pictures)
	}
	for i := range v.Levels {
		v.Levels[i] += (c.levels[i] - v.Levels[i]) * part
		v.Detail[i] += (c.detail[i] - v.Detail[i]) * part
	}
	v.Bright += (c.bright - v.Bright) * part
}

// contours is what of each cell is not in its neighbours: it stays when the
// light changes, and is gone when the view moves by half a cell.
func contours(levels *figures) figures {
	const w, h = ward.GridWide, ward.GridHigh
	var out figures
	for y := range h {
		for x := range w {
			i := y*w + x
			around := levels[y*w+max(x-1, 0)] + levels[y*w+min(x+1, w-1)] + levels[max(y-1, 0)*w+x] + levels[min(y+1, h-1)*w+x]
			out[i] = levels[i] - around/4
		}
	}
	return out
}

// zoneOf copies the cells of zone z.
func zoneOf(z int, of *figures, to *[zoneCells]float32) {
	const w, h = ward.GridWide / zonesWide, ward.GridHigh / zonesHigh
	x0, y0 := z%zonesWide*w, z/zonesWide*h
	for y := range h {
		copy(to[y*w:(y+1)*w], of[(y0+y)*ward.GridWide+x0:])
	}
}

func mean(v *[zoneCells]float32) float64 {
	var s float64
	for _, x := range v {
		s += float64(x)
	}
	return s / zoneCells
}

func rms(v *[zoneCells]float32) float64 {
	m, s := mean(v), 0.
	for _, x := range v {
		s += (float64(x) - m) * (float64(x) - m)
	}
	return math.Sqrt(s / zoneCells)
}

// correlation is -1 to 1; 0 when one of them is flat.
func correlation(a, b *[zoneCells]float32) float64 {
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i])-ma, float64(b[i])-mb
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// quiet takes by how much the pictures of the last stillHold changed at most,
// and the newest, while all was well.
func (s *Scene) quiet(most, newest float32, gone time.Duration) {
	gone = min(max(gone, 0), unseenHole)
	s.QuietFor += gone
	if most > 0 && (s.calm == 0 || most < s.calm) {
		s.calm = most
	}
	if s.calm == 0 || newest < alive || newest < 3*s.calm {
		return
	}
	if s.Quiet == 0 || s.calm < s.Quiet {
		s.Quiet = s.calm
	} else {
		s.Quiet *= 1 + float32(gone.Hours()/48) // nights differ
	}
	s.calm = 0
}

// still is what changes by less, from picture to picture, does not change.
func (s *Scene) still() float32 {
	switch {
	case s.Quiet == 0 || s.QuietFor < 24*time.Hour && s.Quiet > 2*stillBelow:
		return stillBelow
	default:
		return min(s.Quiet/2, stillMost)
	}
}
