package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/internal/testserver"
	"wardwatch/ward"
)

// TestPostgresStoppedUnderARunningService: cameras go on being recorded to
// the spool, and when the database returns its catalogue is complete, each
// second once.
func TestPostgresStoppedUnderARunningService(t *testing.T) {
	t.Parallel()
	postgres := testserver.NewPostgres(t)
	clip := testcam.Film(t)
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1", Clip: clip}, simcam.Camera{Path: "cam-2", Clip: clip})
	dir := t.TempDir()
	s := serve(t, dir, "WARDWATCH_DATABASE="+postgres.Database(t))
	c := signIn(t, s)
	c.hospital()
	ids := []string{"cam-1", "cam-2"}
	for _, id := range ids {
		c.addCamera(id, sim.URL(id), "", "")
	}
	var from time.Time
	for _, id := range ids {
		line := c.recorded(id, 2, 20*time.Second)
		from = line.Segments[0].End
	}
	postgres.Stop()
	stopped := time.Now()
	spooled := recordings(t, dir)
	until(t, "four more recordings in the spool without a database", 30*time.Second, func() bool { return recordings(t, dir) >= spooled+4 })
	if status, b := c.call("GET", "/readyz", nil); status != 503 {
		t.Errorf("readyz without a database: %d %s", status, b)
	}
	outage := time.Since(stopped)
	postgres.Start(t)
	back := time.Now()
	for _, id := range ids {
		var line timeline
		until(t, "the catalogue of "+id+" is complete", 30*time.Second, func() bool {
			status, _ := c.call("GET", "/readyz", nil)
			if status != 200 {
				return false
			}
			line = c.timeline(id, from, back)
			return line.RecordedS > back.Sub(from).Seconds()-1.2
		})
		if line.GapS > .5 {
			t.Errorf("%s: %.2f s of gaps through an outage of %v: %+v", id, line.GapS, outage, line.Gaps)
		}
		seen := map[int64]bool{}
		var end time.Time
		for _, g := range c.timeline(id, from.Add(-time.Minute), time.Now()).Segments {
			if seen[g.Seq] || g.Start.Before(end.Add(-100*time.Millisecond)) {
				t.Errorf("%s: segment %d twice, or over another: %v after %v", id, g.Seq, g.Start, end)
			}
			seen[g.Seq], end = true, g.End
			if g.State == ward.Deleted {
				t.Errorf("%s: segment %d is deleted", id, g.Seq)
			}
		}
	}
	t.Logf("%v without PostgreSQL", outage.Round(100*time.Millisecond))
	s.terminate()
	s.fsck()
}

// recordings counts the finished and growing recordings in a service's folder.
func recordings(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.Contains(filepath.ToSlash(path), "/spool/") && strings.Contains(filepath.Base(path), ".mp4") {
			n++
		}
		return nil // a file may have just gone to the store
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
