package main_test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

const (
	// killsInTest is how often the service is killed in `make test`;
	// WARDWATCH_TEST_KILLS, which `make crash` sets to 200, says otherwise.
	killsInTest = 20
	// earlyKill is every how many kills one comes while the service starts.
	earlyKill = 10
	// mostLost is what one kill may cost a camera: the fragment being
	// written, 1 s, and a group of pictures, 1 s, and what the machine adds.
	mostLost = 2300 * time.Millisecond
	// backWithin is how soon recording resumes after a start.
	backWithin = 5 * time.Second
)

// kills is how often to kill: as WARDWATCH_TEST_KILLS says, else inTest times.
func kills(t *testing.T, inTest int) int {
	t.Helper()
	n := inTest
	if text := os.Getenv("WARDWATCH_TEST_KILLS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatalf("WARDWATCH_TEST_KILLS: %v", err)
		}
	}
	return n
}

// TestKill9OfTheServiceCostsAtMostOneFragment kills the service at random
// moments of recording, and now and then while it starts.
func TestKill9OfTheServiceCostsAtMostOneFragment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not for secrets
	clip := testcam.Film(t)
	ids := []string{"cam-1", "cam-2", "cam-3", "cam-4"}
	var cameras []simcam.Camera
	for _, id := range ids {
		cameras = append(cameras, simcam.Camera{Path: id, User: "u", Password: "p", Clip: clip})
	}
	sim := testcam.Play(t, cameras...)
	r := &crashes{t: t, dir: t.TempDir(), ids: ids}
	r.s = serve(t, r.dir)
	r.c = signIn(t, r.s)
	r.c.hospital()
	for _, id := range ids {
		r.c.addCamera(id, sim.URL(id), "u", "p")
	}
	added := time.Now()
	n := kills(t, killsInTest)
	for i := range n {
		if i%earlyKill == earlyKill-1 {
			r.killWhileStarting(random)
		}
		r.records()
		<-time.After(time.Duration(random.Int64N(int64(900 * time.Millisecond)))) // the moment of the kill
		r.kill()
	}
	r.records()
	r.s.terminate()
	r.s.fsck()
	decodes(t, r.dir)

	r.serve()
	for _, id := range ids {
		checkCrashes(t, id, r.c.timeline(id, added, r.s.began), r.killed)
		covered(t, r.c, id, added, r.s.began)
	}
	t.Logf("%d kills and %d while starting: at most %v lost, recording at most %v after a start", n, n/earlyKill, r.mostLost.Round(time.Millisecond), r.slowest.Round(time.Millisecond))
	r.s.terminate()
	r.s.fsck()
}

// crashes is a service that is killed and started again.
type crashes struct {
	t   *testing.T
	dir string
	ids []string
	s   *service
	c   *client

	killed   []time.Time
	mostLost time.Duration
	slowest  time.Duration
}

func (r *crashes) serve() {
	r.t.Helper()
	r.s = serve(r.t, r.dir)
	r.c.s = r.s // the session outlives the crash
}

// records waits until every camera is recorded again.
func (r *crashes) records() {
	r.t.Helper()
	for _, id := range r.ids {
		until(r.t, id+" is recorded", 3*backWithin, func() bool {
			return r.c.timeline(id, r.s.began, time.Now()).RecordedS > 0
		})
		took := time.Since(r.s.began)
		if took > backWithin && len(r.killed) > 0 {
			r.t.Errorf("%s records %v after the start, want at most %v", id, took, backWithin)
		}
		if len(r.killed) > 0 {
			r.slowest = max(r.slowest, took)
		}
	}
}

// kill kills the service, starts it again, and looks at what is missing.
func (r *crashes) kill() {
	r.t.Helper()
	at := time.Now()
	r.s.signal(syscall.SIGKILL)
	r.s.wait(5 * time.Second)
	r.killed = append(r.killed, at)
	r.serve()
	for _, id := range r.ids {
		lost := at.Sub(lastBefore(r.c.timeline(id, at.Add(-time.Minute), r.s.began).Segments, at))
		if lost > mostLost {
			r.t.Errorf("%s: %v lost before kill %d", id, lost, len(r.killed))
		}
		r.mostLost = max(r.mostLost, lost)
	}
}

// killWhileStarting kills the service, and the next one before or soon after
// it serves. Neither may have begun to record: these moments need be in some
// gap, but not in one with cause crash.
func (r *crashes) killWhileStarting(random *rand.Rand) {
	r.t.Helper()
	r.s.signal(syscall.SIGKILL)
	r.s.wait(5 * time.Second)
	p := start(r.t, r.s.env, "serve")
	<-time.After(time.Duration(random.Int64N(int64(700 * time.Millisecond)))) // the moment of the kill
	p.signal(syscall.SIGKILL)
	p.wait(5 * time.Second)
	r.serve()
}

// decodes lets ffmpeg read every recording under dir; it must not say a word.
func decodes(t *testing.T, dir string) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".mp4" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("recordings: %d, %v", len(files), err)
	}
	var wg sync.WaitGroup
	next := make(chan string)
	for range 2 {
		wg.Go(func() {
			for f := range next {
				if out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-i", f, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("ffmpeg on %s: %v: %s", filepath.Base(f), err, out)
				}
			}
		})
	}
	for _, f := range files {
		next <- f
	}
	close(next)
	wg.Wait()
	t.Logf("%d recordings decode", len(files))
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
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1"})
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
