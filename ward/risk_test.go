package ward_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/ward"
)

func TestRisk(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name                        string
		f                           ward.RiskFacts
		alerts, unseen, stay, place int
	}{
		{name: "nothing known", f: ward.RiskFacts{}},
		{"one confirmed", ward.RiskFacts{Confirmed: 1}, 20, 0, 0, 0},
		{"one open", ward.RiskFacts{Open: 1}, 10, 0, 0, 0},
		{"many alerts", ward.RiskFacts{Confirmed: 3, Open: 9}, 40, 0, 0, 0},
		{"bills", ward.RiskFacts{Unseen: 2, Unwatched: 3}, 0, 13, 0, 0},
		{"many bills", ward.RiskFacts{Unseen: 50}, 0, 25, 0, 0},
		{"two weeks", ward.RiskFacts{Stay: 14*day + time.Hour}, 0, 0, 0, 0},
		{"15 days", ward.RiskFacts{Stay: 15 * day}, 0, 0, 1, 0},
		{"a year", ward.RiskFacts{Stay: 365 * day}, 0, 0, 20, 0},
		{"to come", ward.RiskFacts{Stay: -day}, 0, 0, 0, 0},
		{"institution", ward.RiskFacts{PlaceAlerts: 7, PlaceBills: 2000}, 0, 0, 0, 3},
		{"bad institution", ward.RiskFacts{PlaceAlerts: 9, PlaceBills: 9}, 0, 0, 0, 15},
		{"alerts without bills", ward.RiskFacts{PlaceAlerts: 9}, 0, 0, 0, 0},
	} {
		r := ward.RiskOf(c.f)
		got := map[ward.RiskPartKind]int{}
		for _, p := range r.Parts {
			got[p.Kind] = p.Points
		}
		if got[ward.RiskAlerts] != c.alerts || got[ward.RiskUnseen] != c.unseen || got[ward.RiskStay] != c.stay || got[ward.RiskPlace] != c.place || r.Score != c.alerts+c.unseen+c.stay+c.place {
			t.Errorf("%s: %d of %v", c.name, r.Score, got)
		}
	}
}

// TestRiskIsBounded: 0 to 100, every part explained, and more of anything is never less.
func TestRiskIsBounded(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 1000)
		f := ward.RiskFacts{
			Confirmed: n.Draw(r, "confirmed"), Open: n.Draw(r, "open"), Stay: time.Duration(n.Draw(r, "days")) * 24 * time.Hour,
			Unseen: n.Draw(r, "unseen"), Unwatched: n.Draw(r, "unwatched"), PlaceAlerts: n.Draw(r, "alerts"), PlaceBills: n.Draw(r, "bills"),
		}
		was := ward.RiskOf(f)
		most := 0
		for _, p := range was.Parts {
			most += p.Most
			if p.Points < 0 || p.Points > p.Most || p.ZH == "" || p.EN == "" {
				r.Fatalf("%+v", p)
			}
		}
		if was.Score < 0 || was.Score > 100 || most != 100 || was.Version != ward.RiskVersion {
			r.Fatalf("%+v", was)
		}
		f.Confirmed, f.Unseen, f.Stay = f.Confirmed+1, f.Unseen+1, f.Stay+24*time.Hour
		if ward.RiskOf(f).Score < was.Score {
			r.Fatal("more is less")
		}
	})
}
