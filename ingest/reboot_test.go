package ingest_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// However long the waits between attempts have become: a camera is connected
// within 5 s of its answering again. The next key frame comes within a second.
func TestARebootedCameraIsRecordedWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	const away, within = 14 * time.Second, 6 * time.Second
	var cameras []simcam.Camera
	for i := range 4 {
		cameras = append(cameras, simcam.Camera{Path: fmt.Sprintf("cam-%d", i)})
	}
	sim := testcam.Play(t, cameras...)
	r := newRig(t, nil)
	for _, c := range cameras {
		addCamera(t, r.store, camera(ward.CameraID(c.Path), sim.URL(c.Path)))
	}
	for _, c := range cameras {
		until(t, "a segment of "+c.Path, 20*time.Second, func() bool { return len(r.segments(t, ward.CameraID(c.Path))) >= 1 })
	}
	for _, c := range cameras {
		if err := sim.Set(c.Path, simcam.Faults{Off: true}); err != nil {
			t.Fatal(err)
		}
	}
	<-time.After(away) // the fault itself
	back := time.Now()
	for _, c := range cameras {
		if err := sim.Set(c.Path, simcam.Faults{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range cameras {
		until(t, c.Path+" is recorded again", 30*time.Second, func() bool {
			for _, g := range r.segments(t, ward.CameraID(c.Path)) {
				if late := g.Start.Sub(back); late > 0 {
					if late > within {
						t.Errorf("%s is recorded %s after it was back", c.Path, late)
					}
					return true
				}
			}
			return false
		})
	}
}
