package analytics_test

import (
	"testing"

	"wardwatch/analytics"
	"wardwatch/ward"
)

// How many different people can have been at the counter, card against card.
func TestHowManyPeopleCanHaveBeenThere(t *testing.T) {
	cards := func(n int) []card { // n cards in 30 s, with the one that is judged
		var out []card
		for i := range n - 1 {
			out = append(out, card{-30 + 30*float64(i)/float64(n-1), ward.InsuredID(rune('a' + i)), -1})
		}
		return out
	}
	day := watched(-60, 10)
	on := func(cam ward.CameraID, vs ...ward.Sighting) []ward.Sighting {
		for i := range vs {
			vs[i].CameraID, vs[i].ID = cam, vs[i].ID+"/"+ward.SightingID(cam)
		}
		return vs
	}
	poor := func(from, to float64) ward.Sighting {
		return with(face(0, from, to), func(v *ward.Sighting) { v.Count, v.ModelID, v.Template = 0, "", nil })
	}
	for _, c := range []struct {
		name string
		cams []ward.CameraID
		seen []ward.Sighting
		most int // cards that so many people can explain
	}{
		{"one face all the time", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, 4)}, 1},
		{"the same face twice", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), face(1, -16, 4)}, 1},
		{"two who are alike, not certainly one", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), with(face(1, -16, 4), func(v *ward.Sighting) { v.Template = person(1, .4) })}, 2},
		{"linked by the face between", one, []ward.Sighting{
			day, crowd(1, -36, 5), face(1, -35, -25), face(2, -12, 4), with(face(1, -24, -13), func(v *ward.Sighting) { v.Template = person(1, .5) }),
		}, 1},
		{"one after another", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), face(3, -16, 4)}, 2},
		{"a face that cannot be compared", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), poor(-16, 4)}, 1 + 2},
		{"one that cannot be compared while somebody comes", one, []ward.Sighting{day, crowd(1, -36, 5), poor(-36, -35.5), face(1, -35, 4)}, 1},
		{"alone from behind for 3 s", one, []ward.Sighting{day, crowd(1, -36, -12), face(1, -35, -12), crowd(1, -1, 5)}, 2},
		{"a flicker for 1 s", one, []ward.Sighting{day, crowd(1, -36, -12), face(1, -35, -12), crowd(1, -8, -7), crowd(1, -2, 5), face(1, -2, 5)}, 1},
		{"a face of another model", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), with(face(1, -16, 4), func(v *ward.Sighting) { v.ModelID = "m2" })}, 2},
		{"a face in the queue", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, 4), with(face(3, -35, 4), inZone(ward.QueueZone))}, 1},
		{"turned away for less than 5 s", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), face(1, -13.5, 4)}, 1},
		{"turned away for 6 s: another can have come", one, []ward.Sighting{day, crowd(1, -36, 5), face(1, -35, -18), face(1, -12, 4)}, 2},
		{"from behind for 30 s: three in turn", one, []ward.Sighting{day, crowd(1, -36, 5)}, 3},
		{"from behind, going and coming", one, []ward.Sighting{day, crowd(1, -36, -20), crowd(1, -15, 5)}, 3},
		{"company without a face", one, []ward.Sighting{day, crowd(2, -36, 5), face(1, -35, 4)}, 1 + 3},
		{"two from behind", one, []ward.Sighting{day, crowd(2, -36, 5)}, 3 + 1},
		{"two cameras, one face", []ward.CameraID{"c1", "c2"}, append([]ward.Sighting{day, crowd(1, -36, 5), face(1, -35, 4)}, on("c2", watched(-50, 10), crowd(1, -36, 5), face(1, -34, 4))...), 1},
		{"two cameras, seen by one from behind", []ward.CameraID{"c1", "c2"}, append([]ward.Sighting{day, crowd(1, -36, 5), face(1, -35, 4)}, on("c2", watched(-50, 10), crowd(1, -36, 5))...), 1 + 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			for n, want := range map[int]analytics.Outcome{max(c.most, 2): analytics.Fine, max(c.most+1, 3): analytics.Fired} {
				f := finding(t, ward.MoreCardsThanFolk, ward.Settlement{ID: "z", InsuredID: "z", At: swipe}, analytics.Window{Cameras: c.cams, Sightings: c.seen, AtPlace: uses(cards(n))})
				if f.Outcome != want {
					t.Errorf("%d cards: got %s %q %s, want %s", n, f.Outcome, f.Reason, f.EN, want)
				}
			}
		})
	}
	f := finding(t, ward.MoreCardsThanFolk, ward.Settlement{ID: "z", InsuredID: "z", At: swipe}, analytics.Window{Cameras: one, Sightings: []ward.Sighting{day, crowd(1, -36, -4), face(1, -35, -4)}, AtPlace: uses(cards(4))})
	if f.Outcome != analytics.NotApplicable || f.Reason != "nobody" {
		t.Errorf("nobody is there at the swipe: %s %q", f.Outcome, f.Reason)
	}
}
