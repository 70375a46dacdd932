package rounds_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// hire makes the clip's person a physician of two institutions, each with a fence.
func (r *rig) hire(name string, frame int) {
	r.t.Helper()
	r.admit("", 0)
	ctx := r.t.Context()
	must := func(err error) {
		r.t.Helper()
		if err != nil {
			r.t.Fatal(err)
		}
	}
	s := pool.NewSession(ward.H264)
	defer s.Close()
	seen, ok, err := s.See(ctx, clip(r.t, name, false).Frames[frame], true, vision.WantTemplates)
	must(err)
	if !ok || len(seen.Faces) != 1 {
		r.t.Fatalf("no face to enrol: %+v", seen)
	}
	must(r.store.PutInstitution(ctx, ward.Institution{ID: "h2", Name: "第二人民医院"}))
	r.fence(r.inst, house)
	r.fence("h2", house)
	both := []ward.InstitutionID{r.inst, "h2"}
	must(r.store.PutPhysicians(ctx, []ward.Physician{{ID: "ph", Name: "华医师", Institutions: both}, {ID: "ph-new", Name: "新医师", Institutions: both}}))
	must(r.store.EnrolPhysician(ctx, "ph", seen.Faces[0].Template, seen.ModelID))
}

// fence is where the institution's physicians have to be from now on.
func (r *rig) fence(inst ward.InstitutionID, at ward.GeoPoint) {
	r.t.Helper()
	old, err := r.store.DutyPolicyFor(r.t.Context(), inst)
	if err == nil {
		_, err = r.store.SetDutyPolicy(r.t.Context(), ward.DutyPolicy{
			Version: old.Version, InstitutionID: inst, WindowMinutes: 60, Reason: "试行",
			Fence: &ward.Fence{Datum: ward.WGS84, Center: at, Radius: 200},
		})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestDutyByLink begins shifts through the whole engine: only a live face that
// matches, inside the fence, opens the window, at one institution; what a
// visit by a link says can be judged again from its recording.
func TestDutyByLink(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		clip    string
		does    simbed.Behaviour
		before  func(*rig)
		verdict ward.Verdict
		outcome ward.DutyOutcome // none: no start came of it
	}{
		{"the physician", "franck", simbed.Genuine, nil, ward.Present, ward.DutyVerified},
		{"somebody else", impostor, simbed.Genuine, nil, ward.Mismatch, ward.DutyRefused},
		{"a film that goes round", "franck", simbed.Loop, nil, ward.Unable, ward.DutyRefused},
		{"outside the fence", "franck", simbed.Genuine, func(r *rig) {
			r.fence(r.inst, ward.GeoPoint{Lat: house.Lat + 1, Lon: house.Lon})
		}, ward.Present, ward.DutyRefused},
		{"at two places", "franck", simbed.Genuine, func(r *rig) { r.onDuty("h2") }, ward.Present, ward.DutyElsewhere},
		{"declined", "", simbed.Refuse, nil, ward.Refused, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.hire("franck", 125)
			open := 0
			if c.before != nil {
				c.before(r)
			}
			if c.outcome == ward.DutyVerified || c.outcome == ward.DutyElsewhere {
				open = 1
			}
			_, link, err := r.engine.OrderDuty(t.Context(), inspector, rounds.DutyLink{InstitutionID: r.inst, Physician: "ph", Reason: "上岗核验", Deadline: time.Now().Add(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			res, err := r.answer(link.Token, c.does, c.clip)
			if err != nil {
				t.Fatalf("%v\n%s", err, r.story(link.Visit.ID))
			}
			if res.Notice["purpose"] != string(ward.ForDuty) || res.Notice["name_masked"] != "华*" || res.Notice["position"] != true || res.Notice["codes"] != false {
				t.Errorf("notice %v", res.Notice)
			}
			v := r.sealed(link.Visit.ID, sessionMax)
			var d ward.Duty
			if v.DutyID != "" {
				if d, err = r.store.Duty(t.Context(), v.DutyID); err != nil || d.VisitID != v.ID || d.PhysicianID != "ph" || d.By != inspector.ID || d.Leaf <= v.Leaf {
					t.Errorf("the start is %+v, %v", d, err)
				}
			}
			on, err := r.store.OnDuty(t.Context(), nil, time.Now(), "", 10)
			if err != nil || v.Verdict != c.verdict || d.Outcome != c.outcome || len(on) != open {
				t.Fatalf("got %s, %q and %d on duty, %v; want %s, %q and %d\n%s", v.Verdict, d.Outcome, len(on), err, c.verdict, c.outcome, open, r.story(v.ID))
			}
			if c.outcome == ward.DutyVerified {
				if d.Position != ward.DutyInside || d.Answer != ward.MatchYes || d.Until.Sub(d.At) != time.Hour {
					t.Errorf("the start is %+v", d)
				}
				r.replays(v)
			}
		})
	}
}

// onDuty puts the physician on duty by a terminal.
func (r *rig) onDuty(inst ward.InstitutionID) ward.Duty {
	r.t.Helper()
	d, err := r.store.AddDuty(r.t.Context(), inspector, ward.Duty{
		ID: ward.NewID[ward.DutyID](time.Now()), InstitutionID: inst, PhysicianID: "ph", Source: ward.IdentityByPhoto, Answer: ward.MatchYes, Outcome: ward.DutyVerified, Position: ward.DutyInside,
	}, time.Hour, []byte("photo"))
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// TestDutyLinkRefused asks for links that could prove nothing.
func TestDutyLinkRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.hire("franck", 125)
	bare := ward.InstitutionID("h3") // has no fence
	if err := errors.Join(r.store.PutInstitution(t.Context(), ward.Institution{ID: bare, Name: "第三人民医院"}),
		r.store.PutPhysicians(t.Context(), []ward.Physician{{ID: "ph-bare", Name: "外医师", Institutions: []ward.InstitutionID{bare}}})); err != nil {
		t.Fatal(err)
	}
	elsewhere := inspector
	elsewhere.AllInstitutions, elsewhere.Institutions = false, []ward.InstitutionID{"h2"}
	for code, c := range map[string]struct {
		by  ward.User
		who ward.PhysicianID
		at  ward.InstitutionID
	}{
		"physician.not_enrolled": {inspector, "ph-new", r.inst},
		"physician.unknown":      {inspector, "ph", bare},
		"duty.no_fence":          {inspector, "ph-bare", bare},
		"round.forbidden":        {elsewhere, "ph", r.inst},
	} {
		_, _, err := r.engine.OrderDuty(t.Context(), c.by, rounds.DutyLink{InstitutionID: c.at, Physician: c.who, Reason: "上岗核验", Deadline: time.Now().Add(time.Minute)})
		if err == nil || !errors.Is(err, &ward.Error{Kind: ward.KindOf(err), Code: code}) {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}

// TestDutyCheck checks a physician on duty by surprise: whoever does not
// answer is sealed as that; an answer is sealed and changes no window.
func TestDutyCheck(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.hire("franck", 125)
	ctx := t.Context()
	order := func(who ...ward.PhysicianID) ([]rounds.VisitLink, error) {
		_, links, err := r.engine.OrderDutyCheck(ctx, inspector, rounds.DutyCheck{InstitutionID: r.inst, Reason: "抽查", Deadline: time.Now().Add(time.Hour), Physicians: who})
		return links, err
	}
	if _, err := order(); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "duty_check.empty"}) {
		t.Errorf("nobody on duty: got %v", err)
	}
	start := r.onDuty(r.inst)
	for _, who := range [][]ward.PhysicianID{{"ph-new"}, {"ph", "ph"}} {
		if _, err := order(who...); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: "duty_check.off_duty"}) {
			t.Errorf("%v: got %v", who, err)
		}
	}
	now := time.Now()
	silent := ward.Visit{ID: "v-silent", RoundID: "r-silent", InstitutionID: r.inst, PhysicianID: "ph", DutyID: start.ID, LinkExpires: now.Add(time.Second)}
	if _, err := r.store.OrderRound(ctx, ward.Round{
		ID: silent.RoundID, InstitutionID: r.inst, OrderedBy: inspector.ID, Purpose: ward.ForDutyCheck, Reason: "抽查", Ordered: now, Deadline: now.Add(time.Second),
	}, []ward.Visit{silent}, [][]byte{[]byte("hash")}); err != nil {
		t.Fatal(err)
	}
	links, err := order()
	if err != nil || len(links) != 1 || links[0].Visit.DutyID != start.ID {
		t.Fatalf("%+v %v", links, err)
	}
	if _, err := r.answer(links[0].Token, simbed.Genuine, "franck"); err != nil {
		t.Fatal(err)
	}
	if v := r.sealed(links[0].Visit.ID, sessionMax); v.Verdict != ward.Present || v.DutyID != start.ID || r.check(v.ID, ward.CheckPosition) != ward.Pass {
		t.Errorf("answered: %+v\n%s", v, r.story(v.ID))
	}
	if v := r.sealed(silent.ID, 10*time.Second); v.Verdict != ward.NoAnswer || v.Leaf < 0 {
		t.Errorf("not answered: %+v", v)
	}
	checks, err := r.store.DutyChecks(ctx, []ward.DutyID{start.ID})
	if err != nil || len(checks[start.ID]) != 2 {
		t.Errorf("the start's checks: %+v %v", checks, err)
	}
	if all, err := r.store.Duties(ctx, nil, "", 10); err != nil || len(all) != 1 || !all[0].Ended.IsZero() {
		t.Errorf("the starts are %+v, %v", all, err)
	}
}
