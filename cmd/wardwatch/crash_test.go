package main_test

import (
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

const (
	// kills is how often the service is killed in mid-recording.
	kills = 3
	// mostLost is what one kill may cost a camera: the fragment being
	// written, 1 s, and a group of pictures, 1 s, and what the machine adds.
	mostLost = 2300 * time.Millisecond
	// backWithin is how soon recording resumes after a start.
	backWithin = 5 * time.Second
)

func TestKill9OfTheServiceCostsAtMostOneFragment(t *testing.T) {
	t.Parallel()
	clip := film(t)
	sim := play(t, simcam.Camera{Path: "cam-1", Clip: clip}, simcam.Camera{Path: "cam-2", User: "u", Password: "p", Clip: clip})
	dir := t.TempDir()
	s := serve(t, dir)
	c := signIn(t, s)
	c.hospital()
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	c.addCamera("cam-2", sim.URL("cam-2"), "u", "p")
	ids := []string{"cam-1", "cam-2"}
	added := time.Now()
	var killed []time.Time
	for n := range kills {
		for _, id := range ids { // kill in mid-segment, at another moment each time
			c.recorded(id, len(c.timeline(id, added, time.Now()).Segments)+1, 10*time.Second)
			mark := time.Now()
			until(t, "more footage", 5*time.Second, func() bool { return c.footage(id, mark) })
		}
		<-time.After(time.Duration(n) * 700 * time.Millisecond) // the moment of the kill
		at := time.Now()
		s.signal(syscall.SIGKILL)
		s.wait(5 * time.Second)
		killed = append(killed, at)

		s = serve(t, dir)
		c.s = s // the session outlives the crash
		for _, id := range ids {
			until(t, id+" records again", backWithin, func() bool { return c.footage(id, s.began) })
			if took := time.Since(s.began); took > backWithin {
				t.Errorf("%s records %v after the start, want at most %v", id, took, backWithin)
			}
			lost := at.Sub(lastBefore(c.timeline(id, added, s.began).Segments, at))
			if lost > mostLost {
				t.Errorf("%s: %v lost before kill %d", id, lost, n+1)
			}
			t.Logf("%s: %v lost, recording %v after the start", id, lost.Round(time.Millisecond), time.Since(s.began).Round(time.Millisecond))
		}
	}
	for _, id := range ids {
		c.recorded(id, kills+2, 10*time.Second)
	}
	s.terminate()
	s.fsck()

	s = serve(t, dir)
	c.s = s
	for _, id := range ids {
		end := c.recorded(id, kills+3, 10*time.Second)
		checkCrashes(t, id, end, killed)
		covered(t, c, id, added, s.began)
	}
	s.terminate()
	s.fsck()
}

// lastBefore is the end of the last segment that began before a moment.
func lastBefore(segments []ward.Segment, at time.Time) (end time.Time) {
	for _, g := range segments {
		if g.Start.Before(at) && g.End.After(end) {
			end = g.End
		}
	}
	return end
}

// checkCrashes wants one gap with cause crash around every kill.
func checkCrashes(t *testing.T, id string, line timeline, killed []time.Time) {
	t.Helper()
	crashes := 0
	for _, g := range line.Gaps {
		if g.Cause == ward.CauseCrash {
			crashes++
		}
	}
	if crashes < len(killed) {
		t.Errorf("%s: %d gaps with cause crash after %d kills: %+v", id, crashes, len(killed), line.Gaps)
	}
	for _, at := range killed {
		found := false
		for _, g := range line.Gaps {
			found = found || g.Cause == ward.CauseCrash && !g.From.After(at.Add(50*time.Millisecond)) && g.To.After(at)
		}
		if !found {
			t.Errorf("%s: no crash gap over the kill at %v: %+v", id, at, line.Gaps)
		}
	}
	for _, g := range line.Segments {
		if g.State == ward.Deleted {
			t.Errorf("%s: segment %s is %s", id, g.ID, g.State)
		}
	}
}

// covered wants every moment recorded or accounted for, and nothing twice.
func covered(t *testing.T, c *client, id string, from, to time.Time) {
	t.Helper()
	line := c.timeline(id, from, to)
	want := to.Sub(from).Seconds()
	if got := line.RecordedS + line.GapS; got < want-.2 || got > want+.2 {
		t.Errorf("%s: %.2f s recorded and %.2f s of gaps in %.2f s: %+v", id, line.RecordedS, line.GapS, want, line.Gaps)
	}
}

func TestSIGTERMSealsAndASecondStartContinues(t *testing.T) {
	t.Parallel()
	sim := play(t, simcam.Camera{Path: "cam-1", Clip: film(t)})
	dir := t.TempDir()
	s := serve(t, dir, "WARDWATCH_VISION_WORKERS=1")
	c := signIn(t, s)
	c.hospital()
	c.addCamera("cam-1", sim.URL("cam-1"), "", "")
	c.recorded("cam-1", 2, 15*time.Second)
	asked := time.Now()
	s.terminate()
	if took := time.Since(asked); took > 10*time.Second {
		t.Errorf("the end took %v", took)
	}
	s.fsck()

	s = serve(t, dir)
	c.s = s
	line := c.timeline("cam-1", asked.Add(-time.Minute), asked)
	sealed := line.Segments[len(line.Segments)-1]
	if lost := asked.Sub(sealed.End); lost > 1500*time.Millisecond {
		t.Errorf("%v before SIGTERM were not sealed", lost)
	}
	for _, g := range line.Segments {
		if g.Repaired {
			t.Errorf("segment %d was repaired after an orderly end", g.Seq)
		}
	}
	next := c.recorded("cam-1", len(line.Segments)+1, 10*time.Second)
	for i, g := range next.Segments {
		if g.Seq != int64(i+1) {
			t.Errorf("segment %d has number %d", i+1, g.Seq)
		}
	}
	restarts := 0
	for _, g := range next.Gaps {
		if g.Cause == ward.CauseRestart {
			restarts++
		}
		if g.Cause == ward.CauseCrash {
			t.Errorf("an orderly end is called a crash: %+v", g)
		}
	}
	if restarts == 0 {
		t.Errorf("no gap with cause restart: %+v", next.Gaps)
	}
	s.terminate()
}
