package analytics_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/analytics"
	"wardwatch/ward"
)

var (
	one     = []ward.CameraID{"c1"}
	hangkou = &ward.Location{Lat: 30.60, Lon: 114.28}
	wuchang = &ward.Location{Lat: 30.54, Lon: 114.36} // 10 km from it
	yichang = &ward.Location{Lat: 30.70, Lon: 111.29} // 286 km from it
)

func crowd(n int, from, to float64) ward.Sighting {
	return with(people(from, to), func(v *ward.Sighting) { v.Count = n })
}

func TestLocationKm(t *testing.T) {
	if got := hangkou.Km(*yichang); got < 284 || got > 290 {
		t.Errorf("Hankou to Yichang: %.1f km", got)
	}
	if got := hangkou.Km(*wuchang); got < 9.5 || got > 10.7 {
		t.Errorf("Hankou to Wuchang: %.1f km", got)
	}
}

func TestMoreCardsThanFolk(t *testing.T) {
	three := []card{{-20, "a", -1}, {-10, "b", -1}}
	for _, c := range []struct {
		name   string
		cams   []ward.CameraID
		cards  []card
		seen   []ward.Sighting
		want   analytics.Outcome
		reason string
	}{
		{"three cards in 14 s, one person", one, []card{{-14, "a", -1}, {-7, "b", -1}}, []ward.Sighting{watched(-60, 10), crowd(1, -30, 5)}, analytics.Fired, ""},
		{"three cards in 14 s, two people", one, []card{{-14, "a", -1}, {-7, "b", -1}}, []ward.Sighting{watched(-60, 10), crowd(2, -30, 5)}, analytics.Fired, ""},
		{"three people", one, []card{{-14, "a", -1}, {-7, "b", -1}}, []ward.Sighting{watched(-60, 10), crowd(3, -30, 5)}, analytics.Fine, ""},
		{"three faces one after another", one, three, []ward.Sighting{watched(-60, 10), crowd(1, -30, 5), face(1, -25, -15), face(3, -14, -6), face(5, -5, 3)}, analytics.Fine, ""},
		{"20 s: one may have left and another come", one, three, []ward.Sighting{watched(-60, 10), crowd(2, -30, 5)}, analytics.Fine, ""},
		{"two persons seen by two cameras count as four", []ward.CameraID{"c1", "c2"}, []card{{-14, "a", -1}, {-7, "b", -1}}, []ward.Sighting{
			watched(-60, 10), with(watched(-50, 10), func(v *ward.Sighting) { v.CameraID = "c2" }),
			crowd(2, -30, 5), with(crowd(2, -31, 5), func(v *ward.Sighting) { v.CameraID = "c2" }),
		}, analytics.Fine, ""},
		{"two cards", one, []card{{-14, "a", -1}}, []ward.Sighting{watched(-60, 10), crowd(1, -30, 5)}, analytics.Fine, ""},
		{"one card three times", one, []card{{-14, "z", -1}, {-7, "z", -1}}, []ward.Sighting{watched(-60, 10), crowd(1, -30, 5)}, analytics.Fine, ""},
		{"nobody", one, []card{{-14, "a", -1}, {-7, "b", -1}}, []ward.Sighting{watched(-60, 10)}, analytics.NotApplicable, "nobody"},
		{"not watched", one, []card{{-14, "a", -1}, {-7, "b", -1}}, []ward.Sighting{watched(-5, 10), crowd(1, -30, 5)}, analytics.Blind, "not_watched"},
		{"no camera", nil, []card{{-14, "a", -1}, {-7, "b", -1}}, nil, analytics.Blind, "no_camera"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ward.Settlement{ID: "z", InsuredID: "z", At: swipe}
			f := finding(t, ward.MoreCardsThanFolk, s, analytics.Window{Cameras: c.cams, Sightings: c.seen, AtPlace: uses(c.cards)})
			if f.Outcome != c.want || f.Reason != c.reason {
				t.Errorf("got %s %q %s, want %s %q", f.Outcome, f.Reason, f.EN, c.want, c.reason)
			}
		})
	}
}

func TestBatchSwiping(t *testing.T) {
	run := func(n int, every float64) []card {
		var out []card
		for i := range n {
			out = append(out, card{-every * float64(n-i), ward.InsuredID(fmt.Sprint("i", i)), -1})
		}
		return out
	}
	for name, c := range map[string]struct {
		cards []card
		want  analytics.Outcome
	}{
		"five cards in 60 s":       {run(4, 15), analytics.Fired},
		"five cards in 61 s":       {run(4, 15.25), analytics.Fine},
		"four cards":               {run(3, 5), analytics.Fine},
		"ten cards":                {run(9, 2), analytics.Fired},
		"one card again and again": {[]card{{-40, "z", -1}, {-30, "z", -1}, {-20, "z", -1}, {-10, "z", -1}}, analytics.Fine},
	} {
		t.Run(name, func(t *testing.T) {
			f := finding(t, ward.BatchSwiping, ward.Settlement{ID: "z", InsuredID: "z", At: swipe}, analytics.Window{AtPlace: uses(c.cards)})
			if f.Outcome != c.want {
				t.Errorf("got %s, want %s", f.Outcome, c.want)
			}
		})
	}
}

func TestOutOfHours(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 22, hour-8, minute, 0, 0, time.UTC) } // Beijing time
	day := map[string]float64{"charge_open": 8 * 60, "charge_close": 18 * 60}
	night := map[string]float64{"charge_open": 18 * 60, "charge_close": 2 * 60}
	for _, c := range []struct {
		name    string
		at      time.Time
		kind    ward.PlaceKind
		figures map[string]float64
		want    analytics.Outcome
	}{
		{"open all day", at(3, 0), ward.Charge, nil, analytics.NotApplicable},
		{"opening minute", at(8, 0), ward.Charge, day, analytics.Fine},
		{"minute before", at(7, 59), ward.Charge, day, analytics.Fired},
		{"last minute", at(17, 59), ward.Charge, day, analytics.Fine},
		{"closing minute", at(18, 0), ward.Charge, day, analytics.Fired},
		{"another kind of place", at(3, 0), ward.Pharmacy, day, analytics.NotApplicable},
		{"over midnight, before", at(23, 0), ward.Charge, night, analytics.Fine},
		{"over midnight, after", at(1, 59), ward.Charge, night, analytics.Fine},
		{"over midnight, closed", at(2, 0), ward.Charge, night, analytics.Fired},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := findingWith(t, ward.OutOfHours, ward.Settlement{ID: "z", At: c.at}, analytics.Window{Place: ward.Place{Kind: c.kind}}, c.figures)
			if f.Outcome != c.want {
				t.Errorf("got %s %q, want %s", f.Outcome, f.Reason, c.want)
			}
		})
	}
}

// days gives uses n days before the swipe.
func days(n float64) float64 { return -n * 24 * 3600 }

func TestCardsHoarded(t *testing.T) {
	four := []card{{days(29), "a", 1}, {days(20), "b", 1}, {days(5), "d", 1}, {-3600, "e", 1}}
	seen := []ward.Sighting{watched(-60, 10), face(1, -5, 5)}
	for _, c := range []struct {
		name     string
		cards    []card
		seen     []ward.Sighting
		searched bool
		want     analytics.Outcome
	}{
		{"fifth card in 30 days", four, seen, true, analytics.Fired},
		{"not searched yet", four, seen, false, analytics.Later},
		{"one of them 31 days ago", append([]card{{days(31), "x", 1}}, four[1:]...), seen, true, analytics.Fine},
		{"this card was used by the face before", append([]card{{days(2), "c", 1}}, four...), seen, true, analytics.Fine},
		{"found, but less alike than it takes", append([]card{{days(2), "x", 9}}, four[1:]...), seen, true, analytics.Fine},
		{"later ones do not count", append([]card{{10, "x", 1}}, four[1:]...), seen, true, analytics.Fine},
		{"nobody to be named", four, []ward.Sighting{watched(-60, 10), people(-5, 5)}, true, analytics.Blind},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ward.Settlement{ID: "z", InsuredID: "c", At: swipe, InstitutionID: "h1"}
			f := finding(t, ward.CardsHoarded, s, analytics.Window{Cameras: one, Sightings: c.seen, OfFace: uses(c.cards), Searched: c.searched})
			if f.Outcome != c.want {
				t.Errorf("got %s %q, want %s", f.Outcome, f.Reason, c.want)
			}
		})
	}
}

func TestOneCardManyFaces(t *testing.T) {
	for _, c := range []struct {
		name  string
		cards []card
		want  analytics.Outcome
	}{
		{"third face", []card{{days(3), "c", 3}, {days(2), "c", 5}}, analytics.Fired},
		{"second face", []card{{days(3), "c", 3}, {days(2), "c", 3}}, analytics.Fine},
		{"third is the first again", []card{{days(3), "c", 3}, {days(2), "c", 1}}, analytics.Fine},
		{"one too long ago", []card{{days(31), "c", 3}, {days(2), "c", 5}}, analytics.Fine},
		{"one that nobody can name", []card{{days(3), "c", -1}, {days(2), "c", 5}}, analytics.Fine},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ward.Settlement{ID: "z", InsuredID: "c", At: swipe}
			f := finding(t, ward.OneCardManyFaces, s, analytics.Window{Cameras: one, Sightings: []ward.Sighting{face(1, -5, 5)}, OfCard: uses(c.cards)})
			if f.Outcome != c.want {
				t.Errorf("got %s %q, want %s", f.Outcome, f.Reason, c.want)
			}
		})
	}
	// A look-alike between the two thresholds is not another person.
	win := analytics.Window{Cameras: one, Sightings: []ward.Sighting{face(1, -5, 5)}, OfCard: uses([]card{{days(3), "c", 2}, {days(2), "c", 5}})}
	win.OfCard[0].Person.Template = person(1, .4)
	if f := finding(t, ward.OneCardManyFaces, ward.Settlement{ID: "z", InsuredID: "c", At: swipe}, win); f.Outcome != analytics.Fine {
		t.Errorf("a look-alike: %s", f.Outcome)
	}
}

func TestKnownCollector(t *testing.T) {
	at := func(kind ward.PlaceKind, inst ward.InstitutionID, cards ...card) []analytics.Use {
		out := uses(cards)
		for i := range out {
			out[i].PlaceKind, out[i].Institution = kind, inst
		}
		return out
	}
	three := []card{{days(6), "a", 1}, {days(4), "b", 1}, {-600, "d", 1}}
	seen := []ward.Sighting{watched(-60, 10), face(1, -5, 5)}
	for _, c := range []struct {
		name string
		kind ward.SettlementKind
		at   ward.PlaceKind
		uses []analytics.Use
		want analytics.Outcome
	}{
		{"fourth card in a week", ward.DrugSale, ward.Pharmacy, at(ward.Pharmacy, "h1", three...), analytics.Fired},
		{"at charge counters", ward.DrugSale, ward.Pharmacy, at(ward.Charge, "h1", three...), analytics.Fine},
		{"at another institution", ward.DrugSale, ward.Pharmacy, at(ward.Pharmacy, "h2", three...), analytics.Fine},
		{"not drugs", ward.Outpatient, ward.Pharmacy, at(ward.Pharmacy, "h1", three...), analytics.NotApplicable},
		{"paid at the charge counter", ward.DrugSale, ward.Charge, at(ward.Pharmacy, "h1", three...), analytics.NotApplicable},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ward.Settlement{ID: "z", InsuredID: "c", At: swipe, Kind: c.kind, InstitutionID: "h1"}
			f := finding(t, ward.KnownCollector, s, analytics.Window{Cameras: one, Place: ward.Place{Kind: c.at}, Sightings: seen, OfFace: c.uses, Searched: true})
			if f.Outcome != c.want {
				t.Errorf("got %s %q, want %s", f.Outcome, f.Reason, c.want)
			}
		})
	}
}

func TestImpossibleTravel(t *testing.T) {
	from := func(where *ward.Location, inst ward.InstitutionID, v card) []analytics.Use {
		u := use(1, v)
		u.Location, u.Institution = where, inst
		return []analytics.Use{u}
	}
	minutes := func(n float64) float64 { return -60 * n }
	stranger := []ward.Sighting{watched(-60, 10), people(-5, 5)}
	known := []ward.Sighting{watched(-60, 10), face(1, -5, 5)}
	for _, c := range []struct {
		name         string
		here         *ward.Location
		card, face   []analytics.Use
		seen         []ward.Sighting
		searched     bool
		want         analytics.Outcome
		reason, text string
	}{
		{"286 km in an hour", hangkou, from(yichang, "h2", card{minutes(60), "c", -1}), nil, stranger, false, analytics.Fired, "", "The same card"},
		{"286 km in 132 minutes: too fast by little", hangkou, from(yichang, "h2", card{minutes(132), "c", -1}), nil, stranger, false, analytics.Fired, "", ""},
		{"286 km in 134 minutes: with the slack of clocks", hangkou, from(yichang, "h2", card{minutes(134), "c", -1}), nil, stranger, false, analytics.Fine, "", ""},
		{"10 km at once is within the slack", hangkou, from(wuchang, "h2", card{minutes(0), "c", -1}), nil, stranger, false, analytics.Fine, "", ""},
		{"the same institution", hangkou, from(yichang, "h1", card{minutes(1), "c", -1}), nil, stranger, false, analytics.Fine, "", ""},
		{"the other came later: it fires there", hangkou, from(yichang, "h2", card{10, "c", -1}), nil, stranger, false, analytics.Fine, "", ""},
		{"nobody said where the other is", hangkou, from(nil, "h2", card{minutes(60), "c", -1}), nil, stranger, false, analytics.Blind, "no_location", ""},
		{"nobody said where this is", nil, from(yichang, "h2", card{minutes(60), "c", -1}), nil, stranger, false, analytics.Blind, "no_location", ""},
		{"nowhere else", nil, nil, nil, stranger, false, analytics.Fine, "", ""},
		{"the face was elsewhere", hangkou, nil, from(yichang, "h2", card{minutes(60), "a", 1}), known, true, analytics.Fired, "", "The same face"},
		{"somebody less alike was elsewhere", hangkou, nil, from(yichang, "h2", card{minutes(60), "a", 2}), known, true, analytics.Fine, "", ""},
		{"the face is still to be searched", hangkou, nil, nil, known, false, analytics.Later, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ward.Settlement{ID: "z", InsuredID: "c", At: swipe, InstitutionID: "h1"}
			f := finding(t, ward.ImpossibleTravel, s, analytics.Window{Cameras: one, Location: c.here, Sightings: c.seen, OfCard: c.card, OfFace: c.face, Searched: c.searched})
			if f.Outcome != c.want || f.Reason != c.reason || len(f.EN) < len(c.text) || f.EN[:len(c.text)] != c.text {
				t.Errorf("got %s %q %s, want %s %q", f.Outcome, f.Reason, f.EN, c.want, c.reason)
			}
		})
	}
}

func TestDrugNotCollected(t *testing.T) {
	counter := func(vs ...ward.Sighting) analytics.Counter { return analytics.Counter{Cameras: one, Sightings: vs} }
	for _, c := range []struct {
		name     string
		kind     ward.SettlementKind
		at       ward.PlaceKind
		now      float64
		counters []analytics.Counter
		want     analytics.Outcome
		reason   string
	}{
		{"nobody came", ward.DrugSale, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900))}, analytics.Fired, ""},
		{"somebody came in the last second", ward.DrugSale, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900), people(1800, 1810))}, analytics.Fine, ""},
		{"somebody came a second too late", ward.DrugSale, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900), people(1801, 1810))}, analytics.Fired, ""},
		{"somebody came to the other counter", ward.DrugSale, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900)), counter(people(100, 110))}, analytics.Fine, ""},
		{"the other counter was not watched", ward.DrugSale, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900)), counter(watched(300, 1900))}, analytics.Blind, "not_watched"},
		{"the other counter has no camera", ward.DrugSale, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900)), {}}, analytics.Blind, "no_camera"},
		{"the time is not over", ward.DrugSale, ward.Charge, 1799, []analytics.Counter{counter(watched(-60, 1799))}, analytics.Later, ""},
		{"sold at the pharmacy", ward.DrugSale, ward.Pharmacy, 1800, []analytics.Counter{counter(watched(-60, 1900))}, analytics.NotApplicable, "at_pharmacy"},
		{"no pharmacy", ward.DrugSale, ward.Charge, 1800, nil, analytics.NotApplicable, "no_pharmacy"},
		{"not drugs", ward.Outpatient, ward.Charge, 1800, []analytics.Counter{counter(watched(-60, 1900))}, analytics.NotApplicable, "not_drugs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			win := analytics.Window{Cameras: one, Place: ward.Place{Kind: c.at}, Pharmacies: c.counters, Now: sec(c.now)}
			f := finding(t, ward.DrugNotCollected, ward.Settlement{ID: "z", At: swipe, Kind: c.kind}, win)
			if f.Outcome != c.want || f.Reason != c.reason {
				t.Errorf("got %s %q, want %s %q", f.Outcome, f.Reason, c.want, c.reason)
			}
		})
	}
}

func TestSettledBlind(t *testing.T) {
	period := func(cam ward.CameraID, from, to float64) analytics.BlindPeriod {
		return analytics.BlindPeriod{Camera: cam, From: sec(from), To: sec(to)}
	}
	lasting := analytics.BlindPeriod{Camera: "c1", From: sec(-100)}
	reported := period("c1", -100, 100)
	reported.Reported = true
	reportedToo := period("c2", -100, 100)
	reportedToo.Reported = true
	for _, c := range []struct {
		name   string
		cams   []ward.CameraID
		seen   []ward.Sighting
		blind  []analytics.BlindPeriod
		now    float64
		want   analytics.Outcome
		reason string
	}{
		{"in a blind period", one, nil, []analytics.BlindPeriod{period("c1", -100, 100)}, 200, analytics.Fired, ""},
		{"in one that lasts", one, nil, []analytics.BlindPeriod{lasting}, 60, analytics.Fired, ""},
		{"in one that may end soon", one, nil, []analytics.BlindPeriod{lasting}, 59, analytics.Later, ""},
		{"in a hiccup", one, nil, []analytics.BlindPeriod{period("c1", -30, 29)}, 200, analytics.Fine, ""},
		{"reported in advance", one, nil, []analytics.BlindPeriod{reported}, 200, analytics.NotApplicable, "reported"},
		{"both reported in advance", []ward.CameraID{"c1", "c2"}, nil, []analytics.BlindPeriod{reported, reportedToo}, 200, analytics.NotApplicable, "reported"},
		{"one reported, the other not", []ward.CameraID{"c1", "c2"}, nil, []analytics.BlindPeriod{reported, period("c2", -90, 100)}, 200, analytics.Fired, ""},
		{"after it", one, nil, []analytics.BlindPeriod{period("c1", -100, -1)}, 200, analytics.Blind, "not_watched"},
		{"not analysed, which is ours", one, nil, nil, 200, analytics.Blind, "not_watched"},
		{"watched", one, []ward.Sighting{watched(-60, 60)}, nil, 200, analytics.Fine, ""},
		{"the other camera watched", []ward.CameraID{"c1", "c2"}, []ward.Sighting{with(watched(-60, 60), func(v *ward.Sighting) { v.CameraID = "c2" })}, []analytics.BlindPeriod{period("c1", -100, 100)}, 200, analytics.Fine, ""},
		{"the other camera was not analysed", []ward.CameraID{"c1", "c2"}, nil, []analytics.BlindPeriod{period("c1", -100, 100)}, 200, analytics.Blind, "not_watched"},
		{"both blind", []ward.CameraID{"c1", "c2"}, nil, []analytics.BlindPeriod{period("c1", -100, 100), period("c2", -90, 100)}, 200, analytics.Fired, ""},
		{"no camera", nil, nil, nil, 200, analytics.NotApplicable, "no_camera"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := finding(t, ward.SettledBlind, ward.Settlement{ID: "z", At: swipe}, analytics.Window{Cameras: c.cams, Sightings: c.seen, Blind: c.blind, Now: sec(c.now)})
			if f.Outcome != c.want || f.Reason != c.reason {
				t.Errorf("got %s %q, want %s %q", f.Outcome, f.Reason, c.want, c.reason)
			}
		})
	}
}

func TestNoPhysician(t *testing.T) {
	staff := func(from, to float64) ward.Sighting {
		return with(people(from, to), func(v *ward.Sighting) { v.Kind, v.ID = ward.StaffSeen, "staff" })
	}
	for _, c := range []struct {
		name   string
		kind   ward.SettlementKind
		at     ward.PlaceKind
		cams   []ward.CameraID
		zones  []ward.CameraID
		seen   []ward.Sighting
		want   analytics.Outcome
		reason string
	}{
		{"nobody in the staff's zone", ward.TreatmentFee, ward.Treatment, one, one, []ward.Sighting{watched(-1900, 10), people(-600, 5)}, analytics.Fired, ""},
		{"staff there at the beginning", ward.TreatmentFee, ward.Treatment, one, one, []ward.Sighting{watched(-1900, 10), staff(-1900, -1800)}, analytics.Fine, ""},
		{"staff left before", ward.TreatmentFee, ward.Treatment, one, one, []ward.Sighting{watched(-1900, 10), staff(-1900, -1801)}, analytics.Fired, ""},
		{"not watched long enough", ward.TreatmentFee, ward.Treatment, one, one, []ward.Sighting{watched(-1000, 10)}, analytics.Blind, "not_watched"},
		{"no zone", ward.TreatmentFee, ward.Treatment, one, nil, []ward.Sighting{watched(-1900, 10)}, analytics.Blind, "no_zone"},
		{"no camera", ward.TreatmentFee, ward.Treatment, nil, nil, nil, analytics.Blind, "no_camera"},
		{"billed at the counter", ward.TreatmentFee, ward.Charge, one, one, nil, analytics.NotApplicable, "not_treatment_place"},
		{"not a treatment", ward.DrugSale, ward.Treatment, one, one, nil, analytics.NotApplicable, "not_treatment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			win := analytics.Window{Cameras: c.cams, StaffCameras: c.zones, Place: ward.Place{Kind: c.at}, Sightings: c.seen}
			f := finding(t, ward.NoPhysician, ward.Settlement{ID: "z", At: swipe, Kind: c.kind}, win)
			if f.Outcome != c.want || f.Reason != c.reason {
				t.Errorf("got %s %q, want %s %q", f.Outcome, f.Reason, c.want, c.reason)
			}
		})
	}
}

// Whatever is in a window, its order does not matter to any rule; and taking
// the cameras away never turns what is no accusation into one that rests on pictures.
func TestOrderInAWindowDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		win, s := drawWindow(r)
		book := analytics.NewRulebook("h1", nil)
		want := analytics.Judge(s, win, book)
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		for _, v := range [][]analytics.Use{win.AtPlace, win.OfCard, win.OfFace} {
			rnd.Shuffle(len(v), func(i, j int) { v[i], v[j] = v[j], v[i] })
		}
		rnd.Shuffle(len(win.Sightings), func(i, j int) { win.Sightings[i], win.Sightings[j] = win.Sightings[j], win.Sightings[i] })
		slices.Reverse(win.Cameras)
		slices.Reverse(win.Blind)
		got := analytics.Judge(s, win, book)
		if !reflect.DeepEqual(got, want) {
			r.Fatalf("got  %+v\nwant %+v", got, want)
		}
		win.Cameras, win.Sightings = nil, nil
		for _, f := range analytics.Judge(s, win, book) {
			withoutPictures := []ward.Rule{ward.BatchSwiping, ward.OutOfHours, ward.ImpossibleTravel}
			if f.Outcome == analytics.Fired && !slices.Contains(withoutPictures, f.Rule) {
				r.Fatalf("without a camera: %+v", f)
			}
		}
	})
}

func drawWindow(r *rapid.T) (analytics.Window, ward.Settlement) {
	s := ward.Settlement{
		ID: "m", InsuredID: "i0", InstitutionID: "h1", PlaceID: "p1", At: swipe,
		Kind: rapid.SampledFrom([]ward.SettlementKind{ward.Outpatient, ward.DrugSale, ward.TreatmentFee}).Draw(r, "kind"),
	}
	win := analytics.Window{
		Now: sec(3600), Location: hangkou, Cameras: []ward.CameraID{"c1", "c2"}, StaffCameras: one, Searched: true,
		Place:   ward.Place{ID: "p1", Kind: rapid.SampledFrom([]ward.PlaceKind{ward.Charge, ward.Pharmacy, ward.Treatment}).Draw(r, "place")},
		Insured: ward.Insured{Template: person(2*rapid.IntRange(0, 3).Draw(r, "enrolled"), 1), ModelID: "m1"},
		Blind:   []analytics.BlindPeriod{{Camera: "c1", From: sec(-500)}, {Camera: "c2", From: sec(-300)}},
	}
	for i := range rapid.IntRange(0, 8).Draw(r, "sightings") {
		from := rapid.Float64Range(-60, 6).Draw(r, "from")
		to := from + rapid.Float64Range(0, 70).Draw(r, "length")
		v := rapid.SampledFrom([]ward.Sighting{watched(from, to), crowd(2, from, to), face(2*rapid.IntRange(0, 3).Draw(r, "who"), from, to)}).Draw(r, "sighting")
		v.ID, v.CameraID = ward.SightingID(fmt.Sprint("s", i)), rapid.SampledFrom(win.Cameras).Draw(r, "camera")
		win.Sightings = append(win.Sightings, v)
	}
	draw := func(label string, span float64) (out []analytics.Use) {
		for i := range rapid.IntRange(0, 8).Draw(r, label) {
			u := use(i, card{-rapid.Float64Range(0, span).Draw(r, "ago"), ward.InsuredID(fmt.Sprint("i", rapid.IntRange(0, 5).Draw(r, "card"))), rapid.IntRange(-1, 3).Draw(r, "by")})
			u.Location, u.PlaceKind = rapid.SampledFrom([]*ward.Location{nil, wuchang, yichang}).Draw(r, "where"), win.Place.Kind
			u.Institution = rapid.SampledFrom([]ward.InstitutionID{"h1", "h2"}).Draw(r, "institution")
			out = append(out, u)
		}
		return out
	}
	win.AtPlace, win.OfCard, win.OfFace = draw("at place", 120), draw("of card", 3*24*3600), draw("of face", 6*24*3600)
	return win, s
}

func TestRulebook(t *testing.T) {
	off := ward.RuleSetting{Rule: ward.NobodyAtCounter, Version: 2, Mode: ward.RuleOff}
	own := ward.RuleSetting{Rule: ward.NobodyAtCounter, Version: 3, InstitutionID: "h1", Mode: ward.RuleShadow, Params: map[string]float64{"before": 9}}
	again := ward.RuleSetting{Rule: ward.NobodyAtCounter, Version: 4, InstitutionID: "h1", Inherit: true}
	for _, c := range []struct {
		inst     ward.InstitutionID
		settings []ward.RuleSetting
		mode     ward.RuleMode
		version  int
		before   float64
	}{
		{"h1", nil, ward.RuleLive, 1, 5},
		{"h1", []ward.RuleSetting{off}, ward.RuleOff, 2, 5},
		{"h1", []ward.RuleSetting{own, off}, ward.RuleShadow, 3, 9},
		{"h2", []ward.RuleSetting{own, off}, ward.RuleOff, 2, 5},
		{"h1", []ward.RuleSetting{again, off, own}, ward.RuleOff, 2, 5},
		{"h1", []ward.RuleSetting{own, again}, ward.RuleLive, 1, 5},
	} {
		got := analytics.NewRulebook(c.inst, c.settings)[ward.NobodyAtCounter]
		if got.Mode != c.mode || got.Version != c.version || got.Params["before"] != c.before {
			t.Errorf("%s with %v: got %+v", c.inst, c.settings, got)
		}
	}
	fs := analytics.Judge(ward.Settlement{ID: "z", At: swipe}, analytics.Window{}, analytics.NewRulebook("h1", []ward.RuleSetting{off}))
	if slices.ContainsFunc(fs, func(f analytics.Finding) bool { return f.Rule == ward.NobodyAtCounter }) || len(fs) != len(ward.Rules())-3 {
		t.Errorf("a rule that is off, or of stays or blind periods, was asked: %v", fs)
	}
}
