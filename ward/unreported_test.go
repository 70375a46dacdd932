package ward_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
)

// minute is the n-th minute of a day.
func minute(n float64) time.Time {
	return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC).Add(time.Duration(n * float64(time.Minute)))
}

// outage is reported at a minute for [from, to).
func outage(id ward.OutageID, reported, from, to float64, with ...func(*ward.Outage)) ward.Outage {
	o := ward.Outage{ID: id, InstitutionID: "h1", From: minute(from), To: minute(to), Reported: minute(reported), Late: reported > from}
	for _, f := range with {
		f(&o)
	}
	return o
}

func TestAccount(t *testing.T) {
	cams := func(ids ...ward.CameraID) func(*ward.Outage) { return func(o *ward.Outage) { o.Cameras = ids } }
	places := func(ids ...ward.PlaceID) func(*ward.Outage) { return func(o *ward.Outage) { o.Places = ids } }
	withdrawn := func(at float64) func(*ward.Outage) { return func(o *ward.Outage) { o.Withdrawn = minute(at) } }
	refused := func(o *ward.Outage) { o.Refused = true }
	const lasts = -1 // as the end of a period, or of what is unreported
	for _, c := range []struct {
		name           string
		from, to, seen float64
		outages        []ward.Outage
		planned        ward.OutageID
		unreported     [2]float64 // {0, 0}: nothing
		due            float64    // 0: never
	}{
		{"nobody said anything", 10, 20, 20, nil, "", [2]float64{10, 20}, 0},
		{"a hiccup", 10, 10.99, 20, nil, "", [2]float64{}, 0},
		{"just as long as counts", 10, 11, 20, nil, "", [2]float64{10, 11}, 0},
		{"one that lasts, not long enough yet", 10, lasts, 10.5, nil, "", [2]float64{}, 11},
		{"one that lasts, long enough", 10, lasts, 11, nil, "", [2]float64{10, lasts}, 0},
		{"covered", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30)}, "o", [2]float64{}, 0},
		{"covered to the very second", 10, 20, 20, []ward.Outage{outage("o", 10, 10, 20)}, "o", [2]float64{}, 0},
		{"covered while it lasts; due a minute after the window", 10, lasts, 15, []ward.Outage{outage("o", 0, 5, 30)}, "o", [2]float64{}, 31},
		{"half a minute beyond the window", 10, lasts, 30.5, []ward.Outage{outage("o", 0, 5, 30)}, "", [2]float64{}, 31},
		{"a minute beyond the window", 10, lasts, 31, []ward.Outage{outage("o", 0, 5, 30)}, "", [2]float64{30, lasts}, 0},
		{"it ended half a minute beyond", 10, 30.5, 40, []ward.Outage{outage("o", 0, 5, 30)}, "", [2]float64{}, 0},
		{"it ended two minutes beyond", 10, 32, 40, []ward.Outage{outage("o", 0, 5, 30)}, "", [2]float64{30, 32}, 0},
		{"it began before the window", 3, 20, 20, []ward.Outage{outage("o", 0, 5, 30)}, "", [2]float64{3, 5}, 0},
		{"it began half a minute before the window", 4.5, 20, 20, []ward.Outage{outage("o", 0, 5, 30)}, "", [2]float64{}, 0},
		{"reported after the window's beginning", 10, 20, 20, []ward.Outage{outage("o", 6, 5, 30)}, "", [2]float64{10, 20}, 0},
		{"reported when it was blind already, for a little later", 10, 20, 20, []ward.Outage{outage("o", 10.2, 10.5, 30)}, "", [2]float64{10, 20}, 0},
		{"gone on from what was covered", 10, 40, 50, []ward.Outage{outage("a", 0, 5, 30), outage("b", 25, 30, 60)}, "a", [2]float64{}, 0},
		{"gone on after a hole", 10, 40, 50, []ward.Outage{outage("a", 0, 5, 30), outage("b", 25, 30.5, 60)}, "", [2]float64{30, 40}, 0},
		{"two that overlap", 10, 40, 50, []ward.Outage{outage("b", 0, 20, 60), outage("a", 0, 5, 30)}, "a", [2]float64{}, 0},
		{"one within another", 10, 40, 50, []ward.Outage{outage("b", 0, 15, 20), outage("a", 0, 5, 60)}, "a", [2]float64{}, 0},
		{"two with a hole", 10, 40, 50, []ward.Outage{outage("a", 0, 5, 20), outage("b", 0, 25, 60)}, "", [2]float64{20, 25}, 0},
		{"two with a hole that is to come", 10, lasts, 15, []ward.Outage{outage("a", 0, 5, 20), outage("b", 0, 25, 60)}, "a", [2]float64{}, 21},
		{"a short hole that is to come does not count", 10, lasts, 15, []ward.Outage{outage("a", 0, 5, 20), outage("b", 0, 20.5, 60)}, "a", [2]float64{}, 61},
		{"not accepted", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, refused)}, "", [2]float64{10, 20}, 0},
		{"not accepted, another is", 10, 20, 20, []ward.Outage{outage("a", 0, 5, 30, refused), outage("b", 0, 5, 30)}, "b", [2]float64{}, 0},
		{"withdrawn before its beginning", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, withdrawn(4))}, "", [2]float64{10, 20}, 0},
		{"withdrawn meanwhile", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, withdrawn(15))}, "", [2]float64{15, 20}, 0},
		{"withdrawn after it saw again", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, withdrawn(21))}, "o", [2]float64{}, 0},
		{"of its camera", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, cams("c0", "c1"))}, "o", [2]float64{}, 0},
		{"of another camera", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, cams("c0"))}, "", [2]float64{10, 20}, 0},
		{"of its place", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, places("p1"))}, "o", [2]float64{}, 0},
		{"of another place, and its camera", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, places("p2"), cams("c1"))}, "o", [2]float64{}, 0},
		{"of another place", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, places("p2"))}, "", [2]float64{10, 20}, 0},
		{"of another institution", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 30, func(o *ward.Outage) { o.InstitutionID = "h2" })}, "", [2]float64{10, 20}, 0},
		{"over before it began", 10, 20, 20, []ward.Outage{outage("o", 0, 5, 10)}, "", [2]float64{10, 20}, 0},
		{"after it ended", 10, 20, 20, []ward.Outage{outage("o", 0, 20, 30)}, "", [2]float64{10, 20}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := ward.BlindPeriod{CameraID: "c1", PlaceID: "p1", InstitutionID: "h1", From: minute(c.from)}
			if c.to != lasts {
				b.To = minute(c.to)
			}
			want := ward.Accounting{Planned: c.planned}
			if c.unreported[1] != 0 {
				want.Unreported.From = minute(c.unreported[0])
				if c.unreported[1] != lasts {
					want.Unreported.To = minute(c.unreported[1])
				}
			}
			if c.due != 0 {
				want.Due = minute(c.due)
			}
			for range 2 {
				if got := b.Account(c.outages, time.Minute, minute(c.seen)); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				slices.Reverse(c.outages) // their order does not matter
			}
		})
	}
}

func TestCoveredAt(t *testing.T) {
	b := ward.BlindPeriod{CameraID: "c1", PlaceID: "p1", InstitutionID: "h1", From: minute(10), To: minute(40)}
	outages := []ward.Outage{outage("a", 0, 5, 20), outage("b", 0, 25, 60), outage("late", 22, 21, 24)}
	for at, want := range map[float64]bool{10: true, 19.9: true, 20: false, 22: false, 25: true, 39: true} {
		if got := b.CoveredAt(outages, minute(at)); got != want {
			t.Errorf("at %v: %v", at, got)
		}
	}
}

func TestOutageSteps(t *testing.T) {
	fresh := func() ward.Outage { return outage("o", 0, 5, 30, func(o *ward.Outage) { o.Version = 1 }) }
	for _, c := range []struct {
		name  string
		at    float64
		steps []ward.OutageAction
		note  string
		code  string // of the error of the last step
	}{
		{"withdrawn", 10, []ward.OutageAction{ward.OutageWithdraw}, "", ""},
		{"withdrawn twice", 10, []ward.OutageAction{ward.OutageWithdraw, ward.OutageWithdraw}, "", "outage.withdrawn"},
		{"withdrawn when it is over", 30, []ward.OutageAction{ward.OutageWithdraw}, "", "outage.over"},
		{"refused", 40, []ward.OutageAction{ward.OutageRefuse}, "无检修单", ""},
		{"refused without a reason", 40, []ward.OutageAction{ward.OutageRefuse}, "", "outage.note"},
		{"refused twice", 40, []ward.OutageAction{ward.OutageRefuse, ward.OutageRefuse}, "无检修单", "outage.refused"},
		{"refused, then accepted", 40, []ward.OutageAction{ward.OutageRefuse, ward.OutageAccept}, "补交检修单", ""},
		{"accepted, as it is", 40, []ward.OutageAction{ward.OutageAccept}, "", "outage.accepted"},
		{"withdrawn, and refused all the same", 10, []ward.OutageAction{ward.OutageWithdraw, ward.OutageRefuse}, "无检修单", ""},
		{"reported again", 10, []ward.OutageAction{ward.OutageReport}, "", "outage.action"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := fresh()
			var err error
			for i, s := range c.steps {
				was := o
				err = o.Apply(s, "u1", minute(c.at), c.note)
				if last := i == len(c.steps)-1; !last && err != nil || err != nil && o.Version != was.Version || err == nil && (o.Version != was.Version+1 || o.Action != s || o.ChangedBy != "u1") {
					t.Fatalf("step %d: %+v, %v", i, o, err)
				}
			}
			code := ""
			if e := (*ward.Error)(nil); errors.As(err, &e) {
				code = e.Code
			}
			if code != c.code {
				t.Errorf("got %q, want %q", code, c.code)
			}
		})
	}
}

func TestOutageCheck(t *testing.T) {
	for _, c := range []struct {
		from, to, now float64
		reason, code  string
	}{
		{10, 20, 0, "检修", ""},
		{10, 20, 15, "检修", ""}, // late: kept all the same
		{10, 20, 60, "检修", ""},
		{20, 20, 0, "检修", "outage.window"},
		{0, 31*24*60 + 1, 0, "检修", "outage.window"},
		{10, 20, 32 * 24 * 60, "检修", "outage.from"},
		{370 * 24 * 60, 370*24*60 + 1, 0, "检修", "outage.from"},
		{10, 20, 0, "", "outage.reason"},
	} {
		o := outage("o", c.now, c.from, c.to, func(o *ward.Outage) { o.Reason = c.reason })
		err := o.Check(minute(c.now))
		code := ""
		if e := (*ward.Error)(nil); errors.As(err, &e) {
			code = e.Code
		}
		if code != c.code {
			t.Errorf("%+v: got %q", c, code)
		}
	}
}
