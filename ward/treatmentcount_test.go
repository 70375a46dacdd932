package ward_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/ward"
)

func TestCountTreatment(t *testing.T) {
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	const yes, no, unsure = ward.MatchYes, ward.MatchNo, ward.MatchUnsure
	type moment struct {
		minute int
		answer ward.Match
	}
	for name, c := range map[string]struct {
		minutes               int
		absences              int
		seen                  []moment
		present, open, absent int
	}{
		"nothing was asked":             {240, 1, nil, 0, 240, 0},
		"start and end, too far apart":  {240, 1, []moment{{0, yes}, {240, yes}}, 0, 240, 0},
		"start, every hour, end":        {240, 1, []moment{{0, yes}, {60, yes}, {120, yes}, {180, yes}, {240, yes}}, 240, 0, 0},
		"left after an hour":            {240, 0, []moment{{0, yes}, {60, yes}, {120, no}, {180, no}, {240, no}}, 60, 0, 180},
		"somebody else throughout":      {240, 3, []moment{{0, no}, {120, no}, {240, no}}, 0, 0, 240},
		"one absence is tolerated":      {120, 1, []moment{{0, yes}, {40, no}, {60, yes}, {120, yes}}, 120, 0, 0},
		"none is":                       {120, 0, []moment{{0, yes}, {40, no}, {60, yes}, {120, yes}}, 60, 0, 60},
		"a second one is not":           {120, 1, []moment{{0, yes}, {40, no}, {60, yes}, {90, no}, {120, yes}}, 60, 0, 60},
		"two in a row are two":          {120, 1, []moment{{0, yes}, {20, no}, {40, no}, {60, yes}, {120, yes}}, 60, 0, 60},
		"an unsure face proves nothing": {120, 1, []moment{{0, yes}, {60, unsure}, {120, yes}}, 0, 120, 0},
		"nor between near presences":    {60, 1, []moment{{0, yes}, {30, unsure}, {60, yes}}, 0, 60, 0},
		"away for too long":             {90, 1, []moment{{0, yes}, {10, no}, {60, yes}, {90, yes}}, 30, 0, 60},
		"came late":                     {120, 1, []moment{{60, yes}, {120, yes}}, 60, 60, 0},
		"moments outside count nothing": {60, 1, []moment{{-30, yes}, {0, yes}, {60, yes}, {90, no}}, 60, 0, 0},
		"a session of no length":        {0, 1, []moment{{0, yes}}, 0, 0, 0},
	} {
		var seen []ward.Presence
		for _, m := range c.seen {
			seen = append(seen, ward.Presence{At: at.Add(time.Duration(m.minute) * time.Minute), Answer: m.answer})
		}
		got := ward.CountTreatment(at, at.Add(time.Duration(c.minutes)*time.Minute), seen, ward.TreatmentTolerance{Apart: time.Hour + 30*time.Minute, Absences: c.absences, Absence: 30 * time.Minute})
		want := ward.TreatmentMinutes{Present: time.Duration(c.present) * time.Minute, Open: time.Duration(c.open) * time.Minute, Absent: time.Duration(c.absent) * time.Minute}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

// However a session went: the parts are all of it; one more presence never
// proves less, one more miss never proves more, and more tolerance never less.
func TestTreatmentMinutesAreWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	at := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	moment := func() time.Time { return at.Add(time.Duration(r.IntN(240)) * time.Minute) }
	for range 20000 {
		end := at.Add(time.Duration(1+r.IntN(240)) * time.Minute)
		p := ward.TreatmentTolerance{Apart: time.Duration(10+r.IntN(120)) * time.Minute, Absences: r.IntN(3), Absence: time.Duration(r.IntN(60)) * time.Minute}
		var seen []ward.Presence
		for range r.IntN(8) {
			seen = append(seen, ward.Presence{At: moment(), Answer: []ward.Match{ward.MatchYes, ward.MatchNo, ward.MatchUnsure}[r.IntN(3)]})
		}
		m := ward.CountTreatment(at, end, seen, p)
		if m.Present+m.Open+m.Absent != end.Sub(at) || min(m.Present, m.Open, m.Absent) < 0 {
			t.Fatalf("%v of %v", m, end.Sub(at))
		}
		with := func(a ward.Match) ward.TreatmentMinutes {
			return ward.CountTreatment(at, end, append(append([]ward.Presence{}, seen...), ward.Presence{At: moment(), Answer: a}), p)
		}
		if less := with(ward.MatchNo); less.Present > m.Present {
			t.Fatalf("one more miss: %v, was %v; %v %+v", less, m, seen, p)
		}
		if more := with(ward.MatchYes); more.Present < m.Present {
			t.Fatalf("one more presence: %v, was %v; %v %+v", more, m, seen, p)
		}
		p.Absences++
		if p.Absence > 0 {
			p.Absence += time.Minute
		}
		if more := ward.CountTreatment(at, end, seen, p); more.Present < m.Present {
			t.Fatalf("more tolerance: %v, was %v", more, m)
		}
	}
}
