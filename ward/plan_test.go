package ward_test

import (
	"testing"
	"time"

	"wardwatch/ward"
)

func TestWeeklyPlan(t *testing.T) {
	s := ward.PlanSpec{Reason: "抽查", Ward: "内一", Method: ward.ByHand, DeadlineMinutes: 30, Weekly: true, Weekdays: []int{2, 4}, From: 9 * 60, To: 17 * 60}
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC) // a Sunday, 23:00 in Shanghai
	if err := s.Check(now); err != nil {
		t.Fatal(err)
	}
	shanghai := time.FixedZone("", 8*60*60)
	least, most := func(int) int { return 0 }, func(n int) int { return n - 1 }
	for _, c := range []struct {
		name string
		got  time.Time
		want string
	}{
		{"earliest", s.First(now, least), "2026-11-24 09:00:00"},
		{"latest", s.First(now, most), "2026-11-26 16:59:59"},
		{"the week after", s.After(s.First(now, most), least), "2026-12-01 09:00:00"},
		{"the week after, latest", s.After(s.First(now, least), most), "2026-12-03 16:59:59"},
		{"over New Year", s.After(time.Date(2026, 12, 31, 3, 0, 0, 0, time.UTC), least), "2027-01-05 09:00:00"},
	} {
		if got := c.got.In(shanghai).Format(time.DateTime); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if once := (&ward.PlanSpec{Start: now}); !once.After(now, least).IsZero() {
		t.Error("a single start is repeated")
	}
}

func TestPlansThatAreRefused(t *testing.T) {
	now := time.Now()
	good := ward.PlanSpec{Reason: "抽查", Ward: "内一", Method: ward.ByHand, DeadlineMinutes: 30, Start: now.Add(time.Hour)}
	if err := good.Check(now); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*ward.PlanSpec){
		"no reason":                   func(s *ward.PlanSpec) { s.Reason = " " },
		"no beds":                     func(s *ward.PlanSpec) { s.Ward = "" },
		"a draw of none":              func(s *ward.PlanSpec) { s.Method = ward.ByDraw },
		"a start in the past":         func(s *ward.PlanSpec) { s.Start = now },
		"a reminder at the start":     func(s *ward.PlanSpec) { s.RemindMinutes = 30 },
		"weekly with a start":         func(s *ward.PlanSpec) { s.Weekly, s.Weekdays, s.To = true, []int{1}, 600 },
		"weekly on no day":            func(s *ward.PlanSpec) { s.Weekly, s.Start, s.To = true, time.Time{}, 600 },
		"weekly on an unknown day":    func(s *ward.PlanSpec) { s.Weekly, s.Start, s.Weekdays, s.To = true, time.Time{}, []int{8}, 600 },
		"weekly in no time of a day":  func(s *ward.PlanSpec) { s.Weekly, s.Start, s.Weekdays = true, time.Time{}, []int{1} },
		"a deadline of more than day": func(s *ward.PlanSpec) { s.DeadlineMinutes = 1441 },
	} {
		s := good
		change(&s)
		if err := s.Check(now); ward.KindOf(err) != ward.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
