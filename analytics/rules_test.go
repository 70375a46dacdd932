package analytics_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/ward"
)

var swipe = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

func sec(s float64) time.Time { return swipe.Add(time.Duration(s * float64(time.Second))) }

// person is the template of one of sixteen people who look nothing alike;
// near, 0 to 1, turns it towards the next one: 1 is exactly the person.
func person(i int, near float32) ward.Template {
	t := make(ward.Template, 17)
	t[i] = near
	t[i+1] = 1 - near
	return ward.Fuse([]ward.Template{t})
}

func watched(from, to float64) ward.Sighting {
	return ward.Sighting{ID: ward.SightingID(fmt.Sprintf("w%g", from)), CameraID: "c1", Kind: ward.Watched, From: sec(from), To: sec(to), Count: int(to-from) + 1}
}

func people(from, to float64) ward.Sighting {
	return ward.Sighting{ID: ward.SightingID(fmt.Sprintf("p%g", from)), CameraID: "c1", Kind: ward.PeopleSeen, From: sec(from), To: sec(to), Count: 1, Score: .5}
}

func face(who int, from, to float64) ward.Sighting {
	return ward.Sighting{
		ID: ward.SightingID(fmt.Sprintf("f%d/%g", who, from)), CameraID: "c1", Kind: ward.FaceSeen, From: sec(from), To: sec(to), Count: 5, Score: .9,
		Box: ward.Box{X: .4, Y: .3, W: .2, H: .3}, ModelID: "m1", Template: person(who, 1),
	}
}

// masked is a face as near as face's that was never fit to be compared.
func masked(from, to float64) ward.Sighting {
	return with(face(0, from, to), func(v *ward.Sighting) { v.ID, v.Count, v.ModelID, v.Template = "masked", 0, "", nil })
}

func with(v ward.Sighting, change func(*ward.Sighting)) ward.Sighting {
	change(&v)
	return v
}

func finding(t *testing.T, rule ward.Rule, s ward.Settlement, win analytics.Window) analytics.Finding {
	t.Helper()
	return findingWith(t, rule, s, win, nil)
}

// findingWith asks one rule with figures that differ from the built-in ones.
func findingWith(t *testing.T, rule ward.Rule, s ward.Settlement, win analytics.Window, figures map[string]float64) analytics.Finding {
	t.Helper()
	set := ward.RuleSetting{Rule: rule, Version: 7, Mode: ward.RuleLive, Params: figures}
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	fs := analytics.Judge(s, win, analytics.NewRulebook("h1", []ward.RuleSetting{set}))
	i := slices.IndexFunc(fs, func(f analytics.Finding) bool { return f.Rule == rule })
	if i < 0 {
		t.Fatalf("no finding of %s", rule)
	}
	f := fs[i]
	if f.Outcome == analytics.Fired && (f.ZH == "" || f.EN == "" || f.Camera == "" && len(win.Cameras) > 0 || f.Severity < 1 || f.Severity > 3 || f.Version != 7) {
		t.Errorf("fired without its facts: %+v", f)
	}
	if strings.Contains(f.ZH+f.EN, "%!") {
		t.Errorf("a text with a hole: %s %s", f.ZH, f.EN)
	}
	if (f.Outcome == analytics.Blind || f.Outcome == analytics.NotApplicable) != (f.Reason != "") {
		t.Errorf("outcome %s with reason %q", f.Outcome, f.Reason)
	}
	return f
}

func TestNobodyAtCounter(t *testing.T) {
	for _, c := range []struct {
		name      string
		cameras   []ward.CameraID
		sightings []ward.Sighting
		want      analytics.Outcome
		reason    string
	}{
		{"empty counter, watched", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, 60)}, analytics.Fired, ""},
		{"watched from just inside", []ward.CameraID{"c1"}, []ward.Sighting{watched(-6, 60)}, analytics.Fired, ""},
		{"somebody before and after, not at the swipe", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, 60), people(-40, -6), people(4, 9)}, analytics.Fired, ""},
		{"two watched stretches with a short hole", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, -2), watched(0, 60)}, analytics.Fired, ""},
		{"somebody leaves 4 s before", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, 60), people(-40, -4)}, analytics.Fine, ""},
		{"somebody comes 2 s after", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, 60), people(2, 9)}, analytics.Fine, ""},
		{"only a face", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, 60), face(1, -1, 1)}, analytics.Fine, ""},
		{"somebody seen although badly watched", []ward.CameraID{"c1"}, []ward.Sighting{people(-1, 1)}, analytics.Fine, ""},
		{"no camera", nil, nil, analytics.Blind, "no_camera"},
		{"not watched", []ward.CameraID{"c1"}, nil, analytics.Blind, "not_watched"},
		{"watched too short", []ward.CameraID{"c1"}, []ward.Sighting{watched(-2, 4)}, analytics.Blind, "not_watched"},
		{"hole of over 3 s at the swipe", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, -2), watched(1.5, 60)}, analytics.Blind, "not_watched"},
		{"watching ended at the swipe", []ward.CameraID{"c1"}, []ward.Sighting{watched(-60, 0)}, analytics.Blind, "not_watched"},
		{"pictures too sparse", []ward.CameraID{"c1"}, []ward.Sighting{with(watched(-60, 60), func(v *ward.Sighting) { v.Count = 25 })}, analytics.Blind, "not_watched"},
		{"the second camera was not watching", []ward.CameraID{"c1", "c2"}, []ward.Sighting{watched(-60, 60)}, analytics.Blind, "not_watched"},
		{
			"both cameras were watching",
			[]ward.CameraID{"c1", "c2"},
			[]ward.Sighting{watched(-60, 60), with(watched(-50, 60), func(v *ward.Sighting) { v.CameraID = "c2" })},
			analytics.Fired, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := finding(t, ward.NobodyAtCounter, ward.Settlement{ID: "s", At: swipe}, analytics.Window{Cameras: c.cameras, Sightings: c.sightings})
			if f.Outcome != c.want || f.Reason != c.reason {
				t.Errorf("got %s %q, want %s %q", f.Outcome, f.Reason, c.want, c.reason)
			}
		})
	}
}

func TestFaceMismatch(t *testing.T) {
	enrolled := ward.Insured{ID: "i1", Enrolled: true, Template: person(1, 1), ModelID: "m1"}
	for _, c := range []struct {
		name    string
		insured ward.Insured
		seen    []ward.Sighting
		want    analytics.Outcome
		reason  string
	}{
		{"himself", enrolled, []ward.Sighting{face(1, -5, 3)}, analytics.Fine, ""},
		{"somebody else", enrolled, []ward.Sighting{face(4, -5, 3)}, analytics.Fired, ""},
		{"himself and somebody else", enrolled, []ward.Sighting{face(4, -5, 3), face(1, -9, -7)}, analytics.Fine, ""},
		{"somebody who may be he", enrolled, []ward.Sighting{with(face(1, -5, 3), func(v *ward.Sighting) { v.Template = person(1, .33) })}, analytics.Fine, ""},
		{"the customer before, then an unseen face", enrolled, []ward.Sighting{face(4, -30, -6), people(-5, 3)}, analytics.Blind, "no_usable_face"},
		{"the customer before, then nobody", enrolled, []ward.Sighting{face(4, -30, -6)}, analytics.NotApplicable, "nobody"},
		{"a glimpse of somebody else", enrolled, []ward.Sighting{with(face(4, -1, 0), func(v *ward.Sighting) { v.Count = 1 })}, analytics.Blind, "no_usable_face"},
		{"a face that cannot be compared", enrolled, []ward.Sighting{with(face(4, -1, 1), func(v *ward.Sighting) { v.Template = nil })}, analytics.Blind, "no_usable_face"},
		{"himself under a mask, with company", enrolled, []ward.Sighting{face(4, -5, 3), masked(-5, 3)}, analytics.Blind, "no_usable_face"},
		{"under a mask, half as near as the company", enrolled, []ward.Sighting{face(4, -5, 3), with(masked(-5, 3), func(v *ward.Sighting) { v.Box.W = .11 })}, analytics.Blind, "no_usable_face"},
		{"a mask that was compared once", enrolled, []ward.Sighting{face(4, -5, 3), with(face(7, -5, 3), func(v *ward.Sighting) { v.Count = 1 })}, analytics.Blind, "no_usable_face"},
		{"a mask farther back", enrolled, []ward.Sighting{face(4, -5, 3), with(masked(-5, 3), func(v *ward.Sighting) { v.Box.W = .09 })}, analytics.Fired, ""},
		{"a mask that left before", enrolled, []ward.Sighting{face(4, -5, 3), masked(-9, -3.5)}, analytics.Fired, ""},
		{"hardly a face beside", enrolled, []ward.Sighting{face(4, -5, 3), with(masked(-5, 3), func(v *ward.Sighting) { v.Score = .4 })}, analytics.Fired, ""},
		{"the same stranger again, in one picture", enrolled, []ward.Sighting{face(4, -5, 1), with(face(4, 1, 3), func(v *ward.Sighting) { v.Count = 1 })}, analytics.Fired, ""},
		{"people without a face", enrolled, []ward.Sighting{people(-5, 3)}, analytics.Blind, "no_usable_face"},
		{"nobody", enrolled, nil, analytics.NotApplicable, "nobody"},
		{"not enrolled", ward.Insured{}, []ward.Sighting{face(4, -5, 3)}, analytics.NotApplicable, "not_enrolled"},
		{"enrolled with another model", ward.Insured{Template: person(1, 1), ModelID: "m0"}, []ward.Sighting{face(4, -5, 3)}, analytics.NotApplicable, "other_model"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := finding(t, ward.FaceMismatch, ward.Settlement{ID: "s", InsuredID: "i1", At: swipe}, analytics.Window{Cameras: []ward.CameraID{"c1"}, Sightings: c.seen, Insured: c.insured})
			if f.Outcome != c.want || f.Reason != c.reason {
				t.Errorf("got %s %q, want %s %q", f.Outcome, f.Reason, c.want, c.reason)
			}
		})
	}
}

// card is a settlement of a run at one counter; the last one is judged.
type card struct {
	at      float64 // seconds
	insured ward.InsuredID
	who     int // the person there; -1 nobody that could be named
}

func use(i int, v card) analytics.Use {
	u := analytics.Use{Settlement: ward.SettlementID(fmt.Sprint(i)), Insured: v.insured, Institution: "h1", Place: "p1", PlaceKind: ward.Charge, At: sec(v.at)}
	if v.who >= 0 {
		u.Person = analytics.Person{Sighting: ward.SightingID(fmt.Sprintf("s%d", i)), ModelID: "m1", Template: person(v.who, 1)}
	}
	return u
}

func uses(cards []card) []analytics.Use {
	var out []analytics.Use
	for i, v := range cards {
		out = append(out, use(i, v))
	}
	return out
}

func TestOneFaceManyCards(t *testing.T) {
	one := []ward.Sighting{face(1, -70, 10)}
	for _, c := range []struct {
		name  string
		cards []card // before this one, which is card c
		seen  []ward.Sighting
		want  analytics.Outcome
		n     int // related
	}{
		{"third card", []card{{-60, "a", 1}, {-30, "b", 1}}, one, analytics.Fired, 2},
		{"third card, just within", []card{{-1800, "a", 1}, {-30, "b", 1}}, one, analytics.Fired, 2},
		{"too long ago", []card{{-1801, "a", 1}, {-30, "b", 1}}, one, analytics.Fine, 0},
		{"fourth card", []card{{-90, "a", 1}, {-60, "b", 1}, {-30, "d", 1}}, one, analytics.Fired, 3},
		{"second card", []card{{-30, "a", 1}}, one, analytics.Fine, 0},
		{"one card three times", []card{{-60, "c", 1}, {-30, "c", 1}}, one, analytics.Fine, 0},
		{"this card again after three", []card{{-90, "c", 1}, {-60, "a", 1}, {-30, "b", 1}}, one, analytics.Fine, 0},
		{"three people, three cards", []card{{-60, "a", 3}, {-30, "b", 5}}, one, analytics.Fine, 0},
		{"others that cannot be named", []card{{-60, "a", -1}, {-30, "b", -1}}, one, analytics.Fine, 0},
		{"later ones do not count", []card{{30, "a", 1}, {60, "b", 1}}, one, analytics.Fine, 0},
		{"nobody comparable", []card{{-60, "a", 1}, {-30, "b", 1}}, []ward.Sighting{people(-70, 10)}, analytics.Blind, 0},
		{"nobody", []card{{-60, "a", 1}, {-30, "b", 1}}, []ward.Sighting{watched(-70, 10)}, analytics.NotApplicable, 0},
		{"not watched", []card{{-60, "a", 1}, {-30, "b", 1}}, nil, analytics.Blind, 0},
		{"two as near", []card{{-60, "a", 1}, {-30, "b", 1}}, append([]ward.Sighting{face(3, -70, 10)}, one...), analytics.Blind, 0},
		{"a mask as near: they may pay for themselves", []card{{-60, "a", 1}, {-30, "b", 1}}, append([]ward.Sighting{masked(-70, 10)}, one...), analytics.Blind, 0},
		{"a mask farther back", []card{{-60, "a", 1}, {-30, "b", 1}}, append([]ward.Sighting{with(masked(-70, 10), func(v *ward.Sighting) { v.Box.W = .09 })}, one...), analytics.Fired, 2},
		{"a passer-by behind, small", []card{{-60, "a", 1}, {-30, "b", 1}}, append([]ward.Sighting{with(face(3, -70, 10), func(v *ward.Sighting) { v.Box.W = .05 })}, one...), analytics.Fired, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ward.Settlement{ID: "z", InsuredID: "c", At: swipe, PlaceID: "p1", InstitutionID: "h1"}
			f := finding(t, ward.OneFaceManyCards, s, analytics.Window{Cameras: []ward.CameraID{"c1"}, Sightings: c.seen, AtPlace: uses(c.cards)})
			if f.Outcome != c.want || len(f.Related) != c.n && f.Outcome == analytics.Fired {
				t.Errorf("got %s %q with %v, want %s with %d", f.Outcome, f.Reason, f.Related, c.want, c.n)
			}
		})
	}
}

// Somebody who comes back is known again by the picture between, and a
// customer who is somewhat like another is not taken for the same.
func TestOneFaceIsLinkedByTheOneBetween(t *testing.T) {
	turned := func(degrees float64) ward.Template {
		return ward.Template{float32(math.Cos(degrees * math.Pi / 180)), float32(math.Sin(degrees * math.Pi / 180))}
	}
	for _, c := range []struct {
		first, second float64 // from the face of now
		want          analytics.Outcome
	}{{90, 45, analytics.Fired}, {45, 90, analytics.Fired}, {45, 40, analytics.Fired}, {54.5, 45 - 90, analytics.Fine}, {108, 54, analytics.Fine}} {
		now := with(face(1, -70, 10), func(v *ward.Sighting) { v.Template = turned(0) })
		earlier := uses([]card{{-60, "a", 1}, {-30, "b", 1}})
		earlier[0].Person.Template, earlier[1].Person.Template = turned(c.first), turned(c.second)
		s := ward.Settlement{ID: "z", InsuredID: "c", At: swipe, PlaceID: "p1", InstitutionID: "h1"}
		if f := finding(t, ward.OneFaceManyCards, s, analytics.Window{Cameras: []ward.CameraID{"c1"}, Sightings: []ward.Sighting{now}, AtPlace: earlier}); f.Outcome != c.want {
			t.Errorf("%v and %v degrees: %s, want %s", c.first, c.second, f.Outcome, c.want)
		}
	}
}

func TestConclude(t *testing.T) {
	fired, fine := analytics.Finding{Outcome: analytics.Fired}, analytics.Finding{Outcome: analytics.Fine}
	blind, none := analytics.Finding{Rule: ward.NobodyAtCounter, Outcome: analytics.Blind, Reason: "no_camera"}, analytics.Finding{Outcome: analytics.NotApplicable, Reason: "not_enrolled"}
	for _, c := range []struct {
		fs     []analytics.Finding
		state  ward.SettlementState
		reason string
	}{
		{[]analytics.Finding{fine, none, none}, ward.Clear, ""},
		{[]analytics.Finding{blind, none, fine}, ward.CannotTell, "no_camera"},
		{[]analytics.Finding{blind, fired}, ward.Suspicious, ""},
		{[]analytics.Finding{fired, blind}, ward.Suspicious, ""},
		{[]analytics.Finding{{Outcome: analytics.Fired, Shadow: true}, fine}, ward.Clear, ""},
		{[]analytics.Finding{{Outcome: analytics.Fired, Shadow: true}, blind}, ward.CannotTell, "no_camera"},
		{[]analytics.Finding{{Rule: ward.ImpossibleTravel, Outcome: analytics.Blind, Reason: "no_location"}, fine}, ward.Clear, ""},
	} {
		if state, reason := analytics.Conclude(c.fs); state != c.state || reason != c.reason {
			t.Errorf("%v: got %s %q", c.fs, state, reason)
		}
	}
}
