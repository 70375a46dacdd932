package analytics_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/analytics"
	"wardwatch/ward"
)

func debouncer() *analytics.Debouncer {
	n := 0
	return &analytics.Debouncer{
		Camera: ward.Camera{ID: "c1", PlaceID: "p1", InstitutionID: "h1"},
		NewID:  func(time.Time) ward.SightingID { n++; return ward.SightingID(fmt.Sprintf("s%04d", n)) },
	}
}

// story is what a camera shows at one moment.
type story struct {
	at   float64
	seen ward.Seen
}

func someone(score float32) ward.Seen {
	return ward.Seen{People: []ward.Person{{Box: ward.Box{X: .4, Y: .1, W: .2, H: .8}, Score: score}}}
}

func faced(x float32, t ward.Template) ward.Seen {
	return ward.Seen{ModelID: "m1", JPEG: fmt.Appendf(nil, "picture at %g", x), Faces: []ward.Face{{
		Box: ward.Box{X: x, Y: .3, W: .2, H: .3}, Score: .9, EyePx: 50, Sharp: 200, Bright: 120, Template: t,
	}}}
}

// run returns the last state of every sighting, by kind in the order of opening.
func run(t testing.TB, pictures []story) map[ward.SightingKind][]analytics.Change {
	t.Helper()
	d := debouncer()
	var order []ward.SightingID
	state := map[ward.SightingID]analytics.Change{}
	take := func(cs []analytics.Change) {
		for _, c := range cs {
			id := c.Sighting.ID
			before, known := state[id]
			if known == (c.Phase == analytics.Opened) || before.Phase == analytics.Closed {
				t.Fatalf("%s is %s after %s", id, c.Phase, before.Phase)
			}
			if !known {
				order = append(order, id)
			}
			state[id] = c
		}
	}
	for _, p := range pictures {
		take(d.Step(p.seen, sec(p.at)))
	}
	take(d.Close())
	out := map[ward.SightingKind][]analytics.Change{}
	for _, id := range order {
		c := state[id]
		if c.Phase != analytics.Closed {
			t.Fatalf("%s is left %s", id, c.Phase)
		}
		out[c.Sighting.Kind] = append(out[c.Sighting.Kind], c)
	}
	return out
}

func expect(t *testing.T, got []analytics.Change, want ...[2]float64) {
	t.Helper()
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && got[i].Sighting.From.Equal(sec(want[i][0])) && got[i].Sighting.To.Equal(sec(want[i][1]))
	}
	if !ok {
		for _, c := range got {
			t.Errorf("got %s from %v to %v", c.Sighting.Kind, c.Sighting.From.Sub(swipe), c.Sighting.To.Sub(swipe))
		}
		t.Errorf("want %v", want)
	}
}

func TestWatchedEndsAtAHole(t *testing.T) {
	got := run(t, []story{{0, ward.Seen{}}, {1, ward.Seen{}}, {6, ward.Seen{}}, {11.5, ward.Seen{}}, {12, ward.Seen{}}})
	expect(t, got[ward.Watched], [2]float64{0, 6}, [2]float64{11.5, 12})
	if n := got[ward.Watched][0].Sighting.Count; n != 3 {
		t.Errorf("%d pictures, want 3", n)
	}
}

func TestALongWatchIsCutWithoutAHole(t *testing.T) {
	var ps []story
	for i := range 3700 {
		ps = append(ps, story{float64(i), ward.Seen{}})
	}
	expect(t, run(t, ps)[ward.Watched], [2]float64{0, 3600}, [2]float64{3600, 3699})
}

func TestPeopleAreHeldOverAMissedPicture(t *testing.T) {
	got := run(t, []story{
		{0, ward.Seen{}}, {1, someone(.4)}, {2, ward.Seen{}}, {3, someone(.36)}, {4, someone(.2)}, {5, ward.Seen{}}, {6, ward.Seen{}}, {7, someone(.5)},
	})
	expect(t, got[ward.PeopleSeen], [2]float64{1, 3}, [2]float64{7, 7})
}

func TestAFaceIsPeopleToo(t *testing.T) {
	expect(t, run(t, []story{{0, faced(.4, nil)}, {1, ward.Seen{}}})[ward.PeopleSeen], [2]float64{0, 0})
}

func TestFacesAreTracked(t *testing.T) {
	a, b := person(1, 1), person(4, 1)
	both := faced(.1, a)
	both.Faces = append(both.Faces, faced(.6, b).Faces...)
	swapped := faced(.6, a)
	swapped.Faces = append(swapped.Faces, faced(.1, b).Faces...)
	got := run(t, []story{{0, faced(.1, a)}, {1, both}, {2, swapped}, {3, faced(.1, b)}, {12, faced(.1, b)}})[ward.FaceSeen]
	expect(t, got, [2]float64{0, 2}, [2]float64{1, 3}, [2]float64{12, 12})
	if c := got[0]; c.Sighting.Template.Cosine(a) < .99 || c.Sighting.Count != 3 || string(c.Shot) != "picture at 0.1" || c.Sighting.ModelID != "m1" {
		t.Errorf("first face: %+v, shot %q", c.Sighting, c.Shot)
	}
	if c := got[1].Sighting; c.Template.Cosine(b) < .99 {
		t.Errorf("second face: %+v", c)
	}
}

// Pictures of the same moment are one to min_pictures; all of them are fused.
func TestPicturesOfAFaceCountBySeconds(t *testing.T) {
	turned := person(1, .6)
	for _, c := range []struct {
		name string
		at   []float64
		want int
	}{
		{"a glance", []float64{0}, 1},
		{"five in one second", []float64{0, .2, .4, .6, .8}, 1},
		{"just far enough apart", []float64{0, .9}, 2},
		{"from the last that counted on", []float64{0, .5, 1, 1.5, 2, 2.5}, 3},
		{"key frames", []float64{0, 2, 4}, 3},
	} {
		var ps []story
		for _, at := range c.at {
			ps = append(ps, story{at, faced(.4, turned)})
		}
		ps[0].seen = faced(.4, person(1, 1))
		got := run(t, ps)[ward.FaceSeen]
		if len(got) != 1 || got[0].Sighting.Count != c.want || len(got[0].Shot) == 0 {
			t.Errorf("%s: %+v, want %d", c.name, got, c.want)
		}
		if len(ps) > 1 && got[0].Sighting.Template.Cosine(person(1, 1)) > .999 {
			t.Errorf("%s: the later pictures are not fused", c.name)
		}
	}
}

func TestOneFaceReplacedByAnotherInTheSameSpot(t *testing.T) {
	a, b := person(1, 1), person(4, 1)
	got := run(t, []story{{0, faced(.4, a)}, {1, faced(.4, a)}, {2, faced(.4, nil)}, {3, faced(.4, b)}, {4, faced(.4, b)}})[ward.FaceSeen]
	if len(got) != 2 || got[0].Sighting.Template.Cosine(a) < .99 || got[1].Sighting.Template.Cosine(b) < .99 {
		t.Fatalf("got %+v", got)
	}
}

func TestAPoorFaceIsASightingWithoutTemplate(t *testing.T) {
	got := run(t, []story{{0, faced(.4, nil)}, {1, faced(.42, nil)}})[ward.FaceSeen]
	expect(t, got, [2]float64{0, 1})
	if c := got[0]; c.Sighting.Count != 0 || len(c.Sighting.Template) != 0 || c.Shot != nil {
		t.Errorf("got %+v", c)
	}
}

func TestAClockSetBackBeginsAnew(t *testing.T) {
	expect(t, run(t, []story{{100, ward.Seen{}}, {99, ward.Seen{}}, {101, ward.Seen{}}, {10, ward.Seen{}}, {11, ward.Seen{}}})[ward.Watched],
		[2]float64{100, 101}, [2]float64{10, 11})
}

// Whatever is shown: everything opened is closed once, watched covers every
// picture, and every picture with somebody lies in a people sighting.
func TestDebounceProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		at := 0.0
		var ps []story
		for range rapid.IntRange(1, 60).Draw(r, "pictures") {
			at += rapid.Float64Range(.2, 8).Draw(r, "pause")
			seen := ward.Seen{ModelID: "m1", JPEG: []byte("x")}
			if rapid.Bool().Draw(r, "person") {
				seen = someone(rapid.Float32Range(.36, 1).Draw(r, "score"))
			}
			for range rapid.IntRange(0, 3).Draw(r, "faces") {
				f := faced(rapid.Float32Range(0, .8).Draw(r, "x"), nil).Faces[0]
				if who := rapid.IntRange(-1, 5).Draw(r, "who"); who >= 0 {
					f.Template = person(2*who, 1)
				}
				seen.Faces = append(seen.Faces, f)
			}
			ps = append(ps, story{at, seen})
		}
		got := run(t, ps)
		for _, p := range ps {
			within := func(kind ward.SightingKind) int {
				n := 0
				for _, c := range got[kind] {
					if !c.Sighting.From.After(sec(p.at)) && !c.Sighting.To.Before(sec(p.at)) {
						n++
					}
				}
				return n
			}
			if within(ward.Watched) != 1 {
				r.Fatalf("picture at %g lies in %d watched stretches", p.at, within(ward.Watched))
			}
			if (len(p.seen.People) > 0 || len(p.seen.Faces) > 0) && within(ward.PeopleSeen) != 1 {
				r.Fatalf("somebody at %g lies in %d people sightings", p.at, within(ward.PeopleSeen))
			}
			if n := within(ward.FaceSeen); n < len(p.seen.Faces) {
				r.Fatalf("%d faces at %g, %d sightings", len(p.seen.Faces), p.at, n)
			}
		}
	})
}
