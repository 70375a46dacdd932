package faces

import (
	"math/rand/v2"
	"slices"
)

const (
	replicates = 1000 // of the bootstrap
	level      = .95  // of its intervals
)

// Group is how good the model is for one group of people: thresholds are
// chosen on the pairs of the calibration half and measured on those of the
// other, each group by itself.
type Group struct {
	Group    string       `json:"group"`  // all, or east_asian
	People   int          `json:"people"` // of the half that is measured
	Images   int          `json:"images"`
	Genuine  uint64       `json:"genuine_pairs"`
	Impostor uint64       `json:"impostor_pairs"`
	Chosen   uint64       `json:"calibration_impostor_pairs"`
	Points   []Calibrated `json:"points"`
}

// Calibrated is one threshold and what it does on people it was not chosen on.
type Calibrated struct {
	Nominal   float64 `json:"nominal_far"`
	For       string  `json:"chosen_for"` // the group whose calibration half it comes from
	Threshold float64 `json:"threshold"`
	TAR       Ratio   `json:"tar"`
	FAR       Ratio   `json:"far"`
	// Few says that the calibration half has under ten impostor pairs above the
	// threshold: it is a guess.
	Few bool `json:"few"`
}

// Ratio is a share of pairs, with its 95 % interval by a bootstrap over people:
// pairs of one person are not independent.
type Ratio struct {
	Rate float64 `json:"rate"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// halves measures every group that has enough people.
func halves(all []enrolled) []Group {
	everybody := func(enrolled) bool { return true }
	group, thresholds := measure("all", all, everybody, nil)
	out := []Group{group}
	east := func(e enrolled) bool { return e.eastAsian }
	people := map[Half]map[int]bool{Calibration: {}, Measured: {}}
	for _, e := range all {
		if east(e) {
			people[e.half][e.person] = true
		}
	}
	if len(people[Calibration]) > 1 && len(people[Measured]) > 1 {
		group, _ = measure("east_asian", all, east, thresholds)
		out = append(out, group)
	}
	return out
}

// measure chooses and measures the thresholds of one group, and measures
// others at it as well.
func measure(name string, all []enrolled, in func(enrolled) bool, others []Calibrated) (g Group, own []Calibrated) {
	var of [2][]enrolled
	people := map[int]bool{}
	for _, e := range all {
		if !in(e) {
			continue
		}
		k := 0
		if e.half == Measured {
			k, people[e.person] = 1, true
		}
		of[k] = append(of[k], e)
	}
	_, chosen := compareAll(of[0])
	g = Group{Group: name, People: len(people), Images: len(of[1]), Chosen: chosen.total()}
	for _, far := range []float64{1e-2, 1e-3, 1e-4} {
		o := operate(&histogram{}, chosen, far)
		own = append(own, Calibrated{Nominal: far, For: name, Threshold: o.Threshold, Few: far*float64(g.Chosen) < 10})
	}
	g.Points = slices.Concat(own, others)
	p := newPairs(of[1], slices.MinFunc(g.Points, func(a, b Calibrated) int {
		if a.Threshold < b.Threshold {
			return -1
		}
		return 1
	}).Threshold)
	g.Genuine, g.Impostor = uint64(len(p.genuine)), p.impostors
	for i := range g.Points {
		c := &g.Points[i]
		c.TAR, c.FAR = p.at(float32(c.Threshold))
	}
	return g, own
}

// pairs are what is needed of all pairs to resample their people.
type pairs struct {
	images    []float64 // by person
	genuine   []pairOf
	accepted  []pairOf // impostors at or above the least threshold
	impostors uint64
}

// pairOf is a pair of pictures of the people a and b.
type pairOf struct {
	a, b   int
	cosine float32
}

func newPairs(es []enrolled, least float64) *pairs {
	p, index := &pairs{}, map[int]int{}
	of := make([]int, len(es))
	for i, e := range es {
		k, ok := index[e.person]
		if !ok {
			k = len(index)
			index[e.person] = k
			p.images = append(p.images, 0)
		}
		p.images[k]++
		of[i] = k
	}
	for i := range es {
		for j := range i {
			v := pairOf{of[i], of[j], es[i].template.Cosine(es[j].template)}
			if v.a == v.b {
				p.genuine = append(p.genuine, v)
				continue
			}
			p.impostors++
			if v.cosine >= float32(least) {
				p.accepted = append(p.accepted, v)
			}
		}
	}
	return p
}

// at returns the true and the false accept rate at a threshold.
func (p *pairs) at(threshold float32) (tar, far Ratio) {
	weights := make([]float64, len(p.images))
	for i := range weights {
		weights[i] = 1
	}
	tar.Rate, far.Rate = p.rates(threshold, weights)
	rng := rand.New(rand.NewPCG(1, 2)) // the same intervals each time
	var tars, fars []float64
	for range replicates {
		clear(weights)
		for range weights {
			weights[rng.IntN(len(weights))]++
		}
		t, f := p.rates(threshold, weights)
		tars, fars = append(tars, t), append(fars, f)
	}
	tar.Low, tar.High = interval(tars)
	far.Low, far.High = interval(fars)
	return tar, far
}

// rates are those with each person counted weights times.
func (p *pairs) rates(threshold float32, weights []float64) (tar, far float64) {
	var right, genuine, wrong, sum, squares float64
	for _, v := range p.genuine {
		genuine += weights[v.a]
		if v.cosine >= threshold {
			right += weights[v.a]
		}
	}
	for _, v := range p.accepted {
		if v.cosine >= threshold {
			wrong += weights[v.a] * weights[v.b]
		}
	}
	for i, n := range p.images {
		sum += n * weights[i]
		squares += n * weights[i] * n * weights[i]
	}
	if impostor := (sum*sum - squares) / 2; impostor > 0 {
		far = wrong / impostor
	}
	if genuine > 0 {
		tar = right / genuine
	}
	return tar, far
}

func interval(v []float64) (low, high float64) {
	slices.Sort(v)
	n := float64(len(v) - 1)
	return v[int(n*(1-level)/2)], v[int(n*(1+level)/2)]
}
