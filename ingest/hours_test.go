package ingest_test

import (
	"slices"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// A camera outside its hours can be watched, and is a gap with cause
// schedule; one that is never recorded has no gaps at all.
func TestRecordPolicies(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "cam"})
	r := newRig(t, nil)
	begun := time.Now()
	clock := func(d time.Duration) string { return begun.Add(8*time.Hour + d).UTC().Format("15:04") }
	off := camera("off", sim.URL("cam"))
	off.Record, off.RecordFrom, off.RecordTo = ward.RecordHours, clock(2*time.Hour), clock(3*time.Hour)
	on := camera("on", sim.URL("cam"))
	on.Record, on.RecordFrom, on.RecordTo = ward.RecordHours, clock(-time.Hour), clock(time.Hour)
	never := camera("never", sim.URL("cam"))
	never.Record = ward.RecordNever
	for _, c := range []ward.Camera{off, on, never} {
		addCamera(t, r.store, c)
	}
	live := func(id ward.CameraID) bool { return r.fleet.State(id).Condition == ingest.Live }
	until(t, "all are live", 20*time.Second, func() bool { return live("off") && live("on") && live("never") })
	until(t, "one is recorded", 20*time.Second, func() bool { return len(r.segments(t, "on")) >= 2 })
	if n := len(r.segments(t, "off")) + len(r.segments(t, "never")); n != 0 {
		t.Errorf("%d segments of cameras that are not to be recorded now", n)
	}
	g := r.gaps(t, "off") // the first may be the moment between the camera's creation and the fleet's start
	if last := g[len(g)-1]; len(g) > 2 || last.Cause != ward.CauseSchedule || !last.To.IsZero() {
		t.Errorf("outside the hours: %v", g)
	}
	if g := r.gaps(t, "never"); len(g) != 0 {
		t.Errorf("never recorded: %v", g)
	}
	checkIdentity(t, r, "off", 300*time.Millisecond)

	set := func(id ward.CameraID, p ward.RecordPolicy) {
		c, err := r.store.Camera(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		c.Record = p
		if p == ward.RecordHours { // a camera of another policy keeps no hours
			c.RecordFrom, c.RecordTo = clock(2*time.Hour), clock(3*time.Hour)
		}
		if err := r.store.UpdateCamera(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	set("off", ward.RecordAlways)
	set("on", ward.RecordNever)
	until(t, "the other is recorded", 20*time.Second, func() bool { return len(r.segments(t, "off")) >= 1 })
	until(t, "no gap of the first lasts", 20*time.Second, func() bool {
		return live("on") && !slices.ContainsFunc(r.gaps(t, "on"), func(g ward.Gap) bool { return g.To.IsZero() })
	})
	r.stop()
	checkIdentity(t, r, "off", 300*time.Millisecond)
	// A restart outside the hours goes on with the same gap.
	set("off", ward.RecordHours)
	before := len(r.gaps(t, "off"))
	r.run(t, nil)
	until(t, "it is live again", 20*time.Second, func() bool { return live("off") })
	if g := r.gaps(t, "off"); len(g) != before+1 || g[len(g)-1].Cause != ward.CauseSchedule {
		t.Errorf("after a restart: %v", g)
	}
	if g := r.gaps(t, "never"); len(g) != 0 {
		t.Errorf("never recorded: %v", g)
	}
}
