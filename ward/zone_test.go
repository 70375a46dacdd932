package ward_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"wardwatch/ward"
)

func square(x, y, w, h float64) []ward.Point {
	return []ward.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}
}

func TestShareOfABoxInAZone(t *testing.T) {
	// A U: its middle, from .4 to .6 above .8, is outside.
	dented := []ward.Point{{X: .2, Y: .2}, {X: .4, Y: .2}, {X: .4, Y: .8}, {X: .6, Y: .8}, {X: .6, Y: .2}, {X: .8, Y: .2}, {X: .8, Y: .9}, {X: .2, Y: .9}}
	for name, c := range map[string]struct {
		polygon []ward.Point
		box     ward.Box
		want    float64
	}{
		"inside":               {square(0, 0, .5, 1), ward.Box{X: .1, Y: .1, W: .2, H: .2}, 1},
		"the whole picture":    {square(0, 0, 1, 1), ward.Box{W: 1, H: 1}, 1},
		"outside":              {square(0, 0, .5, 1), ward.Box{X: .6, Y: .1, W: .2, H: .2}, 0},
		"half":                 {square(0, 0, .5, 1), ward.Box{X: .4, Y: .1, W: .2, H: .2}, .5},
		"beside, edge to edge": {square(0, 0, .5, 1), ward.Box{X: .5, Y: .1, W: .2, H: .2}, 0},
		"around the zone":      {square(.4, .4, .2, .2), ward.Box{X: .3, Y: .3, W: .4, H: .4}, .25},
		"in the dent":          {dented, ward.Box{X: .45, Y: .3, W: .1, H: .2}, 0},
		"over the dent":        {dented, ward.Box{X: .3, Y: .3, W: .4, H: .2}, .5},
		"empty box":            {square(0, 0, 1, 1), ward.Box{X: .5, Y: .5}, 0},
	} {
		for _, p := range [][]ward.Point{c.polygon, backwards(c.polygon)} {
			if got := (ward.Zone{Polygon: p}).Share(c.box); math.Abs(got-c.want) > 1e-6 {
				t.Errorf("%s: %g, want %g", name, got, c.want)
			}
		}
	}
}

func backwards(p []ward.Point) []ward.Point {
	out := make([]ward.Point, len(p))
	for i := range p {
		out[i] = p[len(p)-1-i]
	}
	return out
}

// star draws a polygon around a centre, dented and never crossing itself.
func star(r *rapid.T) []ward.Point {
	n := rapid.IntRange(3, 20).Draw(r, "points")
	turn := rapid.Float64Range(0, 6).Draw(r, "turn")
	out := make([]ward.Point, n)
	for i := range out {
		far := rapid.Float64Range(.1, .5).Draw(r, "far")
		s, c := math.Sincos(turn + 2*math.Pi*float64(i)/float64(n))
		out[i] = ward.Point{X: .5 + far*c, Y: .5 + far*s}
	}
	return out
}

// contains is the even-odd rule: how often a ray to the right meets the border.
func contains(p []ward.Point, x, y float64) bool {
	in := false
	for i, b := range p {
		a := p[(i+len(p)-1)%len(p)]
		if (a.Y > y) != (b.Y > y) && x < a.X+(y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
			in = !in
		}
	}
	return in
}

// The share is that of the points of the box that lie in the polygon, pieces
// of a box add up, and turning the polygon's order round changes nothing.
func TestShareProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		z := ward.Zone{Polygon: star(r)}
		x, y := rapid.Float64Range(0, .7).Draw(r, "x"), rapid.Float64Range(0, .7).Draw(r, "y")
		w, h := rapid.Float64Range(.02, .3).Draw(r, "w"), rapid.Float64Range(.02, .3).Draw(r, "h")
		box := func(x, y, w, h float64) ward.Box {
			return ward.Box{X: float32(x), Y: float32(y), W: float32(w), H: float32(h)}
		}
		got := z.Share(box(x, y, w, h))
		dice, in, throws := rand.New(rand.NewPCG(1, 2)), 0, 4000
		for range throws {
			if contains(z.Polygon, x+w*dice.Float64(), y+h*dice.Float64()) {
				in++
			}
		}
		if counted := float64(in) / float64(throws); math.Abs(got-counted) > .05 {
			r.Fatalf("share %g, by points %g", got, counted)
		}
		left, right := z.Share(box(x, y, w/2, h)), z.Share(box(x+w/2, y, w/2, h))
		if math.Abs(got-(left+right)/2) > 1e-4 {
			r.Fatalf("share %g, of the halves %g and %g", got, left, right)
		}
		if back := (ward.Zone{Polygon: backwards(z.Polygon)}).Share(box(x, y, w, h)); math.Abs(got-back) > 1e-9 {
			r.Fatalf("share %g, backwards %g", got, back)
		}
	})
}

func TestCheckZones(t *testing.T) {
	ok := ward.Zone{Kind: ward.CustomerZone, Polygon: square(.1, .1, .4, .4)}
	with := func(kind ward.ZoneKind, p ...ward.Point) []ward.Zone {
		return []ward.Zone{ok, {Kind: kind, Polygon: p}}
	}
	many := make([]ward.Zone, 13)
	for i := range many {
		many[i] = ok
	}
	for name, c := range map[string]struct {
		zones []ward.Zone
		want  string
	}{
		"none":              {nil, ""},
		"one of each":       {[]ward.Zone{ok, {Kind: ward.StaffZone, Polygon: square(.5, 0, .5, 1)}, {Kind: ward.QueueZone, Polygon: square(0, .5, .5, .5)}}, ""},
		"overlapping":       {[]ward.Zone{ok, ok}, ""},
		"too many":          {many, "zone.many"},
		"unknown kind":      {with("door", square(0, 0, 1, 1)...), "zone.kind"},
		"never drawn":       {with(ward.Elsewhere, square(0, 0, 1, 1)...), "zone.kind"},
		"two points":        {with(ward.StaffZone, ward.Point{}, ward.Point{X: 1, Y: 1}), "zone.points"},
		"33 points":         {with(ward.StaffZone, make([]ward.Point, 33)...), "zone.points"},
		"outside":           {with(ward.StaffZone, square(.5, .5, .6, .1)...), "zone.outside"},
		"not a number":      {with(ward.StaffZone, ward.Point{X: math.NaN()}, ward.Point{X: 1}, ward.Point{X: 1, Y: 1}), "zone.outside"},
		"an hourglass":      {with(ward.StaffZone, ward.Point{}, ward.Point{X: 1, Y: 1}, ward.Point{X: 1}, ward.Point{Y: 1}), "zone.crosses"},
		"a point twice":     {with(ward.StaffZone, ward.Point{}, ward.Point{}, ward.Point{X: 1}, ward.Point{Y: 1}), "zone.crosses"},
		"there and back":    {with(ward.StaffZone, ward.Point{}, ward.Point{X: 1}, ward.Point{X: .5}, ward.Point{Y: 1}), "zone.crosses"},
		"touching itself":   {with(ward.StaffZone, ward.Point{}, ward.Point{X: 1}, ward.Point{X: 1, Y: 1}, ward.Point{X: .5}, ward.Point{Y: 1}), "zone.crosses"},
		"a point on a side": {with(ward.StaffZone, ward.Point{}, ward.Point{X: .5}, ward.Point{X: 1}, ward.Point{X: 1, Y: 1}), ""},
		"a speck":           {with(ward.StaffZone, square(.5, .5, .02, .02)...), "zone.small"},
		"a line":            {with(ward.StaffZone, ward.Point{}, ward.Point{X: .5, Y: .5}, ward.Point{X: 1, Y: 1}), "zone.crosses"},
	} {
		err := ward.CheckZones(c.zones)
		if c.want == "" && err != nil || c.want != "" && !errors.Is(err, &ward.Error{Code: c.want}) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestEveryStarIsAZone(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		if err := ward.CheckZones([]ward.Zone{{Kind: ward.QueueZone, Polygon: star(r)}}); err != nil {
			r.Fatal(err)
		}
	})
}
