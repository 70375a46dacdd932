package analytics_test

import (
	"cmp"
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"wardwatch/ward"
)

// tale is what happened at two institutions, 286 km apart, and what billing
// said of it, each with the second at which it came to us.
type tale struct {
	seen    []arrival[[]ward.Sighting]
	reports []arrival[billed]
	end     float64 // nothing comes after it
	no      int     // settlements
}

// billed is what billing says of the settlement no.
type billed struct {
	no       int
	revision int
	at       float64
	who      ward.InsuredID
	place    ward.PlaceID
	inst     ward.InstitutionID
	reversed bool
}

// arrival is something that comes at a second of the tale.
type arrival[T any] struct {
	at   float64
	what T
}

// counters are the places of a tale.
var counters = []struct {
	place   ward.PlaceID
	inst    ward.InstitutionID
	cameras []ward.CameraID
}{{"p1", "h1", []ward.CameraID{"c1", "c2"}}, {"q1", "h2", []ward.CameraID{"d1"}}}

// drawTale draws a tale: people come to the counters one after the other, or
// nobody does, cards are swiped, and billing reports that in time or late, once
// or again, corrects it and takes it back. What a camera saw comes every
// 10 s together with that it was looking, in the camera's order, within 5 s.
func drawTale(r *rapid.T) tale {
	var s tale
	watching, last, upTo := map[ward.CameraID]bool{}, map[ward.CameraID]float64{}, map[ward.CameraID]float64{}
	look := func(cam ward.CameraID, place ward.PlaceID, inst ward.InstitutionID, to, slow float64, seen ...ward.Sighting) {
		for upTo[cam] < to && watching[cam] {
			end := min(to, upTo[cam]+10)
			vs := append([]ward.Sighting{watched(upTo[cam], end)}, seen...)
			for i := range vs {
				vs[i].CameraID, vs[i].PlaceID, vs[i].InstitutionID = cam, place, inst
			}
			last[cam] = max(last[cam], end+slow)
			s.seen = append(s.seen, arrival[[]ward.Sighting]{last[cam], vs})
			upTo[cam] = end
		}
	}
	for _, c := range counters {
		for _, cam := range c.cameras {
			watching[cam] = rapid.IntRange(0, 4).Draw(r, "watching") > 0
		}
	}
	s.no = rapid.IntRange(1, 6).Draw(r, "swipes")
	at := 60.0
	for no := range s.no {
		at += rapid.Float64Range(16, 45).Draw(r, "pause")
		c := counters[rapid.IntRange(0, 1).Draw(r, "counter")]
		present, who := rapid.Bool().Draw(r, "present"), 2*rapid.IntRange(0, 3).Draw(r, "person")
		for _, cam := range c.cameras {
			slow := rapid.Float64Range(0, 5).Draw(r, "slow")
			look(cam, c.place, c.inst, at-4, slow)
			if present {
				look(cam, c.place, c.inst, at+6, slow, people(at-4, at+4), face(who, at-4, at+4))
			} else {
				look(cam, c.place, c.inst, at+6, slow)
			}
		}
		s.bill(r, no, at, c.place, c.inst)
	}
	for _, v := range s.reports {
		s.end = max(s.end, v.at)
	}
	for _, c := range counters {
		for _, cam := range c.cameras {
			look(cam, c.place, c.inst, at+40, 0) // all that a corrected moment needs
		}
	}
	s.end = max(s.end, at+50)
	return s
}

// bill draws what billing says of a settlement and when.
func (s *tale) bill(r *rapid.T, no int, at float64, place ward.PlaceID, inst ward.InstitutionID) {
	card := func() ward.InsuredID { return ward.InsuredID(fmt.Sprintf("i%d", rapid.IntRange(0, 4).Draw(r, "card"))) }
	say := func(v billed, earliest float64) {
		late := rapid.Float64Range(0, 3).Draw(r, "in time")
		if rapid.IntRange(0, 2).Draw(r, "late") == 0 {
			late = rapid.Float64Range(30, 900).Draw(r, "hours later")
		}
		s.reports = append(s.reports, arrival[billed]{max(at, earliest) + late, v})
	}
	v := billed{no: no, at: at, who: card(), place: place, inst: inst}
	say(v, 0)
	for revision := range rapid.IntRange(0, 2).Draw(r, "more") {
		switch rapid.IntRange(0, 3).Draw(r, "fate") {
		case 0: // again
		case 1:
			v.revision, v.at = revision+1, at+rapid.Float64Range(-20, 20).Draw(r, "moved")
		case 2:
			v.revision, v.who = revision+1, card()
		case 3:
			v.reversed = true
		}
		say(v, v.at)
	}
}

// event is something that happens to the service: what comes, a look at what
// is due, or a restart.
type event struct {
	at   float64
	does func()
	kind happening
}

// happening is what an event is.
type happening int

const (
	comes happening = iota // may come while a look is under way
	looks
	restarts
)

// happenings draws in which order a tale comes: by its own times, mixed
// with passes and restarts at random moments.
func (s *tale) happenings(r *rapid.T, w *whole) []event {
	var all []event
	for _, v := range s.seen {
		all = append(all, event{v.at, func() { w.saw(v.what) }, comes})
	}
	for _, v := range s.reports {
		all = append(all, event{v.at, func() { w.report(v.what) }, comes})
	}
	for range rapid.IntRange(0, 30).Draw(r, "passes") {
		at := rapid.Float64Range(60, s.end).Draw(r, "pass")
		all = append(all, event{at, func() { w.pass(at) }, looks})
	}
	for range rapid.IntRange(0, 3).Draw(r, "restarts") {
		all = append(all, event{rapid.Float64Range(60, s.end).Draw(r, "restart"), w.restart, restarts})
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return all
}
