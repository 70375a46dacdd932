package ingest_test

import (
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// Analysis shares the sub stream with those who view it, and leaves a
// device's connections to the recording of its cameras, also of one that is away.
func TestAnalysisLeavesRoomForRecording(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(f *ingest.Fleet) { f.PerDevice = 3 })
	live := &ingest.LiveView{Fleet: r.fleet}
	t.Cleanup(live.Close)
	cams := testcam.Play(t, simcam.Camera{Path: "1"}, simcam.Camera{Path: "1s"}, simcam.Camera{Path: "2", Faults: simcam.Faults{Answer: "404"}}, simcam.Camera{Path: "2s"})
	row := func(id ward.CameraID, path string) ward.Camera {
		c := camera(id, cams.URL(path))
		c.SubURL = cams.URL(path + "s")
		addCamera(t, r.store, c)
		return c
	}
	there, away := row("there", "1"), row("away", "2")
	until(t, "one is recorded, the other is tried", time.Minute, func() bool {
		return r.fleet.State(there.ID).Condition == ingest.Live && r.fleet.State(away.ID).Condition == ingest.Down
	})
	sub, err := live.Sub(t.Context(), there)
	if err != nil {
		t.Fatal(err)
	}
	viewer, err := live.Open(t.Context(), there, ingest.Screen{H264: true}, true)
	if err != nil {
		t.Fatal(err)
	}
	if viewer.Stream != sub.Stream || cams.Sessions("1s") != 1 {
		t.Errorf("the viewer has another stream than analysis, over %d connections", cams.Sessions("1s"))
	}
	viewer.Close()
	if _, err := live.Sub(t.Context(), away); ingest.WhyNoSub(err) != ward.SubBusy {
		t.Errorf("the place of a camera that is away was given to analysis: %v", err)
	}
	if err := cams.Set("2", simcam.Faults{}); err != nil {
		t.Fatal(err)
	}
	until(t, "the other is recorded", time.Minute, func() bool { return r.fleet.State(away.ID).Condition == ingest.Live })
	sub.Close()
}
