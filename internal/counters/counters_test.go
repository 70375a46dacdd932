package counters_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"reflect"
	"strings"
	"testing"

	"wardwatch/internal/counters"
	"wardwatch/ward"
)

func TestWilsonIntervals(t *testing.T) {
	for _, c := range []struct {
		n, of     int
		low, high float64
	}{{98, 100, .9300, .9945}, {0, 10, 0, .2775}, {10, 10, .7225, 1}, {1, 2, .0945, .9055}} { // by R's binom.confint
		s := counters.ShareOf(c.n, c.of)
		if math.Abs(s.Low-c.low) > 1e-4 || math.Abs(s.High-c.high) > 1e-4 || s.Rate != float64(c.n)/float64(c.of) {
			t.Errorf("%d of %d: %+v, want %.4f to %.4f", c.n, c.of, s, c.low, c.high)
		}
	}
	if s := counters.ShareOf(0, 0); s.Low != 0 || s.High != 1 {
		t.Errorf("nothing: %+v", s)
	}
}

// people are n enrolled and n strangers.
func people(n int) []counters.Person {
	var out []counters.Person
	for i := range 2 * n {
		p := counters.Person{Card: ward.InsuredID(fmt.Sprintf("p%d", i)), Name: fmt.Sprint("person ", i), Shown: []counters.Face{{File: "a.jpg"}}}
		if i%2 == 0 {
			p.Photo = "b.jpg"
		}
		out = append(out, p)
	}
	return out
}

func TestPlan(t *testing.T) {
	o := counters.Options{Counters: 6, Settlements: 600, Seed: 3, People: people(300)}
	w := counters.Plan(o)
	if !reflect.DeepEqual(w, counters.Plan(o)) {
		t.Error("the same options give another world")
	}
	if len(w.Swipes) < 590 || len(w.Counters) != 6 || len(w.Institutions) != 3 {
		t.Errorf("%d swipes at %d counters of %d institutions", len(w.Swipes), len(w.Counters), len(w.Institutions))
	}
	cases := map[ward.Rule]int{}
	for i, s := range w.Swipes {
		if i > 0 && s.At < w.Swipes[i-1].At || s.At > w.Length {
			t.Fatalf("swipe %d at %v", i, s.At)
		}
		truth := w.Truth(i)
		for rule, is := range truth {
			if is {
				cases[rule]++
			}
		}
		want := map[string]ward.Rule{"empty": ward.NobodyAtCounter, "impostor": ward.FaceMismatch, "travelled": ward.ImpossibleTravel, "power_cut": ward.SettledBlind}[s.Story]
		if want != "" && !truth[want] {
			t.Errorf("swipe %d, %s, is no case of %s", i, s.Story, want)
		}
		honest := strings.Contains("honest unknown relative two_cards", s.Story) // though some have collected cards before
		if honest && (truth[ward.NobodyAtCounter] || truth[ward.FaceMismatch] || truth[ward.SettledBlind]) {
			t.Errorf("swipe %d, %s, is a case: %v", i, s.Story, truth)
		}
	}
	for _, rule := range counters.Rules() {
		if cases[rule] < 3 {
			t.Errorf("%d cases of %s", cases[rule], rule)
		}
	}
	if w := counters.Plan(counters.Options{Counters: 2, Settlements: 60, Seed: 1, People: people(2)}); len(w.Institutions) != 1 {
		t.Error("few people are in several towns")
	}
}

// world is one counter with three people: 0 and 1 are enrolled, 2 is not.
func world(visits []counters.Visit, swipes ...counters.Swipe) *counters.World {
	ps := []counters.Person{{Card: "a", Photo: "x"}, {Card: "b", Photo: "x"}, {Card: "c"}}
	return &counters.World{
		People: ps, Institutions: []counters.Institution{{ID: "h1"}}, Counters: []counters.Counter{{ID: "c1", Visits: visits}}, Swipes: swipes,
	}
}

func visit(who int, from, to float64) counters.Visit {
	return counters.Visit{Who: who, Stretch: counters.Stretch{From: from, To: to}}
}

func TestTruth(t *testing.T) {
	swipe := func(at float64, card ward.InsuredID, who int) counters.Swipe {
		return counters.Swipe{At: at, Card: card, Who: who, Condition: counters.Plain}
	}
	for name, c := range map[string]struct {
		w    *counters.World
		want []ward.Rule // of the last swipe
	}{
		"own card":              {world([]counters.Visit{visit(0, 10, 20)}, swipe(15, "a", 0)), nil},
		"another's":             {world([]counters.Visit{visit(0, 10, 20)}, swipe(15, "b", 0)), []ward.Rule{ward.FaceMismatch}},
		"the owner is by":       {world([]counters.Visit{visit(0, 10, 20), visit(1, 12, 20)}, swipe(15, "b", 0)), nil},
		"the owner has left":    {world([]counters.Visit{visit(1, 0, 8), visit(0, 10, 20)}, swipe(15, "b", 0)), nil},
		"long ago":              {world([]counters.Visit{visit(1, 0, 4), visit(0, 10, 20)}, swipe(15, "b", 0)), []ward.Rule{ward.FaceMismatch}},
		"not enrolled":          {world([]counters.Visit{visit(0, 10, 20)}, swipe(15, "c", 0)), nil},
		"nobody":                {world([]counters.Visit{visit(0, 10, 20)}, swipe(26, "a", -1)), []ward.Rule{ward.NobodyAtCounter}},
		"just left":             {world([]counters.Visit{visit(0, 10, 20)}, swipe(24, "a", -1)), nil},
		"third card":            {world([]counters.Visit{visit(2, 10, 90)}, swipe(20, "x1", 2), swipe(50, "x2", 2), swipe(80, "c", 2)), []ward.Rule{ward.OneFaceManyCards}},
		"third card, used":      {world([]counters.Visit{visit(2, 10, 200)}, swipe(20, "x1", 2), swipe(60, "x2", 2), swipe(100, "c", 2), swipe(150, "x1", 2)), nil},
		"three cards, one face": {world([]counters.Visit{visit(2, 10, 40)}, swipe(15, "x1", 2), swipe(20, "x2", 2), swipe(25, "c", 2)), []ward.Rule{ward.MoreCardsThanFolk, ward.OneFaceManyCards}},
		"three users": {
			world([]counters.Visit{visit(0, 10, 20), visit(1, 30, 40), visit(2, 50, 60)}, swipe(15, "c", 0), swipe(35, "c", 1), swipe(55, "c", 2)), []ward.Rule{ward.OneCardManyFaces},
		},
	} {
		got := c.w.Truth(len(c.w.Swipes) - 1)
		for _, rule := range counters.Rules() {
			want := false
			for _, r := range c.want {
				want = want || r == rule
			}
			if got[rule] != want {
				t.Errorf("%s: %s is %v", name, rule, got[rule])
			}
		}
	}
}

func TestScore(t *testing.T) {
	w := world([]counters.Visit{visit(0, 10, 20), visit(2, 30, 40), visit(0, 50, 60), visit(0, 90, 99)},
		counters.Swipe{At: 15, Card: "b", Who: 0, Condition: counters.Plain, Story: "impostor"},
		counters.Swipe{At: 35, Card: "a", Who: 2, Condition: counters.Plain, Story: "impostor"},
		counters.Swipe{At: 55, Card: "b", Who: 0, Condition: counters.Masked, Story: "impostor"},
		counters.Swipe{At: 75, Card: "b", Who: -1, Condition: counters.Unmanned, Story: "empty"},
		counters.Swipe{At: 95, Card: "a", Who: 0, Condition: counters.Plain, Story: "honest"},
	)
	r := w.Score([]counters.Answer{
		{State: ward.Suspicious, Alerts: []ward.Rule{ward.FaceMismatch}},
		{State: ward.CannotTell, Unclear: map[ward.Rule]string{ward.FaceMismatch: "no_usable_face"}},
		{State: ward.CannotTell, Unclear: map[ward.Rule]string{ward.FaceMismatch: "no_usable_face"}},
		{State: ward.Clear},
		{State: ward.Suspicious, Alerts: []ward.Rule{ward.FaceMismatch}},
	})
	of := map[ward.Rule]counters.RuleScore{}
	for _, s := range r.Rules {
		of[s.Rule] = s
	}
	m := of[ward.FaceMismatch]
	if m.Recall != counters.ShareOf(1, 2) || m.Precision != counters.ShareOf(1, 2) || m.Unsure != 1 || m.Poor != counters.ShareOf(0, 1) || m.False != 1 || m.Honest != 2 {
		t.Errorf("mismatch %+v", m)
	}
	if n := of[ward.NobodyAtCounter]; n.Recall != counters.ShareOf(0, 1) || n.Precision.Of != 0 {
		t.Errorf("nobody %+v", n)
	}
	if len(r.Errors) != 3 || r.Errors[0].Reason != "no_usable_face" || !r.Errors[0].Missed || r.Errors[2].Missed {
		t.Errorf("errors %+v", r.Errors)
	}
	for _, c := range r.Conditions {
		if c.Condition == counters.Masked && c.Unclear != counters.ShareOf(1, 1) {
			t.Errorf("masked %+v", c)
		}
	}
	var text bytes.Buffer
	if err := r.Print(&text); err != nil || !strings.Contains(text.String(), "0.500 [0.095, 0.905] (1/2)") {
		t.Errorf("%v: %s", err, &text)
	}
}

// A man before a blue screen keeps his body and wears the face.
func TestBodyWearsAFace(t *testing.T) {
	still := image.NewRGBA(image.Rect(0, 0, 80, 100))
	for y := range 100 {
		for x := range 80 {
			c := color.RGBA{20, 60, 230, 255}
			if math.Hypot(float64(x-40), float64(y-30)) < 18 || y > 50 {
				c = color.RGBA{120, 100, 90, 255}
			}
			still.SetRGBA(x, y, c)
		}
	}
	face := image.NewRGBA(image.Rect(0, 0, 112, 112))
	for i := range face.Pix {
		face.Pix[i] = 255
	}
	body := counters.NewBody(still, ward.Box{X: .3, Y: .15, W: .4, H: .3})
	middle := func(c counters.Condition) color.RGBA {
		return body.Draw(face, ward.Box{X: .2, Y: .2, W: .6, H: .6}, c, 100).RGBAAt(40, 30)
	}
	if got := middle(counters.Plain); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("the face is %v, want white", got)
	}
	if got := middle(counters.Back); got.R > 80 || got.A != 255 {
		t.Errorf("from behind %v, want dark hair", got)
	}
	out := body.Draw(face, ward.Box{X: .2, Y: .2, W: .6, H: .6}, counters.Plain, 100)
	if got := out.RGBAAt(5, 5); got.A != 0 {
		t.Errorf("the screen is %v, want nothing", got)
	}
	if got := out.RGBAAt(60, 90); got.A != 255 {
		t.Errorf("the body is %v", got)
	}
}
