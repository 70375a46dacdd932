package ward_test

import (
	"testing"
	"time"

	"wardwatch/ward"
)

func TestDutyOutcomes(t *testing.T) {
	fence := &ward.Fence{Datum: ward.WGS84, Center: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Radius: 200}
	near := &ward.Fix{At: ward.GeoPoint{Lat: 31.2, Lon: 121.4}, Accuracy: 20}
	rough := &ward.Fix{At: near.At, Accuracy: 900}
	far := &ward.Fix{At: ward.GeoPoint{Lat: 31.4, Lon: 121.4}, Accuracy: 20}
	for name, c := range map[string]struct {
		face  ward.Match
		fence *ward.Fence
		fix   *ward.Fix
		place ward.DutyPlace
		want  ward.DutyOutcome
	}{
		"face and place":            {ward.MatchYes, fence, near, ward.DutyInside, ward.DutyVerified},
		"no fence":                  {ward.MatchYes, nil, near, ward.DutyUnchecked, ward.DutyUnplaced},
		"no position":               {ward.MatchYes, fence, nil, ward.DutyNotGiven, ward.DutyUnplaced},
		"a position too rough":      {ward.MatchYes, fence, rough, ward.DutyVague, ward.DutyUnplaced},
		"no place on earth":         {ward.MatchYes, fence, &ward.Fix{}, ward.DutyBadFix, ward.DutyUnplaced},
		"outside":                   {ward.MatchYes, fence, far, ward.DutyOutside, ward.DutyRefused},
		"another face":              {ward.MatchNo, fence, near, ward.DutyInside, ward.DutyRefused},
		"a face that is not clear":  {ward.MatchUnsure, fence, near, ward.DutyInside, ward.DutyUnsure},
		"neither clear nor inside":  {ward.MatchUnsure, fence, far, ward.DutyOutside, ward.DutyUnsure},
		"another face, not checked": {ward.MatchNo, nil, nil, ward.DutyUnchecked, ward.DutyRefused},
	} {
		place := ward.DutyPlaceOf(c.fence, c.fix)
		if got := ward.DutyOutcomeOf(c.face, place); place != c.place || got != c.want {
			t.Errorf("%s: got %s, %s; want %s, %s", name, place, got, c.place, c.want)
		}
	}
}

func TestMayBill(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	start := func(inst ward.InstitutionID, o ward.DutyOutcome, r ward.IdentityReason) ward.Duty {
		d := ward.Duty{ID: ward.DutyID(inst) + "-" + ward.DutyID(o), PhysicianID: "ph", InstitutionID: inst, Outcome: o, Reason: r, At: at, Until: at.Add(time.Hour)}
		if !o.Open() && o != ward.DutyUnsure {
			d.Until = d.At
		}
		return d
	}
	here := ward.Physician{ID: "ph", Institutions: []ward.InstitutionID{"h1"}}
	left := ward.Physician{ID: "ph", Institutions: []ward.InstitutionID{"h1"}, Left: true}
	away := ward.Physician{ID: "ph", Institutions: []ward.InstitutionID{"h2"}}
	verified, unplaced, unsure := start("h1", ward.DutyVerified, ""), start("h1", ward.DutyUnplaced, ""), start("h1", ward.DutyUnsure, ward.IdentityPoor)
	late := 2 * time.Hour // now
	for name, c := range map[string]struct {
		p     ward.Physician
		tried []ward.Duty
		after time.Duration // of the prescription after the start
		now   time.Duration
		want  ward.Billable
		why   ward.DutyReason
	}{
		"verified":                     {here, []ward.Duty{verified}, time.Minute, late, ward.BillYes, ""},
		"at the very start":            {here, []ward.Duty{verified}, 0, late, ward.BillYes, ""},
		"before the start":             {here, []ward.Duty{verified}, -1, late, ward.BillNo, ward.DutyNone},
		"when the window ends":         {here, []ward.Duty{verified}, time.Hour, late, ward.BillNo, ward.DutyNone},
		"verified, and unsure later":   {here, []ward.Duty{verified, unsure}, time.Minute, late, ward.BillYes, ""},
		"unsure, then verified":        {here, []ward.Duty{unsure, verified}, time.Minute, late, ward.BillYes, ""},
		"position not checked":         {here, []ward.Duty{unplaced}, time.Minute, late, ward.CannotSay, ward.DutyPlaceless},
		"face not told":                {here, []ward.Duty{unsure}, time.Minute, late, ward.CannotSay, ward.DutyFaceUnsure},
		"not enrolled":                 {here, []ward.Duty{start("h1", ward.DutyUnsure, ward.IdentityNotEnrolled)}, time.Minute, late, ward.CannotSay, ward.DutyNotEnrolled},
		"refused":                      {here, []ward.Duty{start("h1", ward.DutyRefused, "")}, time.Minute, late, ward.BillNo, ward.DutyNone},
		"on duty elsewhere":            {here, []ward.Duty{start("h2", ward.DutyVerified, "")}, time.Minute, late, ward.BillNo, ward.DutyAway},
		"unsure here, on elsewhere":    {here, []ward.Duty{unsure, start("h2", ward.DutyUnplaced, "")}, time.Minute, late, ward.BillNo, ward.DutyAway},
		"tried elsewhere in vain":      {here, []ward.Duty{start("h2", ward.DutyUnsure, "")}, time.Minute, late, ward.BillNo, ward.DutyNone},
		"not registered here":          {away, []ward.Duty{start("h2", ward.DutyVerified, "")}, time.Minute, late, ward.BillNo, ward.DutyNotHere},
		"registered here at that time": {away, []ward.Duty{verified}, time.Minute, late, ward.BillYes, ""},
		"left":                         {left, nil, time.Minute, late, ward.BillNo, ward.DutyNotHere},
		"left since":                   {left, []ward.Duty{verified}, time.Minute, late, ward.BillYes, ""},
		"a moment to come":             {here, []ward.Duty{verified}, 30 * time.Minute, time.Minute, ward.CannotSay, ward.DutyFuture},
		"nobody known":                 {ward.Physician{}, nil, time.Minute, late, ward.BillNo, ward.DutyNotHere},
	} {
		got, why, d := ward.MayBill(c.p, c.tried, "h1", at.Add(c.after), at.Add(c.now))
		if got != c.want || why != c.why || (got == ward.BillYes) != (d.Outcome == ward.DutyVerified) {
			t.Errorf("%s: got %s %q %+v, want %s %q", name, got, why, d, c.want, c.why)
		}
		if zh, en := why.Told(); zh == "" || en == "" {
			t.Errorf("%s: %q has no words", name, why)
		}
	}
}

func TestNewestDutyPolicyCounts(t *testing.T) {
	all := []ward.DutyPolicy{{Version: 1, WindowMinutes: 60}, {Version: 2, InstitutionID: "h1", WindowMinutes: 30}, {Version: 3, WindowMinutes: 90}, {Version: 4, InstitutionID: "h2", WindowMinutes: 45}}
	for inst, want := range map[ward.InstitutionID]int{"h1": 30, "h2": 45, "h3": 90} {
		if got := ward.DutyPolicyFor(all, inst); got.WindowMinutes != want {
			t.Errorf("%s: %d minutes, want %d", inst, got.WindowMinutes, want)
		}
	}
	if got := ward.DutyPolicyFor(nil, "h1"); got.Window() != 4*time.Hour || got.Version != 0 {
		t.Errorf("built in: %+v", got)
	}
}
