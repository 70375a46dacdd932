package analytics_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/analytics"
	"wardwatch/ward"
)

func zone(kind ward.ZoneKind, x, y, w, h float64) ward.Zone {
	return ward.Zone{Kind: kind, Polygon: []ward.Point{{X: x, Y: y}, {X: x + w, Y: y}, {X: x + w, Y: y + h}, {X: x, Y: y + h}}}
}

// A counter seen from the side: customers left, staff right, the queue below.
var counterZones = []ward.Zone{zone(ward.CustomerZone, 0, 0, .5, .6), zone(ward.StaffZone, .6, 0, .4, 1), zone(ward.QueueZone, 0, .6, .5, .4)}

func body(x, y, w, h float32) ward.Person {
	return ward.Person{Box: ward.Box{X: x, Y: y, W: w, H: h}, Score: .6}
}

func head(x, y float32) ward.Face {
	f := faced(x, nil).Faces[0]
	f.Box = ward.Box{X: x, Y: y, W: .05, H: .08}
	return f
}

var (
	customer = body(.1, .1, .15, .45)
	clerk    = body(.7, .1, .15, .6)
	waiting  = body(.2, .65, .15, .35)
	passing  = body(.51, .1, .08, .3)
)

func TestPeopleAreCountedInTheirZones(t *testing.T) {
	for _, c := range []struct {
		name                 string
		zones                []ward.Zone
		seen                 ward.Seen
		people, staff, queue int
	}{
		{"no zones: everybody", nil, ward.Seen{People: []ward.Person{customer, clerk, waiting}}, 3, 0, 0},
		{"one in each", counterZones, ward.Seen{People: []ward.Person{customer, clerk, waiting, passing}}, 1, 1, 1},
		{"only the clerk", counterZones, ward.Seen{People: []ward.Person{clerk}}, 0, 1, 0},
		{"only somebody passing", counterZones, ward.Seen{People: []ward.Person{passing}}, 0, 0, 0},
		{"three wait", counterZones, ward.Seen{People: []ward.Person{waiting, body(.3, .7, .1, .3), body(0, .7, .1, .3)}}, 0, 0, 3},
		{"too unsure", counterZones, ward.Seen{People: []ward.Person{{Box: customer.Box, Score: .3}}}, 0, 0, 0},
		{"a face without a body", counterZones, ward.Seen{Faces: []ward.Face{head(.2, .2)}}, 1, 0, 0},
		{"a face of a body is one person", counterZones, ward.Seen{People: []ward.Person{customer}, Faces: []ward.Face{head(.15, .12)}}, 1, 0, 0},
		{"two faces, one body found", counterZones, ward.Seen{People: []ward.Person{customer}, Faces: []ward.Face{head(.15, .12), head(.35, .1)}}, 2, 0, 0},
		// The clerk leans over the counter: the face is among the customers, the body is not.
		{"a face goes with its body", counterZones, ward.Seen{People: []ward.Person{body(.45, .1, .4, .6)}, Faces: []ward.Face{head(.46, .2)}}, 0, 1, 0},
		// The customer stands back: what more lies in the queue makes nobody of him. A clerk who leans over stays staff.
		{"more of the customer in the queue", counterZones, ward.Seen{People: []ward.Person{body(.2, .46, .15, .4)}}, 1, 0, 0},
		{"more at the staff's", counterZones, ward.Seen{People: []ward.Person{body(.36, .1, .4, .4)}}, 0, 1, 0},
		{"the queue drawn first", []ward.Zone{counterZones[2], counterZones[1], counterZones[0]}, ward.Seen{People: []ward.Person{body(.2, .46, .15, .4), body(.36, .1, .4, .4)}}, 1, 1, 0},
		{"less than a quarter of who waits", counterZones, ward.Seen{People: []ward.Person{body(.2, .52, .15, .4)}}, 0, 0, 1},
		{"a quarter inside counts", counterZones, ward.Seen{People: []ward.Person{body(.44, .1, .16, .3)}}, 1, 0, 0},
		{"less does not", counterZones, ward.Seen{People: []ward.Person{body(.47, .1, .13, .3)}}, 0, 0, 0},
		{"no customers' zone: all but the staff", counterZones[1:], ward.Seen{People: []ward.Person{customer, clerk, waiting, passing}}, 3, 1, 1},
		{"only a customers' zone", counterZones[:1], ward.Seen{People: []ward.Person{customer, clerk, waiting, passing}}, 1, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := debouncer()
			d.Zones = c.zones
			got := map[ward.SightingKind]int{}
			for _, ch := range d.Step(c.seen, sec(0)) {
				got[ch.Sighting.Kind] = ch.Sighting.Count
			}
			if got[ward.PeopleSeen] != c.people || got[ward.StaffSeen] != c.staff || got[ward.QueueSeen] != c.queue {
				t.Errorf("people %d, staff %d, queue %d; want %d, %d, %d", got[ward.PeopleSeen], got[ward.StaffSeen], got[ward.QueueSeen], c.people, c.staff, c.queue)
			}
		})
	}
}

// How long the queue was is told for every minute.
func TestTheQueueIsToldByTheMinute(t *testing.T) {
	d := debouncer()
	d.Zones = counterZones
	got := map[ward.SightingID]ward.Sighting{}
	var order []ward.SightingID
	for n := range 150 {
		seen := ward.Seen{People: []ward.Person{waiting}}
		if n >= 60 && n < 90 {
			seen.People = append(seen.People, body(.3, .7, .1, .3), body(0, .7, .1, .3))
		}
		for _, c := range d.Step(seen, sec(float64(n))) {
			if c.Sighting.Kind == ward.QueueSeen {
				if _, ok := got[c.Sighting.ID]; !ok {
					order = append(order, c.Sighting.ID)
				}
				got[c.Sighting.ID] = c.Sighting
			}
		}
	}
	var counts []int
	for _, id := range order {
		if v := got[id]; v.To.Sub(v.From) >= time.Minute {
			t.Errorf("from %v to %v", v.From.Sub(swipe), v.To.Sub(swipe))
		}
		counts = append(counts, got[id].Count)
	}
	if !slices.Equal(counts, []int{1, 3, 1}) {
		t.Errorf("waiting, by the minute: %v", counts)
	}
}

// Wherever people are, each is counted in at most one zone, and drawing zones
// never makes customers of more people than there were without.
func TestZonesNeverAddPeople(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var seen ward.Seen
		for range rapid.IntRange(0, 6).Draw(r, "people") {
			f := func(name string, most float32) float32 { return rapid.Float32Range(.02, most).Draw(r, name) }
			seen.People = append(seen.People, body(f("x", .7), f("y", .7), f("w", .3), f("h", .3)))
		}
		count := func(zones []ward.Zone) map[ward.SightingKind]int {
			d, got := debouncer(), map[ward.SightingKind]int{}
			d.Zones = zones
			for _, ch := range d.Step(seen, sec(0)) {
				got[ch.Sighting.Kind] = ch.Sighting.Count
			}
			return got
		}
		got := count(counterZones)
		if n := got[ward.PeopleSeen] + got[ward.StaffSeen] + got[ward.QueueSeen]; n > len(seen.People) {
			r.Fatalf("%d of %d people", n, len(seen.People))
		}
		if n := count(nil)[ward.PeopleSeen]; n != len(seen.People) {
			r.Fatalf("without zones %d of %d", n, len(seen.People))
		}
	})
}

func TestAFaceIsWhereItCameNearest(t *testing.T) {
	track := func(zones []ward.Zone, at ...ward.Box) ward.ZoneKind {
		d := debouncer()
		d.Zones = zones
		var last ward.Sighting
		for i, b := range at {
			f := faced(.4, person(1, 1)).Faces[0]
			f.Box = b
			for _, c := range d.Step(ward.Seen{ModelID: "m1", Faces: []ward.Face{f}}, sec(float64(i))) {
				if c.Sighting.Kind == ward.FaceSeen {
					last = c.Sighting
				}
			}
		}
		return last.Zone
	}
	front, behind, line, nowhere := head(.2, .2).Box, head(.7, .2).Box, head(.2, .7).Box, head(.52, .2).Box
	for _, c := range []struct {
		name  string
		zones []ward.Zone
		at    []ward.Box
		want  ward.ZoneKind
	}{
		{"no zones", nil, []ward.Box{front}, ward.NoZone},
		{"at the counter", counterZones, []ward.Box{front, front}, ward.CustomerZone},
		{"from the queue to the counter", counterZones, []ward.Box{line, front, nowhere}, ward.CustomerZone},
		{"only in the queue", counterZones, []ward.Box{line, line}, ward.QueueZone},
		{"staff all along", counterZones, []ward.Box{behind, behind}, ward.StaffZone},
		{"staff who came round", counterZones, []ward.Box{behind, nowhere}, ward.Elsewhere},
		{"somebody passing", counterZones, []ward.Box{nowhere}, ward.Elsewhere},
		{"no customers' zone", counterZones[1:], []ward.Box{line, nowhere}, ward.NoZone},
	} {
		if got := track(c.zones, c.at...); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func inZone(kind ward.ZoneKind) func(*ward.Sighting) {
	return func(v *ward.Sighting) { v.Zone = kind }
}

// What the rules make of faces in zones: the staff's are nobody's, and those
// who wait can clear but neither accuse nor be named.
func TestRulesLookIntoZones(t *testing.T) {
	enrolled := ward.Insured{Enrolled: true, ModelID: "m1", Template: person(1, 1)}
	w := watched(-60, 10)
	for _, c := range []struct {
		name string
		rule ward.Rule
		seen []ward.Sighting
		want analytics.Outcome
	}{
		{"only the clerk's face", ward.NobodyAtCounter, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.StaffZone))}, analytics.Fired},
		{"only a face in the queue", ward.NobodyAtCounter, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.QueueZone))}, analytics.Fired},
		{"a face at the counter", ward.NobodyAtCounter, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.CustomerZone))}, analytics.Fine},
		{"people in the queue", ward.NobodyAtCounter, []ward.Sighting{w, with(people(-4, 2), func(v *ward.Sighting) { v.Kind = ward.QueueSeen })}, analytics.Fired},
		{"the clerk is not the insured", ward.FaceMismatch, []ward.Sighting{w, people(-4, 2), with(face(4, -4, 2), inZone(ward.StaffZone))}, analytics.Blind},
		{"a clerk who looks alike clears nobody", ward.FaceMismatch, []ward.Sighting{w, with(face(1, -4, 2), inZone(ward.StaffZone)), with(face(4, -4, 2), inZone(ward.CustomerZone))}, analytics.Fired},
		{"a stranger in the queue is not accused", ward.FaceMismatch, []ward.Sighting{w, people(-4, 2), with(face(4, -4, 2), inZone(ward.QueueZone))}, analytics.Blind},
		{"the insured waits beside", ward.FaceMismatch, []ward.Sighting{w, with(face(1, -4, 2), inZone(ward.QueueZone)), with(face(4, -4, 2), inZone(ward.CustomerZone))}, analytics.Fine},
		{"a masked clerk beside the stranger", ward.FaceMismatch, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.CustomerZone)), with(masked(-4, 2), inZone(ward.StaffZone))}, analytics.Fired},
		{"a mask in the queue behind the stranger", ward.FaceMismatch, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.CustomerZone)), with(masked(-4, 2), inZone(ward.QueueZone))}, analytics.Fired},
		{"a masked customer beside the stranger", ward.FaceMismatch, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.CustomerZone)), with(masked(-4, 2), inZone(ward.CustomerZone))}, analytics.Blind},
		{"the stranger at the counter", ward.FaceMismatch, []ward.Sighting{w, with(face(4, -4, 2), inZone(ward.CustomerZone)), with(face(7, -4, 2), inZone(ward.Elsewhere))}, analytics.Fired},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := finding(t, c.rule, ward.Settlement{ID: "z", At: swipe}, analytics.Window{Cameras: one, Sightings: c.seen, Insured: enrolled})
			if f.Outcome != c.want {
				t.Errorf("got %s %q, want %s", f.Outcome, f.Reason, c.want)
			}
		})
	}
}

// A face as large in the staff's zone is no rival: whose card it was is clear.
func TestStaffAreNoRivals(t *testing.T) {
	for zone, want := range map[ward.ZoneKind]string{ward.CustomerZone: "several_faces", ward.StaffZone: "", ward.QueueZone: ""} {
		win := analytics.Window{Cameras: one, Sightings: []ward.Sighting{watched(-60, 10), with(face(1, -4, 2), inZone(ward.CustomerZone)), with(face(4, -4, 2), inZone(zone))}}
		if f := finding(t, ward.OneFaceManyCards, ward.Settlement{ID: "z", At: swipe}, win); f.Reason != want {
			t.Errorf("%s: got %s %q, want %q", zone, f.Outcome, f.Reason, want)
		}
	}
}

// Faces in the queue are no people at the counter, where cards outnumber them.
func TestMoreCardsThanPeopleAtTheCounter(t *testing.T) {
	queue := func(n int) []ward.Sighting {
		vs := []ward.Sighting{watched(-60, 10), people(-30, 2)}
		for i := range n {
			vs = append(vs, with(face(i, -30, 2), inZone(ward.QueueZone)))
		}
		return vs
	}
	uses := []analytics.Use{{Settlement: "a", Insured: "i1", At: sec(-8)}, {Settlement: "b", Insured: "i2", At: sec(-4)}}
	f := finding(t, ward.MoreCardsThanFolk, ward.Settlement{ID: "z", InsuredID: "i3", At: swipe}, analytics.Window{Cameras: one, Sightings: queue(4), AtPlace: uses})
	if f.Outcome != analytics.Fired {
		t.Errorf("got %s %q", f.Outcome, f.Reason)
	}
}

// From the drawing to the judgement: the clerk behind the counter is nobody
// at it, and the treatment room's rule waits until its zone is old enough.
func TestZonesFromTheCatalogue(t *testing.T) {
	s := newScene(t)
	s.must(s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "治疗室", Kind: ward.Treatment}))
	show := map[int]ward.Seen{}
	for n := range 61 {
		show[n] = ward.Seen{People: []ward.Person{clerk}}
	}
	w := s.watcher(eye(show, never))
	w.Zones = func(context.Context) []ward.Zone { return counterZones }
	s.play(w, 0, 60)
	at, treated := s.swiped(30, "p1", "i1", 0), s.treated(40)
	s.pass(100)
	if got := s.state(at); got != "suspicious" {
		t.Errorf("with only the clerk there: %s", got)
	}
	v, err := s.Settlement(t.Context(), treated)
	s.must(err)
	unclear := map[ward.Rule]string{}
	for _, u := range v.Unclear {
		unclear[u.Rule] = u.Reason
	}
	if unclear[ward.NoPhysician] != "" { // somebody in the staff's zone: clear whatever was drawn when
		t.Errorf("unclear %v", unclear)
	}
	got, err := s.SightingsAt(t.Context(), "p1", s.at(0), s.at(60))
	s.must(err)
	kinds := map[ward.SightingKind]int{}
	for _, v := range got {
		kinds[v.Kind]++
	}
	if kinds[ward.StaffSeen] != 1 || kinds[ward.PeopleSeen] != 0 {
		t.Errorf("sightings %v", kinds)
	}
}

// A zone that was drawn only now tells nothing of half an hour ago.
func TestAYoungZoneTellsNothing(t *testing.T) {
	s := newScene(t)
	s.must(s.PutPlace(t.Context(), ward.Place{ID: "p1", InstitutionID: "h1", Name: "治疗室", Kind: ward.Treatment}))
	s.saw(watched(-1900, 60))
	_, err := s.SetZones(t.Context(), ward.Zoning{CameraID: "c1", Zones: counterZones[1:2], By: "u1"}, 0)
	s.must(err)
	reason := func(id ward.SettlementID) string {
		v, err := s.Settlement(t.Context(), id)
		s.must(err)
		for _, u := range v.Unclear {
			if u.Rule == ward.NoPhysician {
				return u.Reason
			}
		}
		return ""
	}
	young := s.treated(40)
	s.pass(100)
	if got := reason(young); got != "no_zone" {
		t.Errorf("drawn after the treatment: %q", got)
	}
	// Five minutes on it is old enough to look back one.
	_, err = s.SetRule(t.Context(), ward.RuleSetting{Rule: ward.NoPhysician, Mode: ward.RuleShadow, Params: map[string]float64{"before": 1}}, 0)
	s.must(err)
	late, _, err := s.AddSettlement(t.Context(), ward.Settlement{
		InstitutionID: "h1", PlaceID: "p1", ExternalNo: "late", InsuredID: "i1", Kind: ward.TreatmentFee, At: time.Now().Add(5 * time.Minute), AmountFen: 1, Received: time.Now(),
	})
	s.must(err)
	s.must(s.c.Pass(t.Context(), late.At.Add(2*time.Minute)))
	if got := reason(late.ID); got != "not_watched" {
		t.Errorf("five minutes after it was drawn: %q", got)
	}
}

func (s *scene) treated(at float64) ward.SettlementID {
	s.t.Helper()
	v, _, err := s.AddSettlement(s.t.Context(), ward.Settlement{
		InstitutionID: "h1", PlaceID: "p1", ExternalNo: "treated", InsuredID: "i1", Kind: ward.TreatmentFee, At: s.at(at), AmountFen: 100, Received: s.at(at),
	})
	s.must(err)
	return v.ID
}
