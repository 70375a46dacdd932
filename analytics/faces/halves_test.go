package faces

import (
	"math"
	"math/rand/v2"
	"testing"

	"wardwatch/ward"
)

// crowd makes people with three pictures each; every fourth belongs to a
// group whose faces are more alike.
func crowd(n int) []enrolled {
	rng := rand.New(rand.NewPCG(7, 7))
	random := func(spread float64) ward.Template {
		v := make(ward.Template, 64)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * spread)
		}
		return v
	}
	var out []enrolled
	for p := range n {
		own, east := random(1), p%4 == 0
		for range 3 {
			v := random(.35)
			for i := range v {
				v[i] += own[i]
			}
			if east {
				v[0] += 5
			}
			half := Calibration
			if p/4%2 == 1 {
				half = Measured
			}
			out = append(out, enrolled{person: p, half: half, eastAsian: east, template: ward.Fuse([]ward.Template{v})})
		}
	}
	return out
}

func TestEachGroupHasItsOwnThreshold(t *testing.T) {
	groups := halves(crowd(320))
	if len(groups) != 2 || groups[0].Group != "all" || groups[1].Group != "east_asian" {
		t.Fatalf("groups %+v", groups)
	}
	all, east := groups[0], groups[1]
	if all.People != 160 || all.Images != 480 || all.Genuine != 480 || all.Impostor != 480*479/2-480 || east.People != 40 || east.Impostor != 120*119/2-120 {
		t.Errorf("all %+v, east %+v", all, east)
	}
	if len(all.Points) != 3 || len(east.Points) != 6 || east.Points[4].For != "all" || east.Points[4].Threshold != all.Points[1].Threshold {
		t.Fatalf("points %+v and %+v", all.Points, east.Points)
	}
	own, common := east.Points[1], east.Points[4]
	if own.Threshold <= common.Threshold+.05 || common.FAR.Rate < 3*own.Nominal || own.FAR.Rate > 3*own.Nominal {
		t.Errorf("the group's own threshold %+v, the common one %+v", own, common)
	}
	if all.Points[1].Few || !east.Points[2].Few {
		t.Errorf("few: %+v and %+v", all.Points[1], east.Points[2])
	}
	for _, p := range append(all.Points, east.Points...) {
		for _, r := range []Ratio{p.TAR, p.FAR} {
			if r.Low > r.Rate || r.High < r.Rate || math.IsNaN(r.Low+r.High) {
				t.Errorf("interval %+v of %+v", r, p)
			}
		}
	}
}

// A person with many pictures makes the interval wide, however many pairs he gives.
func TestIntervalsAreOfPeople(t *testing.T) {
	var es []enrolled
	for p := range 10 {
		n := 2
		if p == 0 {
			n = 20 // 190 of the 199 pairs, none of them alike
		}
		for i := range n {
			v := make(ward.Template, 40)
			v[p] = 1
			if p == 0 {
				v[0], v[10+i] = 0, 1
			}
			es = append(es, enrolled{person: p, template: v})
		}
	}
	tar, _ := newPairs(es, .5).at(.5)
	if math.Abs(tar.Rate-9./199) > 1e-9 || tar.Low > .03 || tar.High < .99 {
		t.Errorf("TAR %+v, want 9 of 199 and an interval up to 1: without the one person all is right", tar)
	}
}

func TestHalvesAreOfPeople(t *testing.T) {
	n := 0
	for i := range 1000 {
		if HalfOf(string(rune('a'+i%26))+string(rune('a'+i/26))) == Measured {
			n++
		}
	}
	if n < 440 || n > 560 {
		t.Errorf("%d of 1000 are in one half", n)
	}
}
