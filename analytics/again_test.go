package analytics_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/analytics"
	"wardwatch/storage"
	"wardwatch/ward"
)

// report is what billing says of the settlement no.
type report struct {
	no       int
	revision int
	at       float64
	who      ward.InsuredID
	reversed bool
}

func (s *scene) report(v report) ward.Settlement {
	s.t.Helper()
	w := ward.Settlement{
		InstitutionID: "h1", PlaceID: "p1", ExternalNo: fmt.Sprint(v.no), InsuredID: v.who, Kind: ward.Outpatient,
		At: s.at(v.at), AmountFen: 100, Received: s.at(v.at), Revision: v.revision, ID: ward.SettlementID(fmt.Sprintf("s%02d", v.no)),
	}
	if v.reversed {
		w.State = ward.Reversed
	}
	got, _, err := s.AddSettlement(s.t.Context(), w)
	s.must(err)
	return got
}

// standing are the alerts that hold, as "rule on settlement".
func (s *scene) standing() []string {
	s.t.Helper()
	list, _, err := s.Alerts(s.t.Context(), storage.AlertFilter{Limit: 500, Shadow: true})
	s.must(err)
	var out []string
	for _, a := range list {
		if a.State == ward.AlertNew {
			out = append(out, fmt.Sprintf("%s on %s", a.Rule, a.SettlementID))
		}
	}
	slices.Sort(out)
	return out
}

func (s *scene) set(rule ward.Rule, inst ward.InstitutionID, mode ward.RuleMode, figures map[string]float64) {
	s.t.Helper()
	_, err := s.SetRule(s.t.Context(), ward.RuleSetting{Rule: rule, InstitutionID: inst, Mode: mode, Params: figures, By: "u1"}, 1000)
	s.must(err)
}

func TestACorrectedSettlementIsJudgedAgain(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 600), people(195, 205))
	first := s.report(report{1, 0, 100, "i1", false})
	s.pass(130)
	if got := s.standing(); !slices.Equal(got, []string{"nobody_at_counter on s01"}) {
		t.Fatalf("standing %v", got)
	}
	alert := s.alerts()[0]
	// The card was swiped at 200, when somebody was there.
	s.report(report{1, 1, 200, "i1", false})
	if got := s.state(first.ID); got != "pending" {
		t.Errorf("state %s", got)
	}
	s.pass(230)
	if got, a := s.state(first.ID), s.alerts(); got != "clear" || len(a) != 1 || a[0].State != ward.AlertWithdrawn || a[0].DecisionNote == "" {
		t.Errorf("state %s, alerts %+v", got, a)
	}
	// No: at 300, and nobody. The alert stands again, on the new facts.
	s.report(report{1, 2, 300, "i1", false})
	s.pass(330)
	if a := s.alerts(); len(a) != 1 || a[0].ID != alert.ID || a[0].State != ward.AlertNew || !a[0].At.Equal(s.at(300)) || a[0].Revision != 2 || a[0].Leaf <= alert.Leaf {
		t.Errorf("alerts %+v", a)
	}
	if rec, err := s.SealedOf(t.Context(), storage.KindAlert, string(alert.ID)); err != nil || len(rec) != 2 {
		t.Errorf("sealed %d times, %v", len(rec), err)
	}
	// A report that comes late is kept and changes nothing.
	s.report(report{1, 1, 200, "i1", false})
	s.pass(360)
	if got := s.standing(); len(got) != 1 {
		t.Errorf("standing %v", got)
	}
	old, err := s.SettlementRevisions(t.Context(), first.ID)
	if err != nil || len(old) != 2 || !old[0].At.Equal(s.at(100)) || !old[1].At.Equal(s.at(200)) {
		t.Errorf("earlier %+v, %v", old, err)
	}
	s.report(report{1, 2, 300, "i1", true})
	s.pass(400)
	if got := s.standing(); len(got) != 0 || s.state(first.ID) != "reversed" {
		t.Errorf("standing %v, state %s", got, s.state(first.ID))
	}
	rep, err := s.Fsck(t.Context(), storage.Media{Objects: s.objects}, storage.FsckOptions{})
	if err != nil || !rep.OK() {
		t.Errorf("fsck: %+v, %v", rep.Problems, err)
	}
}

func TestADecidedAlertIsNotWithdrawn(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 600))
	s.report(report{1, 0, 100, "i1", false})
	s.pass(130)
	a := s.alerts()[0]
	_, err := s.StepAlert(t.Context(), a.ID, a.Version, ward.AlertStep{Action: ward.AlertConfirm, By: "u1", Note: "看过录像"})
	s.must(err)
	s.report(report{1, 0, 100, "i1", true})
	s.pass(160)
	if a := s.alerts(); len(a) != 1 || a[0].State != ward.AlertConfirmed || a[0].DecisionNote != "看过录像" {
		t.Errorf("alerts %+v", a)
	}
}

func TestALateOrReversedCardChangesWhatCountedIt(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 900), people(90, 310), face(1, 90, 310))
	s.report(report{1, 0, 100, "a", false})
	s.report(report{3, 0, 300, "c", false})
	s.pass(400)
	if got := s.standing(); len(got) != 0 {
		t.Fatalf("standing %v", got)
	}
	s.report(report{2, 0, 200, "b", false}) // late: now c is the third card
	s.pass(500)
	if got := s.standing(); !slices.Equal(got, []string{"one_face_many_cards on s03"}) {
		t.Fatalf("after the late one: %v", got)
	}
	s.report(report{1, 0, 100, "a", true})
	s.pass(600)
	if got := s.standing(); len(got) != 0 {
		t.Errorf("after the reversal: %v", got)
	}
}

func TestRulesAreSetPerInstitution(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 900))
	s.set(ward.NobodyAtCounter, "", ward.RuleShadow, nil)
	id := s.swiped(100, "p1", "i1", 0)
	s.pass(130)
	if got := s.state(id); got != "clear" || len(s.alerts()) != 0 || len(s.standing()) != 1 {
		t.Errorf("in shadow: %s, shown %v, kept %v", got, s.alerts(), s.standing())
	}
	s.set(ward.NobodyAtCounter, "h1", ward.RuleLive, nil)
	id = s.swiped(200, "p1", "i1", 0)
	s.pass(230)
	if got := s.alerts(); s.state(id) != "suspicious" || len(got) != 1 || got[0].RuleVersion != 3 {
		t.Errorf("live here: %s, %+v", s.state(id), got)
	}
	s.set(ward.NobodyAtCounter, "h1", ward.RuleOff, nil)
	id = s.swiped(300, "p1", "i1", 0)
	s.pass(330)
	if got := s.state(id); got != "clear" {
		t.Errorf("off: %s", got)
	}
}

func TestTheClockOffsetIsApplied(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 900), people(195, 205))
	s.must(s.SetClockOffset(t.Context(), ward.ClockOffset{InstitutionID: "h1", Offset: 100 * time.Second, Samples: 50, At: s.base}))
	there, nobody := s.swiped(100, "p1", "i1", 0), s.swiped(300, "p1", "i1", 0)
	s.pass(130)
	if got := s.state(there); got != "pending" {
		t.Errorf("judged before its moment by the cameras' clock: %s", got)
	}
	s.pass(450)
	if got := s.state(there); got != "clear" {
		t.Errorf("somebody was there by the cameras' clock: %s", got)
	}
	if a := s.alerts(); len(a) != 1 || a[0].SettlementID != nobody || !a[0].At.Equal(s.at(400)) {
		t.Errorf("alerts %+v", a)
	}
	if v, err := s.Settlement(t.Context(), nobody); err != nil || !v.At.Equal(s.at(300)) {
		t.Errorf("what billing said is %v, %v", v.At, err)
	}
}

func TestClocksAreEstimatedFromTheStore(t *testing.T) {
	s := newScene(t)
	s.saw(watched(0, 3500))
	const skew = 45 // billing is behind
	at := 300.0
	for i := range 36 {
		at += 40 + 10*float64(i%5) + float64(i*7%23)
		s.saw(people(at-12, at+9))
		s.swiped(at-skew, "p1", ward.InsuredID(fmt.Sprint("i", i)), 0)
	}
	s.must((&analytics.Clocks{Store: s.Store, Log: s.c.Log}).Pass(t.Context(), s.at(3600)))
	got, err := s.ClockOffsets(t.Context(), nil)
	if err != nil || len(got) != 1 || (got[0].Offset-skew*time.Second).Abs() > 4*time.Second || got[0].Samples < 20 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheFaceIsFoundAtOtherInstitutions(t *testing.T) {
	s := newScene(t)
	s.set(ward.CardsHoarded, "", ward.RuleLive, map[string]float64{"cards": 3})
	s.must(s.PutInstitution(t.Context(), ward.Institution{ID: "h2", Name: "第二医院", Location: yichang}))
	s.must(s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "第一医院", Location: hangkou}))
	s.must(s.PutPlace(t.Context(), ward.Place{ID: "q1", InstitutionID: "h2", Name: "收费窗口", Kind: ward.Charge}))
	s.must(s.AddCamera(t.Context(), ward.Camera{ID: "d1", InstitutionID: "h2", PlaceID: "q1", Name: "窗口", URL: "rtsp://127.0.0.1:1/y", Enabled: true, Created: s.base.Add(-24 * time.Hour)}))
	s.saw(watched(0, 900), people(90, 310), face(1, 90, 110), face(1, 290, 310))
	other := with(face(1, 190, 210), func(v *ward.Sighting) { v.CameraID = "d1" })
	other.ID, other.From, other.To, other.PlaceID, other.InstitutionID = "elsewhere", s.at(190), s.at(210), "q1", "h2"
	s.must(s.PutSighting(t.Context(), other))
	s.report(report{1, 0, 100, "a", false})
	s.report(report{3, 0, 300, "c", false})
	_, _, err := s.AddSettlement(t.Context(), ward.Settlement{
		ID: "s02", InstitutionID: "h2", PlaceID: "q1", ExternalNo: "x", InsuredID: "b", Kind: ward.Outpatient, At: s.at(200), AmountFen: 1, Received: s.at(200),
	})
	s.must(err)
	for now := 105.0; now < 500; now += 20 {
		s.pass(now)
	}
	want := []string{"cards_hoarded on s03", "impossible_travel on s02", "impossible_travel on s03"}
	if got := s.standing(); !slices.Equal(got, want) {
		t.Errorf("standing %v, want %v", got, want)
	}
}

// Whatever happened at the counter and whatever billing said of it, corrected
// and reversed, in whatever order sightings, reports and passes come: every
// settlement is judged, no rule fires twice on one, and the alerts that stand
// are those of the story told in order.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var reports []report
		var seen []ward.Sighting
		at := 60.0
		card := func() ward.InsuredID { return ward.InsuredID(fmt.Sprintf("i%d", rapid.IntRange(0, 4).Draw(r, "card"))) }
		for no := range rapid.IntRange(1, 6).Draw(r, "swipes") {
			at += rapid.Float64Range(1, 60).Draw(r, "pause")
			v := report{no: no, at: at, who: card()}
			reports = append(reports, v)
			if rapid.Bool().Draw(r, "present") {
				who := 2 * rapid.IntRange(0, 3).Draw(r, "person")
				seen = append(seen, people(at-4, at+4), face(who, at-4, at+4))
			}
			switch rapid.IntRange(0, 5).Draw(r, "fate") {
			case 0:
				v.revision, v.at = 1, v.at-rapid.Float64Range(-20, 20).Draw(r, "moved")
				reports = append(reports, v)
			case 1:
				v.revision, v.who = 2, card()
				reports = append(reports, v)
			case 2:
				v.reversed = true
				reports = append(reports, v)
			}
		}
		if rapid.IntRange(0, 3).Draw(r, "watching") > 0 {
			seen = append(seen, watched(0, at+200))
		}
		outcome := func(orderSeen []ward.Sighting, order []report, between bool) []string {
			s := newScene(t)
			s.set(ward.CardsHoarded, "", ward.RuleLive, map[string]float64{"cards": 3})
			s.set(ward.OneCardManyFaces, "", ward.RuleShadow, map[string]float64{"faces": 2})
			for i := range 3 {
				s.enrol(ward.InsuredID(fmt.Sprintf("i%d", i)), 2*i)
			}
			s.saw(orderSeen...)
			for _, v := range order {
				s.report(v)
				if between {
					s.pass(at + 150)
				}
			}
			for now := 60.0; now < at+30 && !between; now += 15 { // judged as time goes by
				s.pass(now)
			}
			s.pass(at + 150)
			s.pass(at + 150)
			out := s.standing()
			if len(slices.Compact(slices.Clone(out))) != len(out) {
				r.Fatalf("twice: %v", out)
			}
			for no := range reports[len(reports)-1].no + 1 {
				v, _, err := s.Settlements(t.Context(), storage.SettlementFilter{Limit: 500})
				s.must(err)
				i := slices.IndexFunc(v, func(v ward.Settlement) bool { return v.ExternalNo == fmt.Sprint(no) })
				if i < 0 || v[i].State == ward.Pending {
					r.Fatalf("settlement %d is lost or left pending", no)
				}
				out = append(out, fmt.Sprintf("%d %s %s", no, v[i].State, v[i].Reason))
			}
			return out
		}
		want := outcome(seen, reports, false)
		got := outcome(rapid.Permutation(seen).Draw(r, "sightings"), rapid.Permutation(reports).Draw(r, "order"), true)
		if !slices.Equal(got, want) {
			r.Fatalf("in order %v, shuffled %v", want, got)
		}
	})
}
