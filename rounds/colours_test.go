package rounds

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/ward"
)

// room is a simulated bedside: how much of the light on a face the screen is,
// and what else changes a picture's colours.
type room struct {
	screen float64 // light of a white screen on the face over the rest
	noise  float64 // of one picture, logarithm
	drift  float64 // of what changes slowly: the head moves, people pass
	every  time.Duration
}

// simulated plays a sequence on the screen of a room and collects what the
// pictures show; none is reflected when reflected is nil.
func (m room) simulated(r *rand.Rand, row, reflected []colour) *glow {
	g := &glow{row: row}
	ambient := [3]float64{.6 + r.Float64(), 1, .4 + r.Float64()} // from a tungsten lamp to a window
	skin, wall := [3]float64{.5, .33, .25}, [3]float64{.4 + r.Float64()*.3, .5, .4 + r.Float64()*.3}
	lag := time.Duration(50+r.IntN(400)) * time.Millisecond
	for at := t0.Add(colourRest); len(g.shown) < len(row); at = at.Add(colourHeld + time.Duration(10+r.IntN(60))*time.Millisecond) {
		g.shown = append(g.shown, at)
	}
	var slow [3]float64
	exposure, keep := 0.0, math.Exp(-m.every.Seconds()/.7)
	balance := [3]float64{}
	for at := t0; at.Before(g.shown[len(row)-1].Add(colourHeld + colourTail)); at = at.Add(m.every + time.Duration(r.IntN(20))*time.Millisecond) {
		shown := white.screen().light
		for i, s := range g.shown {
			if at.Sub(s) > lag && reflected != nil {
				shown = reflected[i].screen().light
			}
		}
		exposure += .03 * r.NormFloat64()
		var l ward.Light
		for c := range 3 {
			balance[c] += .01 * r.NormFloat64()
			slow[c] = keep*slow[c] + math.Sqrt(1-keep*keep)*m.drift*r.NormFloat64()
			of := 60 * math.Exp(exposure+balance[c])
			on := ambient[c]
			if reflected != nil {
				on += m.screen * shown[c]
			}
			l.Skin[c] = float32(of * skin[c] * on * math.Exp(slow[c]+m.noise*r.NormFloat64()))
			l.Around[c] = float32(of * wall[c] * (ambient[c] + .1*m.screen*shown[c]) * math.Exp(.3*m.noise*r.NormFloat64()))
		}
		g.see(look{at: at, seen: ward.Seen{Faces: []ward.Face{{Light: &l}}}}, nil, 0)
	}
	return g
}

func (g *glow) outcome() ward.Outcome {
	var c ward.Check
	g.judge(&c)
	return c.Outcome
}

// TestColoursSimulated plays genuine bedsides, a film that reflects nothing,
// and a film that reflects another visit's colours, all simulated.
// `go test ./rounds -run TestColoursSimulated -v` prints the rates of DESIGN.md.
func TestColoursSimulated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := func() []colour { return newLots(fmt.Append(nil, r.Uint64())).colours() }
	const visits = 100
	rate := func(name string, m room, reflected func(row []colour) []colour) map[ward.Outcome]int {
		n := map[ward.Outcome]int{}
		for range visits {
			row := draw()
			n[m.simulated(r, row, reflected(row)).outcome()]++
		}
		t.Logf("%-46s pass %3d, unsure %3d, fail %3d of %d", name, n[ward.Pass], n[ward.Unsure], n[ward.Fail], visits)
		return n
	}
	same := func(row []colour) []colour { return row }
	none := func([]colour) []colour { return nil }
	other := func([]colour) []colour { return draw() }
	for _, noise := range []float64{.003, .01} {
		for _, screen := range []float64{.01, .02, .05, .1} {
			m := room{screen, noise, noise, lookEvery}
			n := rate(fmt.Sprintf("genuine, screen %g of the light, noise %g", screen, noise), m, same)
			if n[ward.Fail] > 0 || screen >= 10*noise && n[ward.Pass] < visits*9/10 {
				t.Errorf("genuine: %v", n)
			}
		}
		n := rate(fmt.Sprintf("film without reflection, noise %g", noise), room{0, noise, noise, lookEvery}, none)
		if n[ward.Pass] > visits/20 || n[ward.Fail] > 1 {
			t.Errorf("no reflection: %v", n)
		}
		for _, screen := range []float64{.05, .1} {
			n = rate(fmt.Sprintf("another visit's colours, screen %g, noise %g", screen, noise), room{screen, noise, noise, lookEvery}, other)
			if n[ward.Pass] > visits/20 {
				t.Errorf("another sequence: %v", n)
			}
		}
	}
	rate("genuine on a busy server, screen 0.05, noise 0.003", room{.05, .003, .003, 300 * time.Millisecond}, same)
}

// A face that is hidden, dark, overexposed or somebody else's is not measured.
func TestColoursTakeTheFace(t *testing.T) {
	ok := ward.Light{Skin: ward.RGB{60, 40, 30}, Around: ward.RGB{50, 50, 50}}
	dark, glaring := ok, ok
	dark.Skin[2], glaring.Skin[0] = .1, 254
	me, other := ward.Template{1, 0}, ward.Template{0, 1}
	var g glow
	for _, l := range []look{
		{seen: ward.Seen{}},
		{seen: ward.Seen{Faces: []ward.Face{{}}}},
		{seen: ward.Seen{Faces: []ward.Face{{Light: &ok}, {Light: &ok}}}},
		{seen: ward.Seen{Faces: []ward.Face{{Light: &dark}}}},
		{seen: ward.Seen{Faces: []ward.Face{{Light: &glaring}}}},
		{seen: ward.Seen{Faces: []ward.Face{{Light: &ok, Template: other}}}},
		{seen: ward.Seen{Faces: []ward.Face{{Light: &ok}}}, frozen: true},
	} {
		g.see(l, me, .4)
	}
	if len(g.at) != 0 {
		t.Fatalf("%d pictures taken", len(g.at))
	}
	g.see(look{seen: ward.Seen{Faces: []ward.Face{{Light: &ok, Template: me}}}}, me, .4)
	if len(g.at) != 1 || g.outcome() != ward.Unsure {
		t.Errorf("%d pictures, %s", len(g.at), g.outcome())
	}
}

// No two colours are alike in a row, more than two are shown, and they follow from the nonce.
func TestColoursDrawn(t *testing.T) {
	a, b := newLots([]byte("a nonce")), newLots([]byte("a nonce"))
	seen := map[string]bool{}
	for range 300 {
		row := a.colours()
		if fmt.Sprint(row) != fmt.Sprint(b.colours()) || len(row) != coloursShown {
			t.Fatalf("%v", row)
		}
		kinds := map[colour]bool{row[0]: true}
		for i, c := range row[1:] {
			if kinds[c] = true; c == row[i] {
				t.Fatalf("twice in a row: %v", row)
			}
		}
		if len(kinds) < 3 {
			t.Fatalf("only two: %v", row)
		}
		seen[fmt.Sprint(row)] = true
	}
	if len(seen) < 200 {
		t.Errorf("%d different of 300", len(seen))
	}
	for c := range colour(allColours) { // WCAG 2.3.1: none is a saturated red
		if l := c.screen().light; l[0]/(l[0]+l[1]+l[2]) >= .8 {
			t.Errorf("%s is a saturated red", c.screen().command)
		}
	}
}

// The colours are shown unless the policy, the bedside or a failed live check
// says otherwise; what was decided once stands, also in a replay.
func TestColoursAreSpared(t *testing.T) {
	passed, failed := ward.Check{Outcome: ward.Pass}, ward.Check{Outcome: ward.Fail}
	off := ward.CheckPolicy{Checks: map[ward.CheckKind]ward.Need{ward.CheckColours: ward.Off}}
	for want, s := range map[coloursWhy]*session{
		coloursAsked: {}, coloursOff: {policy: off}, coloursSpared: {}, coloursNever: {played: &playback{}, policy: off},
	} {
		if want == coloursSpared && !s.hear([]byte(`{"state":"here","spare_colours":true}`)) {
			t.Error("the wish is not understood")
		}
		if s.whyColours(passed) != want {
			t.Errorf("%q, want %q", s.whyColours(passed), want)
		}
	}
	if s := (&session{}); s.whyColours(failed) != coloursVain {
		t.Errorf("%q after a failed live check", s.whyColours(failed))
	}
	if s := (&session{policy: off, colours: coloursAsked}); s.whyColours(passed) != coloursAsked {
		t.Error("decided twice")
	}
	for _, w := range []coloursWhy{coloursOff, coloursSpared, coloursVain} {
		if zh, en := w.words(); zh == "" || en == "" {
			t.Errorf("%q has no words", w)
		}
	}
}
