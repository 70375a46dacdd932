package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
	"wardwatch/web"
)

// ofBars is a film without a face: a visit of it is being checked until the
// service is ended.
func ofBars(t *testing.T) *simbed.Clip {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bars.h264")
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25:duration=2",
		"-c:v", "libx264", "-profile:v", "baseline", "-g", "1", "-threads", "1", "-pix_fmt", "yuv420p", "-x264-params", "aud=1:repeat-headers=1", "-f", "h264", path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	stream, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	mark := []byte{0, 0, 0, 1, 9}
	c := &simbed.Clip{}
	for _, unit := range bytes.Split(stream, mark)[1:] {
		c.Frames = append(c.Frames, append(bytes.Clone(mark), unit...))
	}
	return c
}

// TestVisitAcrossSIGTERMAndSIGKILL ends the service in the middle of a visit,
// in order and not: the visit is sealed as interrupted with the reason, what
// was recorded plays, and the next start serves the next visit.
func TestVisitAcrossSIGTERMAndSIGKILL(t *testing.T) {
	t.Parallel()
	film := ofBars(t)
	env := []string{"WARDWATCH_VISION_WORKERS=1"}
	dir := t.TempDir()
	s := serve(t, dir, env...)
	c := signIn(t, s)
	c.must(201, "POST", "/api/v1/institutions", map[string]any{"id": "h1", "name": "第一医院"}, nil)
	var insured ward.Insured
	c.must(201, "POST", "/api/v1/insured", map[string]any{"name": "张三", "id_number": "110101199001010011"}, &insured)
	var stay ward.Admission
	c.must(201, "POST", "/api/v1/admissions", map[string]any{"institution_id": "h1", "insured_id": insured.ID, "ward": "内科", "bed": "3", "from": time.Now().Add(-time.Hour).UTC()}, &stay)
	for _, end := range []struct {
		signal syscall.Signal
		reason string // of the verdict
	}{{syscall.SIGTERM, "stopped"}, {syscall.SIGKILL, "restarted"}} {
		v := c.visitUnderWay(stay.ID, film)
		ended := time.Now()
		s.signal(end.signal)
		if code := s.wait(time.Minute); (code == 0) != (end.signal == syscall.SIGTERM) {
			t.Errorf("%v: exit code %d", end.signal, code)
		}
		s = serve(t, dir, env...)
		c = signIn(t, s)
		var got web.VisitDetail
		path := "/api/v1/visits/" + string(v)
		until(t, "the visit is sealed and its recording there", time.Minute, func() bool {
			c.must(200, "GET", path, nil, &got)
			return got.Visit.State == ward.VisitSealed && got.Recording != nil
		})
		if got.Visit.Verdict != ward.Interrupted || !strings.Contains(got.Visit.ReasonEN, end.reason) || got.Visit.Leaf < 0 {
			t.Errorf("%v: %s %q", end.signal, got.Visit.Verdict, got.Visit.ReasonEN)
		}
		if lost := ended.Sub(got.Recording.To); lost > 15*time.Second { // a busy machine is behind; the whole visit is not lost
			t.Errorf("%v: the last %v are not recorded", end.signal, lost)
		}
		c.plays(path + "/clip.mp4")
	}
	c.visitUnderWay(stay.ID, film)
	s.signal(syscall.SIGTERM)
	s.wait(time.Minute)
	s.fsck()
}

// visitUnderWay orders a visit of a bed, answers it, and returns once two
// seconds of it are recorded.
func (c *client) visitUnderWay(stay ward.AdmissionID, film *simbed.Clip) ward.VisitID {
	c.t.Helper()
	var round web.OrderedRound
	c.must(201, "POST", "/api/v1/rounds", map[string]any{"institution_id": "h1", "reason": "抽查", "admission_ids": []ward.AdmissionID{stay}, "deadline": time.Now().Add(time.Hour).UTC()}, &round)
	v := round.Visits[0].Visit.ID
	answered := make(chan struct{})
	c.t.Cleanup(func() { <-answered })
	ctx, base := c.t.Context(), c.s.base
	go func() {
		defer close(answered)
		_, _ = simbed.Run(ctx, simbed.Options{Server: base, Link: round.Visits[0].Link, Behaviour: simbed.Loop, Clip: film}) // the service ends under it
	}()
	until(c.t, "two seconds of the visit", time.Minute, func() bool {
		var got web.VisitDetail
		c.must(200, "GET", "/api/v1/visits/"+string(v), nil, &got)
		for _, e := range got.Events {
			if e.Kind == "live" {
				return time.Since(e.At) > 2*time.Second
			}
		}
		return false
	})
	return v
}

// plays decodes a film and wants a second of it.
func (c *client) plays(path string) {
	c.t.Helper()
	status, film := c.call("GET", path, nil)
	if status != 200 {
		c.t.Errorf("%s: %d %.200s", path, status, film)
		return
	}
	file := filepath.Join(c.t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, film, 0o600); err != nil {
		c.t.Fatal(err)
	}
	out, err := exec.CommandContext(c.t.Context(), "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file).CombinedOutput()
	if n := len(strings.TrimSpace(string(out))); err != nil || n < 2 { // ten pictures at least
		c.t.Errorf("%s: %q pictures, %v", path, out, err)
	}
}
