package ingest_test

import (
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// The fraction of a sender report's time counts 2^-32 s: taken for
// nanoseconds, as the client library does, it is up to 3.3 s wrong.
func TestCameraClockIsReadFromItsReports(t *testing.T) {
	t.Parallel()
	offsets := map[ward.CameraID]time.Duration{"right": 0, "ahead": 90 * time.Second, "behind": -1500 * time.Millisecond}
	var cameras []simcam.Camera
	for id, off := range offsets {
		cameras = append(cameras, simcam.Camera{Path: string(id), Faults: simcam.Faults{ClockOffset: off}})
	}
	cameras = append(cameras, simcam.Camera{Path: "mute", Faults: simcam.Faults{NoRTCP: true}})
	sim := testcam.Play(t, cameras...)
	r := newRig(t, nil)
	for _, c := range sim.Cameras {
		addCamera(t, r.store, camera(ward.CameraID(c.Path), sim.URL(c.Path)))
	}
	for id, want := range offsets {
		until(t, "two segments of "+string(id), 30*time.Second, func() bool { return len(r.segments(t, id)) >= 2 })
		for i, g := range r.segments(t, id) {
			if g.Clock != ward.CameraClock || (g.CameraOffset-want).Abs() > 400*time.Millisecond {
				t.Errorf("%s, segment %d: clock %s, offset %s, want %s", id, i, g.Clock, g.CameraOffset, want)
			}
		}
	}
	until(t, "a segment of mute", 30*time.Second, func() bool { return len(r.segments(t, "mute")) >= 1 })
	if g := r.segments(t, "mute")[0]; g.Clock != ward.ServerClock {
		t.Errorf("without reports: clock %s", g.Clock)
	}
}
