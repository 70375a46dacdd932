package storage_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// blinded is a store of one counter with two cameras, and a clerk of its periods.
type blinded struct {
	*storage.Store
	t   *testing.T
	now time.Time
}

func newBlinded(t *testing.T, s *storage.Store) blinded {
	t.Helper()
	counter(t, s)
	b := blinded{s, t, time.Now().UTC().Truncate(time.Second)}
	for _, id := range []ward.CameraID{"c1", "c2"} {
		b.must(s.AddCamera(t.Context(), ward.Camera{ID: id, InstitutionID: "h1", PlaceID: "p1", Name: string(id), URL: "rtsp://192.0.2.1/" + string(id), Enabled: true}))
	}
	hook(t, s, "all", nil)
	return b
}

func (b blinded) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// at is s seconds from the beginning of the test.
func (b blinded) at(s int) time.Time { return b.now.Add(time.Duration(s) * time.Second) }

func (b blinded) open(id ward.BlindID, cam ward.CameraID, from int) {
	b.t.Helper()
	b.must(b.OpenBlind(b.t.Context(), blindPeriod(id, cam, ward.Covered, b.at(from))))
}

func (b blinded) seen(id ward.BlindID, at int) {
	b.t.Helper()
	_, err := b.SeenBlind(b.t.Context(), b.at(at), id)
	b.must(err)
}

func (b blinded) shut(id ward.BlindID, to int) {
	b.t.Helper()
	b.must(b.CloseBlind(b.t.Context(), id, b.at(to), ward.BlindPicture{}, ""))
}

func (b blinded) period(id ward.BlindID) ward.BlindPeriod {
	b.t.Helper()
	p, err := b.BlindPeriod(b.t.Context(), id)
	b.must(err)
	return p
}

// alerts are the steps of the alert about a period, as "raise withdraw"; empty when there is none.
func (b blinded) alerts(id ward.BlindID) string {
	b.t.Helper()
	list, _, err := b.Alerts(b.t.Context(), storage.AlertFilter{BlindID: id})
	b.must(err)
	if len(list) == 0 {
		return ""
	}
	if len(list) > 1 || list[0].BlindID != id || list[0].SettlementID != "" || list[0].Rule != ward.BlindUnreported {
		b.t.Fatalf("alerts on %s: %+v", id, list)
	}
	events, err := b.AlertEvents(b.t.Context(), list[0].ID)
	b.must(err)
	var steps []string
	for _, e := range events {
		steps = append(steps, string(e.Action))
	}
	told := 0
	for _, e := range outbox(b.t, b.Store, "all") {
		if e.Data.Alert == list[0].ID {
			told++
		}
	}
	if told != len(events) {
		b.t.Errorf("%d events of %d steps of the alert on %s", told, len(events), id)
	}
	return strings.Join(steps, " ")
}

func (b blinded) wants(id ward.BlindID, steps, when string) {
	b.t.Helper()
	if got := b.alerts(id); got != steps {
		b.t.Errorf("%s: alert on %s has the steps %q, want %q", when, id, got, steps)
	}
}

func (b blinded) report(from, to int, change ...func(*ward.Outage)) ward.Outage {
	b.t.Helper()
	o := ward.Outage{InstitutionID: "h1", From: b.at(from), To: b.at(to), Reason: "检修", By: "u-contact"}
	for _, f := range change {
		f(&o)
	}
	o, err := b.ReportOutage(b.t.Context(), o)
	b.must(err)
	return o
}

func (b blinded) step(o ward.Outage, action ward.OutageAction) ward.Outage {
	b.t.Helper()
	o, err := b.StepOutage(b.t.Context(), o.ID, o.Version, action, "u-inspector", "看过单据")
	b.must(err)
	return o
}

// sound fails unless fsck finds periods, outages and alerts as they were sealed.
func (b blinded) sound() {
	b.t.Helper()
	objs, err := objects.OpenDir(b.t.TempDir())
	b.must(err)
	r, err := b.Fsck(b.t.Context(), storage.Media{Objects: objs}, storage.FsckOptions{})
	b.must(err)
	for _, p := range r.Problems {
		b.t.Errorf("fsck: %+v", p)
	}
}

func TestUnreportedBlindPeriodsAreAlerts(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		b := newBlinded(t, s)
		for i, at := range []int{-100, -10, 5, 20, 90} {
			v := bill(fmt.Sprint("v", i), b.at(at))
			_, _, err := s.AddSettlement(t.Context(), v)
			b.must(err)
		}
		b.open("b1", "c1", -30)
		if p := b.period("b1"); !p.Due.Equal(b.at(30)) || p.OutageID != "" {
			t.Errorf("opened: %+v", p)
		}
		b.seen("b1", 29)
		b.wants("b1", "", "before it lasts a minute")
		b.seen("b1", 30)
		b.seen("b1", 40)
		b.open("b1", "c1", -30) // a restart tells it again
		b.wants("b1", "raise", "when it lasts a minute")
		a, _, err := s.Alerts(t.Context(), storage.AlertFilter{BlindID: "b1"})
		b.must(err)
		if a := a[0]; !a.At.Equal(b.at(-30)) || a.CameraID != "c1" || a.PlaceID != "p1" || a.Severity != 2 || len(a.Related) != 3 || !slices.Equal(a.Sightings, []ward.SightingID{"v2", "v1"}) ||
			!strings.Contains(a.ExplainZH, "镜头被遮挡，已有 60 秒") || !strings.Contains(a.ExplainZH, "3 笔，合计 37.02 元") || !strings.Contains(a.ExplainEN, "covered lens for 60 s") {
			t.Errorf("alert %+v", a)
		}
		groups, _, err := s.AlertGroups(t.Context(), storage.AlertFilter{}, storage.ByRank)
		b.must(err)
		if len(groups) != 1 || groups[0].AmountFen != 4*1234 { // while it lasts, what comes counts as well
			t.Errorf("groups %+v", groups)
		}
		b.shut("b1", 25)
		b.wants("b1", "raise withdraw", "when it turns out to have been shorter")
		_, n, sum, err := s.SettledBlind(t.Context(), b.period("b1"), a[0].At, 10)
		if err != nil || n != 3 || sum != 3*1234 {
			t.Errorf("settled meanwhile: %d, %d, %v", n, sum, err)
		}

		b.open("b2", "c2", -300) // found late
		b.wants("b2", "raise", "found when it had lasted for long")
		b.shut("b2", -100)
		b.wants("b2", "raise", "after its end")

		b.open("b3", "c2", -20)
		b.shut("b3", 50) // noted by nobody meanwhile, as after a power failure
		b.wants("b3", "raise", "when its end tells how long it was")

		_, err = s.SetRule(t.Context(), ward.RuleSetting{Rule: ward.BlindUnreported, Mode: ward.RuleLive, Params: map[string]float64{"least": 120}}, 1)
		b.must(err)
		_, err = s.SetRule(t.Context(), ward.RuleSetting{Rule: ward.BlindUnreported, InstitutionID: "h2", Mode: ward.RuleLive, Params: map[string]float64{"least": 10}}, 0)
		if ward.KindOf(err) != ward.NotFound {
			b.must(err)
		}
		b.open("b4", "c1", 0)
		b.shut("b4", 119)
		b.wants("b4", "", "shorter than is set")
		_, err = s.SetRule(t.Context(), ward.RuleSetting{Rule: ward.BlindUnreported, InstitutionID: "h1", Mode: ward.RuleOff, Params: map[string]float64{"least": 10}}, 2)
		b.must(err)
		b.open("b5", "c1", 0)
		b.shut("b5", 3000)
		b.wants("b5", "", "when the rule is off")
		b.sound()
	})
}

func TestOutagesAnswerForBlindPeriods(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		b := newBlinded(t, s)
		o := b.report(60, 3600, func(o *ward.Outage) { o.Cameras = []ward.CameraID{"c1", "c1"} })
		if o.Late || o.Version != 1 || len(o.Cameras) != 1 || len(o.Places) != 0 {
			t.Errorf("reported %+v", o)
		}
		b.open("b1", "c1", 120)
		b.open("b2", "c2", 120) // which was not reported
		if p := b.period("b1"); p.OutageID != o.ID || !p.Due.Equal(b.at(3660)) {
			t.Errorf("planned: %+v", p)
		}
		b.seen("b1", 3650)
		b.seen("b2", 3650)
		b.wants("b1", "", "while it is planned")
		b.wants("b2", "raise", "of the other camera")
		more := b.report(3600, 7200, func(o *ward.Outage) { o.Places = []ward.PlaceID{"p1"} }) // it takes longer
		if p := b.period("b1"); p.OutageID != o.ID || !p.Due.Equal(b.at(7260)) {
			t.Errorf("gone on: %+v", p)
		}
		b.seen("b1", 7259)
		b.wants("b1", "", "less than a minute beyond")
		b.seen("b1", 7260)
		b.wants("b1", "raise", "a minute beyond")
		if p := b.period("b1"); p.OutageID != "" {
			t.Errorf("beyond: %+v", p)
		}
		if list, _, err := s.BlindPeriods(t.Context(), storage.BlindFilter{Unplanned: true}); err != nil || len(list) != 2 {
			t.Errorf("unplanned: %v, %v", list, err)
		}
		b.shut("b1", 7230) // the picture after it tells
		b.wants("b1", "raise withdraw", "half a minute beyond")

		// A settlement is judged again when an outage is refused or accepted after all.
		v, _, err := s.AddSettlement(t.Context(), bill("a", b.at(300)))
		b.must(err)
		judged := func() ward.Settlement {
			t.Helper()
			v, err := s.Settlement(t.Context(), v.ID)
			b.must(err)
			_, _, err = s.Judge(t.Context(), storage.Judgement{Settlement: v, State: ward.Clear, Stage: ward.JudgedFully})
			b.must(err)
			v, err = s.Settlement(t.Context(), v.ID)
			b.must(err)
			return v
		}
		before := judged()
		o = b.step(o, ward.OutageRefuse)
		b.wants("b1", "raise withdraw restate", "when the outage is not accepted")
		if after, err := s.Settlement(t.Context(), v.ID); err != nil || after.Version == before.Version {
			t.Errorf("it does not wait: %+v, %v", after, err)
		}
		o = b.step(o, ward.OutageAccept)
		b.wants("b1", "raise withdraw restate withdraw", "when it is accepted after all")
		a, _, err := s.Alerts(t.Context(), storage.AlertFilter{BlindID: "b2"})
		b.must(err)
		if _, err := s.StepAlert(t.Context(), a[0].ID, 1, step(ward.AlertConfirm, "u1", "x")); err != nil {
			t.Fatal(err)
		}
		b.step(more, ward.OutageRefuse)
		b.wants("b2", "raise confirm", "which a person decided")

		versions, err := s.OutageVersions(t.Context(), o.ID)
		b.must(err)
		if len(versions) != 3 || versions[0].Action != ward.OutageReport || versions[1].Action != ward.OutageRefuse || !versions[1].Refused || versions[2].Refused {
			t.Errorf("versions %+v", versions)
		}
		if _, err := s.StepOutage(t.Context(), o.ID, 1, ward.OutageRefuse, "u1", "x"); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "outage.changed"}) {
			t.Errorf("an older version: %v", err)
		}
		list, next, err := s.Outages(t.Context(), storage.OutageFilter{Institutions: []ward.InstitutionID{"h1"}, Limit: 1})
		if err != nil || len(list) != 1 || list[0].ID != more.ID || !list[0].Refused || next != string(more.ID) {
			t.Errorf("first page %+v, %q, %v", list, next, err)
		}
		list, next, err = s.Outages(t.Context(), storage.OutageFilter{Before: next, After: b.at(3599)})
		if err != nil || len(list) != 1 || list[0].Version != 3 || next != "" {
			t.Errorf("second page %+v, %q, %v", list, next, err)
		}
		b.sound()
	})
}

func TestOutagesThatDoNotCount(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		b := newBlinded(t, s)
		late := b.report(-60, 3600)
		if !late.Late {
			t.Errorf("late: %+v", late)
		}
		b.open("b1", "c1", 100)
		b.shut("b1", 200)
		b.wants("b1", "raise", "covered by what was reported late")

		o := b.report(1000, 3600)
		b.open("b2", "c1", 1010)
		if p := b.period("b2"); p.OutageID != o.ID {
			t.Errorf("planned: %+v", p)
		}
		o = b.step(o, ward.OutageWithdraw) // before its beginning
		if p := b.period("b2"); p.OutageID != "" || !p.Due.Equal(b.at(1070)) || o.Withdrawn.IsZero() {
			t.Errorf("withdrawn: %+v, %+v", p, o)
		}
		b.seen("b2", 1070)
		b.wants("b2", "raise", "covered by what was withdrawn")

		b.must(s.PutInstitution(t.Context(), ward.Institution{ID: "h2", Name: "第二医院"}))
		for code, spoil := range map[string]func(*ward.Outage){
			"outage.place":        func(o *ward.Outage) { o.InstitutionID, o.Places = "h2", []ward.PlaceID{"p1"} },
			"outage.camera":       func(o *ward.Outage) { o.InstitutionID, o.Cameras = "h2", []ward.CameraID{"c1"} },
			"institution.unknown": func(o *ward.Outage) { o.InstitutionID = "h3" },
			"outage.reason":       func(o *ward.Outage) { o.Reason = "" },
		} {
			o := ward.Outage{InstitutionID: "h1", From: b.at(10), To: b.at(20), Reason: "检修", By: "u1"}
			spoil(&o)
			if _, err := s.ReportOutage(t.Context(), o); !errors.Is(err, &ward.Error{Kind: ward.Invalid, Code: code}) {
				t.Errorf("%s: %v", code, err)
			}
		}
		if _, err := s.Outage(t.Context(), "none"); ward.KindOf(err) != ward.NotFound {
			t.Errorf("unknown: %v", err)
		}
		b.sound()
	})
}

// TestOneAlertHoweverManyTell: whoever notes that it lasts, ends it or reports
// something at the same moment, it is one alert, told once.
func TestOneAlertHoweverManyTell(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		b := newBlinded(t, s)
		b.open("b1", "c1", -10)
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				var err error
				switch i % 4 {
				case 0:
					_, err = s.SeenBlind(t.Context(), b.at(60+i), "b1")
				case 1:
					_, err = s.SeenBlind(t.Context(), b.at(60+i), "b1", "b2")
				case 2:
					err = s.CloseBlind(t.Context(), "b1", b.at(80), ward.BlindPicture{}, "")
				case 3:
					_, err = s.ReportOutage(t.Context(), ward.Outage{InstitutionID: "h1", From: b.at(100), To: b.at(200), Reason: "检修", By: "u1"})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		b.wants("b1", "raise", "told by many")
		b.sound()
	})
}
