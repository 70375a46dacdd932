package analytics_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/ward"
)

// somebodyAt is a person at a place in the picture, with a face or without.
type somebodyAt struct {
	x, y float32       // of the body, a tenth of the picture wide
	face ward.Template // nil: no face that can be compared
}

func (s somebodyAt) seen() (ward.Person, []ward.Face) {
	p := ward.Person{Box: ward.Box{X: s.x, Y: s.y, W: .1, H: .4}, Score: .9}
	if s.face == nil {
		return p, nil
	}
	return p, []ward.Face{{Box: ward.Box{X: s.x + .03, Y: s.y + .02, W: .04, H: .06}, Score: .9, EyePx: 40, Sharp: 100, Bright: 120, Template: s.face}}
}

// TestLoitering: who stays at the counter or in the queue for longer than ten
// minutes without a settlement loiters, from when they came on.
func TestLoitering(t *testing.T) {
	t.Parallel()
	one, two := person(1, 1), person(2, 1)
	at := func(x, y float32, face ward.Template) []somebodyAt { return []somebodyAt{{x, y, face}} }
	all := func(int) []somebodyAt { return at(.2, .1, nil) }
	zones := []ward.Zone{
		{Kind: ward.CustomerZone, Polygon: []ward.Point{{X: 0, Y: 0}, {X: .45, Y: 0}, {X: .45, Y: .55}, {X: 0, Y: .55}}},
		{Kind: ward.QueueZone, Polygon: []ward.Point{{X: 0, Y: .55}, {X: .45, Y: .55}, {X: .45, Y: 1}, {X: 0, Y: 1}}},
		{Kind: ward.StaffZone, Polygon: []ward.Point{{X: .55, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: .55, Y: 1}}},
	}
	bill := func(second int, of ward.Template) analytics.Use {
		return analytics.Use{At: swipe.Add(time.Duration(second) * time.Second), Person: analytics.Person{ModelID: "m", Template: of}}
	}
	type span struct{ from, to int } // seconds
	cases := []struct {
		name    string
		there   func(second int) []somebodyAt
		zones   []ward.Zone
		settled []analytics.Use
		limit   time.Duration
		want    []span
	}{
		{name: "twelve minutes", there: func(s int) []somebodyAt { return map[bool][]somebodyAt{true: all(s)}[s < 720] }, limit: 10 * time.Minute, want: []span{{0, 719}}},
		{name: "nine minutes", there: func(s int) []somebodyAt { return map[bool][]somebodyAt{true: all(s)}[s < 540] }, limit: 10 * time.Minute},
		{name: "the rule is off", there: all},
		{name: "settled at once", there: all, limit: 10 * time.Minute, settled: []analytics.Use{bill(30, nil)}, want: []span{{30, 899}}},
		{name: "settled again and again", there: all, limit: 10 * time.Minute, settled: []analytics.Use{bill(300, nil), bill(700, nil)}},
		{name: "others settle", there: func(int) []somebodyAt { return at(.2, .1, one) }, limit: 10 * time.Minute, settled: []analytics.Use{bill(300, two), bill(700, two)}, want: []span{{0, 899}}},
		{name: "the same person settles", there: func(int) []somebodyAt { return at(.2, .1, one) }, limit: 10 * time.Minute, settled: []analytics.Use{bill(400, one)}},
		{name: "people who take turns, without faces", there: func(s int) []somebodyAt {
			if s%120 < 5 { // nobody
				return nil
			}
			return all(s)
		}, limit: 10 * time.Minute},
		{name: "people who take turns at once, by their faces", there: func(s int) []somebodyAt {
			return at(.2, .1, person(1+s/120, 1))
		}, limit: 10 * time.Minute},
		{name: "one who steps aside for half a minute, by the face", there: func(s int) []somebodyAt {
			if s%120 < 30 {
				return nil
			}
			return at(.05+.1*float32(s/120%3), .1, one)
		}, limit: 10 * time.Minute, want: []span{{30, 899}}},
		{name: "one who goes away for five minutes", there: func(s int) []somebodyAt {
			if s >= 300 && s < 600 {
				return nil
			}
			return at(.2, .1, one)
		}, limit: 10 * time.Minute},
		{name: "in the queue", there: func(int) []somebodyAt { return at(.2, .6, nil) }, zones: zones, limit: 10 * time.Minute, want: []span{{0, 899}}},
		{name: "from the queue to the counter", there: func(s int) []somebodyAt { return at(.2, .6-.5*float32(s)/900, nil) }, zones: zones, limit: 10 * time.Minute, want: []span{{0, 899}}},
		{name: "the staff", there: func(int) []somebodyAt { return at(.7, .1, one) }, zones: zones, limit: 10 * time.Minute},
		{name: "the staff, and no zone of customers", there: func(int) []somebodyAt { return at(.7, .1, one) }, zones: zones[2:], limit: 10 * time.Minute},
		{name: "between the zones", there: func(int) []somebodyAt { return at(.45, .1, one) }, zones: zones, limit: 10 * time.Minute},
		{name: "two of whom one stays", there: func(s int) []somebodyAt {
			return append(at(.05, .1, person(3+s/100, 1)), somebodyAt{.3, .1, one})
		}, limit: 10 * time.Minute, want: []span{{0, 899}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := 0
			d := analytics.Debouncer{Camera: ward.Camera{ID: "c1"}, Zones: c.zones, Loiter: c.limit, Settled: c.settled, NewID: func(time.Time) ward.SightingID {
				n++
				return ward.SightingID(rune('a' + n))
			}}
			got := map[ward.SightingID]ward.Sighting{}
			keep := func(cs []analytics.Change) {
				for _, change := range cs {
					if change.Sighting.Kind == ward.LoitererSeen {
						got[change.Sighting.ID] = change.Sighting
					}
				}
			}
			for s := range 900 {
				seen := ward.Seen{ModelID: "m"}
				for _, p := range c.there(s) {
					body, faces := p.seen()
					seen.People, seen.Faces = append(seen.People, body), append(seen.Faces, faces...)
				}
				keep(d.Step(seen, swipe.Add(time.Duration(s)*time.Second)))
			}
			keep(d.Close())
			if len(got) != len(c.want) {
				t.Fatalf("%d are loitering: %+v", len(got), got)
			}
			for _, v := range got {
				if from, to := int(v.From.Sub(swipe).Seconds()), int(v.To.Sub(swipe).Seconds()); from != c.want[0].from || to != c.want[0].to {
					t.Errorf("from %d to %d, want %+v", from, to, c.want)
				}
			}
		})
	}
}

// TestLoiteringIsStored: the watcher asks how long somebody may stay and what
// was settled, and the timeline shows who loiters.
func TestLoiteringIsStored(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	show := map[int]ward.Seen{}
	for n := range 150 {
		show[n] = faced(.4, person(1, 1))
	}
	s.swiped(100, "p1", "i1", 0)
	w := s.watcher(eye(show, never))
	w.Loiter = func(context.Context) time.Duration { return time.Minute }
	s.play(w, 0, 149)
	got, err := s.SightingsOf(t.Context(), "p1", "c1", s.at(0), s.at(1000), 1000)
	s.must(err)
	got = slices.DeleteFunc(got, func(v ward.Sighting) bool { return v.Kind != ward.LoitererSeen })
	if len(got) != 1 || !got[0].From.Equal(s.at(0)) || !got[0].To.Equal(s.at(99)) {
		t.Errorf("loitering %+v", got)
	}
}

// TestLoiteringIsNeverLive: it raises no alerts.
func TestLoiteringIsNeverLive(t *testing.T) {
	t.Parallel()
	for mode, fine := range map[ward.RuleMode]bool{ward.RuleLive: false, ward.RuleShadow: true, ward.RuleOff: true} {
		r := ward.RuleSetting{Rule: ward.Loitering, Mode: mode}
		if err := r.Check(); (err == nil) != fine {
			t.Errorf("%s: %v", mode, err)
		}
	}
	for _, f := range analytics.Judge(ward.Settlement{ID: "s", At: swipe}, analytics.Window{}, analytics.NewRulebook("", nil)) {
		if f.Rule == ward.Loitering {
			t.Errorf("%+v", f)
		}
	}
}
