package rounds

import (
	"math"
	"time"

	"wardwatch/ward"
)

// The numbers by which a reflection is told; see colours_test.go for what they cost.
const (
	glowLooks  = 12                     // pictures of the face at least
	glowLagMax = 600 * time.Millisecond // from the receipt to the reflection in a picture that arrives
	glowStep   = 100 * time.Millisecond
	glowFits   = .62 // correlation of what was shown with what was seen, at least
	glowBetter = .01 // share of all sequences that may fit better
	glowOther  = .88 // correlation of another sequence that contradicts
	glowStrong = .02 // log units per full tint that another sequence must show at least
	glowNot    = .35 // correlation of what was shown, at most, to contradict
)

// glow collects how the colour of a face changes against its surroundings:
// what exposure and white balance do to both is divided out.
type glow struct {
	row   []colour
	shown []time.Time // receipts, one for each of row
	at    []time.Time
	tints [][2]float64 // logarithm of red and blue over green, face over surroundings
}

// see takes a picture of the session's one face.
func (g *glow) see(l look, own ward.Template, stranger float32) {
	f, ok := l.face()
	if !ok || f.Light == nil || len(own) > 0 && len(f.Template) > 0 && own.Cosine(f.Template) < stranger {
		return
	}
	var r [3]float64
	for c := range r {
		skin, around := float64(f.Light.Skin[c]), float64(f.Light.Around[c])
		if skin < .5 || around < .25 || skin > 250 { // too dark, or overexposed
			return
		}
		r[c] = math.Log(skin / around)
	}
	g.at, g.tints = append(g.at, l.at), append(g.tints, [2]float64{r[0] - r[1], r[2] - r[1]})
}

// judge fills in the check: what was shown must fit what was seen better
// than all but one in a hundred of the sequences that might have been drawn.
func (g *glow) judge(c *ward.Check) {
	c.Outcome = ward.Unsure
	if len(g.at) < glowLooks || len(g.shown) != len(g.row) {
		c.DetailZH, c.DetailEN = "屏幕变换颜色时，可用的人脸画面太少。", "Too few usable pictures of the face while the screen changed its colours."
		return
	}
	own, best, gain, better := g.compare()
	c.Score = float32(own)
	switch {
	case own >= glowFits && better <= glowBetter:
		c.Outcome = ward.Pass
		c.DetailZH, c.DetailEN = "面部的反光随屏幕颜色变化。", "The light on the face follows the colours of the screen."
	case best >= glowOther && gain >= glowStrong && own <= glowNot:
		c.Outcome = ward.Fail
		c.DetailZH, c.DetailEN = "面部反光明显，但与屏幕显示的颜色顺序不符。", "The face clearly reflects colours, but not those that the screen showed."
	default:
		c.DetailZH, c.DetailEN = "面部未见可辨的屏幕反光（环境太亮、屏幕太远或未对着屏幕）。", "No reflection of the screen can be told on the face (bright room, screen far away or turned aside)."
	}
}

// compare gives the best correlation, over all delays, of what was shown; of
// any sequence, with how strong that one would be; and the share of sequences that fit better than what was shown.
func (g *glow) compare() (own, best, gain, better float64) {
	var tints [allColours][2]float64
	for c := range tints {
		tints[c] = colour(c).tint()
	}
	var lags []fit
	for lag := time.Duration(0); lag <= glowLagMax; lag += glowStep {
		lags = append(lags, g.delayed(lag))
	}
	over := func(row []colour) (most, strong float64) {
		most = -1
		for i := range lags {
			if r, k := lags[i].of(row, &tints); r > most {
				most, strong = r, k
			}
		}
		return most, strong
	}
	own, _ = over(g.row)
	n, above := 0, 0
	eachRow(make([]colour, len(g.row)), 0, func(row []colour) {
		r, k := over(row)
		n++
		if r > own {
			above++
		}
		if r > best {
			best, gain = r, k
		}
	})
	return own, best, gain, float64(above) / float64(n)
}

// eachRow calls f with every sequence in which no two colours in a row are alike.
func eachRow(row []colour, i int, f func([]colour)) {
	if i == len(row) {
		f(row)
		return
	}
	for c := range colour(allColours) {
		if i == 0 || row[i-1] != c {
			row[i] = c
			eachRow(row, i+1, f)
		}
	}
}

// fit holds what any sequence's correlation at one delay follows from: the
// pictures' tints against each step, and the steps against each other, all
// without their mean and their slow drift.
type fit struct {
	with  [][2]float64 // tints with each step
	steps [][]float64  // each step with each
	norm  float64      // of the tints
}

// delayed prepares the comparison at a delay.
func (g *glow) delayed(lag time.Duration) fit {
	n := len(g.at)
	t := make([]float64, n)
	for i, at := range g.at {
		t[i] = at.Sub(g.at[0]).Seconds()
	}
	var x [2][]float64
	f := fit{with: make([][2]float64, len(g.row)), steps: make([][]float64, len(g.row))}
	for a := range x {
		x[a] = make([]float64, n)
		for i := range x[a] {
			x[a][i] = g.tints[i][a]
		}
		x[a] = level(t, x[a])
		f.norm += dot(x[a], x[a])
	}
	f.norm = math.Sqrt(f.norm)
	on := make([][]float64, len(g.row))
	for k := range on {
		on[k] = make([]float64, n)
		for i, at := range g.at {
			if !at.Before(g.shown[k].Add(lag)) && (k+1 == len(g.shown) || at.Before(g.shown[k+1].Add(lag))) {
				on[k][i] = 1
			}
		}
		on[k] = level(t, on[k])
		f.with[k] = [2]float64{dot(x[0], on[k]), dot(x[1], on[k])}
	}
	for k := range on {
		f.steps[k] = make([]float64, len(on))
		for j := range on {
			f.steps[k][j] = dot(on[k], on[j])
		}
	}
	return f
}

// of is the correlation of a sequence with the pictures, and how strong its tints would be.
func (f *fit) of(row []colour, tints *[allColours][2]float64) (r, gain float64) {
	var with, norm float64
	for k, c := range row {
		a := tints[c]
		with += a[0]*f.with[k][0] + a[1]*f.with[k][1]
		for j, d := range row {
			b := tints[d]
			norm += f.steps[k][j] * (a[0]*b[0] + a[1]*b[1])
		}
	}
	if norm < 1e-9 || f.norm < 1e-9 {
		return 0, 0
	}
	return with / (math.Sqrt(norm) * f.norm), with / norm
}

// level is y without its straight line over t.
func level(t, y []float64) []float64 {
	n := float64(len(t))
	var mt, my, tt, ty float64
	for i := range t {
		mt, my = mt+t[i]/n, my+y[i]/n
	}
	for i := range t {
		tt, ty = tt+(t[i]-mt)*(t[i]-mt), ty+(t[i]-mt)*(y[i]-my)
	}
	slope := 0.0
	if tt > 0 {
		slope = ty / tt
	}
	out := make([]float64, len(y))
	for i := range y {
		out[i] = y[i] - my - slope*(t[i]-mt)
	}
	return out
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
