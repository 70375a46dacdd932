package ward_test

import (
	"testing"
	"time"

	"wardwatch/ward"
)

func TestIdentityIsJudged(t *testing.T) {
	enrolled := ward.Insured{ID: "i-1", Template: ward.Template{1, 0}, ModelID: "m"}
	for name, c := range map[string]struct {
		p      ward.Insured
		face   ward.Template
		model  string
		answer ward.Match
		reason ward.IdentityReason
	}{
		"the same":        {enrolled, ward.Template{1, 0}, "m", ward.MatchYes, ward.IdentityTold},
		"between":         {enrolled, ward.Template{.5, .866}, "m", ward.MatchUnsure, ward.IdentityClose},
		"another":         {enrolled, ward.Template{0, 1}, "m", ward.MatchNo, ward.IdentityTold},
		"not enrolled":    {ward.Insured{ID: "i-2"}, ward.Template{1, 0}, "m", ward.MatchUnsure, ward.IdentityNotEnrolled},
		"other model":     {enrolled, ward.Template{1, 0}, "n", ward.MatchUnsure, ward.IdentityOtherModel},
		"other length":    {enrolled, ward.Template{1}, "m", ward.MatchUnsure, ward.IdentityOtherModel},
		"nothing to tell": {enrolled, nil, "m", ward.MatchUnsure, ward.IdentityPoor},
	} {
		var v ward.IdentityCheck
		if v.Judge(c.p.Template, c.p.ModelID, c.face, c.model, ward.DefaultFaceThresholds); v.Answer != c.answer || v.Reason != c.reason {
			t.Errorf("%s: got %s %q, want %s %q", name, v.Answer, v.Reason, c.answer, c.reason)
		}
		if zh, en := v.Reason.Told(); (zh == "") != (v.Reason == "") || (en == "") != (v.Reason == "") {
			t.Errorf("%s: told %q %q", name, zh, en)
		}
	}
}

func TestFaceAtCounter(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	seen := func(id string, kind ward.SightingKind, ago time.Duration, change ...func(*ward.Sighting)) ward.Sighting {
		v := ward.Sighting{ID: ward.SightingID(id), CameraID: "c", Kind: kind, From: now.Add(-time.Minute), To: now.Add(-ago), ModelID: "m"}
		if kind == ward.FaceSeen {
			v.Template = ward.Template{1, 0}
		}
		for _, f := range change {
			f(&v)
		}
		return v
	}
	watched := seen("w", ward.Watched, time.Second)
	stranger := func(v *ward.Sighting) { v.Template = ward.Template{0, 1} }
	poor := func(v *ward.Sighting) { v.Template = nil }
	staff := func(v *ward.Sighting) { v.Zone = ward.StaffZone }
	elsewhere := func(v *ward.Sighting) { v.CameraID = "d" }
	face := func(id string, ago time.Duration, change ...func(*ward.Sighting)) ward.Sighting {
		return seen(id, ward.FaceSeen, ago, change...)
	}
	for name, c := range map[string]struct {
		seen []ward.Sighting
		want string
		why  ward.IdentityReason
	}{
		"nothing":            {nil, "", ward.IdentityNoPicture},
		"watched long ago":   {[]ward.Sighting{seen("w", ward.Watched, time.Minute)}, "", ward.IdentityNoPicture},
		"nobody":             {[]ward.Sighting{watched}, "", ward.IdentityNoFace},
		"one":                {[]ward.Sighting{watched, face("a", time.Second)}, "a", ""},
		"one, too old":       {[]ward.Sighting{watched, face("a", 11*time.Second)}, "", ward.IdentityNoFace},
		"by a clock ahead":   {[]ward.Sighting{watched, face("a", -time.Minute)}, "", ward.IdentityNoFace},
		"the newest":         {[]ward.Sighting{face("a", 8*time.Second, stranger), face("b", time.Second)}, "b", ""},
		"the same one twice": {[]ward.Sighting{face("a", 2*time.Second), face("b", time.Second)}, "b", ""},
		"two":                {[]ward.Sighting{face("a", 2*time.Second, stranger), face("b", time.Second)}, "", ward.IdentityManyFaces},
		"one unclear beside": {[]ward.Sighting{face("a", 2*time.Second, poor), face("b", time.Second)}, "", ward.IdentityManyFaces},
		"unclear":            {[]ward.Sighting{face("a", time.Second, poor)}, "a", ward.IdentityPoor},
		"staff beside":       {[]ward.Sighting{face("a", time.Second, stranger, staff), face("b", 2*time.Second)}, "b", ""},
		"staff alone":        {[]ward.Sighting{watched, face("a", time.Second, staff)}, "", ward.IdentityNoFace},
		"by another camera":  {[]ward.Sighting{watched, face("a", time.Second, elsewhere)}, "", ward.IdentityNoFace},
	} {
		got, why := ward.FaceAtCounter(c.seen, "c", now, ward.IdentityFresh, ward.DefaultFaceThresholds)
		if string(got.ID) != c.want || why != c.why {
			t.Errorf("%s: got %q %q, want %q %q", name, got.ID, why, c.want, c.why)
		}
	}
}
