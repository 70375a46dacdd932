package ingest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/storage"
	"wardwatch/ward"
)

// What a device stored while it could not be reached fills the gap: every
// picture at its moment, labelled, beside the gap's row. A device whose clock
// is wrong is asked by its clock and dated by ours; one without a card is
// asked again later.
func TestADeviceFillsTheGap(t *testing.T) {
	t.Parallel()
	const wrong = 90 * time.Second
	kinds := []struct {
		id     ward.CameraID
		faults simcam.Faults
		replay string // after the camera's address
	}{
		{"onvif", simcam.Faults{Card: "onvif"}, ""},
		{"plain", simcam.Faults{Card: "plain"}, "?starttime={from}&endtime={to}"},
		{"wrong", simcam.Faults{Card: "onvif", ClockOffset: wrong}, ""},
		{"none", simcam.Faults{}, ""},
		// These play what happens now, whatever they are asked for.
		{"ignores", simcam.Faults{}, "?starttime={from}&endtime={to}"},
		{"silent", simcam.Faults{NoRTCP: true}, "?starttime={from}&endtime={to}"},
	}
	var cameras []simcam.Camera
	for _, k := range kinds {
		cameras = append(cameras, simcam.Camera{Path: string(k.id), Faults: k.faults})
	}
	sim := testcam.Play(t, cameras...)
	r := newRig(t, nil)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.logs.String())
		}
	})
	for _, k := range kinds {
		c := camera(k.id, sim.URL(string(k.id)))
		c.ReplayURL = c.URL + k.replay
		addCamera(t, r.store, c)
	}
	for _, k := range kinds {
		until(t, "a segment of "+string(k.id), 20*time.Second, func() bool { return len(r.segments(t, k.id)) >= 1 })
	}
	for _, k := range kinds {
		cut(t, sim, k.id)
	}
	<-time.After(5 * time.Second) // the fault itself
	for _, k := range kinds {
		if err := sim.Set(string(k.id), k.faults); err != nil {
			t.Fatal(err)
		}
	}
	lib := &ingest.Library{Store: r.store, Spool: r.spool, Objects: newObjects(t)}
	order := hashes(t, clipFile(t))
	for _, k := range kinds[:3] {
		until(t, "the gap of "+string(k.id)+" is filled", 60*time.Second, func() bool {
			return slices.ContainsFunc(eventsOf(t, r, k.id), func(e ward.RecordingEvent) bool { return e.Kind == ward.Backfilled })
		})
		var gap ward.Gap
		for _, g := range r.gaps(t, k.id) {
			if g.Cause == ward.CauseUnreachable && !g.To.IsZero() {
				gap = g
			}
		}
		if gap.ID == "" {
			t.Fatalf("%s: the gap's row is gone: %+v", k.id, r.gaps(t, k.id))
		}
		until(t, "a segment after the gap", 20*time.Second, func() bool {
			return slices.ContainsFunc(r.segments(t, k.id), func(g ward.Segment) bool { return !g.Start.Before(gap.To) })
		})
		tl, err := lib.Timeline(t.Context(), inst, src(k.id), gap.From, gap.To)
		if err != nil {
			t.Fatal(err)
		}
		// Up to a key frame's distance is missing: what is fetched begins with one.
		if missing := gap.To.Sub(gap.From) - tl.Filled; missing < 0 || missing > 1200*time.Millisecond || tl.Gap != gap.To.Sub(gap.From) {
			t.Errorf("%s: of a gap of %s, %s are filled and %s told", k.id, gap.To.Sub(gap.From), tl.Filled, tl.Gap)
		}
		checkOrder(t, lib, k.id, order, gap)
	}
	for _, k := range kinds[3:] {
		until(t, string(k.id)+" is asked in vain", 60*time.Second, func() bool {
			list, err := r.store.Fillable(t.Context(), src(k.id), inst, time.Unix(1, 0), time.Second)
			return err == nil && slices.ContainsFunc(list, func(f storage.Fillable) bool { return f.Tries > 0 && !f.Next.IsZero() })
		})
		if slices.ContainsFunc(r.segments(t, k.id), func(g ward.Segment) bool { return g.Origin == ward.FromDevice }) {
			t.Errorf("%s: what happens now is stored as what happened then", k.id)
		}
	}
	r.stop()
	for _, k := range kinds {
		checkFiles(t, r, k.id)
	}
}

// cut makes a camera unreachable; what it shows goes on.
func cut(t testing.TB, sim *simcam.Server, id ward.CameraID) {
	t.Helper()
	if err := sim.Set(string(id), simcam.Faults{Answer: "close"}); err != nil {
		t.Fatal(err)
	}
	if err := sim.Cut(string(id)); err != nil {
		t.Fatal(err)
	}
}

// checkOrder decodes a clip over the gap: after the beginning of what was
// fetched, its pictures are the camera's, one after the other, in a loop. Where
// it meets what was recorded as it happened, which is dated by arrival, some
// pictures may be there twice or not at all.
func checkOrder(t testing.TB, lib *ingest.Library, id ward.CameraID, order []string, gap ward.Gap) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.mp4")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	from, to := gap.From.Add(1200*time.Millisecond), gap.To.Add(500*time.Millisecond)
	ascends(t, lib, id, gap)
	if _, err := lib.Clip(t.Context(), f, inst, src(id), from, to); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	shown := hashes(t, file)
	if want := int(to.Sub(from) / (100 * time.Millisecond)); len(shown) < want-4 || len(shown) > want+4 {
		t.Errorf("%s: a clip of %s has %d pictures", id, to.Sub(from), len(shown))
	}
	joint := true
	const late = 5 // pictures, half a second: how late they arrive on a busy machine
	for i := 1; i < len(shown); i++ {
		before, now := slices.Index(order, shown[i-1]), slices.Index(order, shown[i])
		step := (now - before + len(order)) % len(order)
		if joint && step != 1 && (step <= late || step >= len(order)-late) {
			joint = false
			continue
		}
		if before < 0 || now < 0 || step != 1 {
			t.Errorf("%s: picture %d of the clip is the camera's %d, after its %d", id, i, now, before)
		}
	}
}

// clipFile is testcam.Film as a file.
func clipFile(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.ts")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=4", "-c:v", "libx264",
		"-preset", "ultrafast", "-bf", "0", "-g", "10", "-pix_fmt", "yuvj420p", file).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return file
}

func eventsOf(t testing.TB, r *rig, id ward.CameraID) []ward.RecordingEvent {
	t.Helper()
	all, err := r.store.RecordingEvents(t.Context(), src(id), time.Unix(1, 0), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ascends checks that a playlist from before the gap until now shows
// everything in its order: what was fetched has later numbers than what
// follows it, and the file being written has no row yet.
func ascends(t testing.TB, lib *ingest.Library, id ward.CameraID, gap ward.Gap) {
	t.Helper()
	now := time.Now()
	p, err := lib.Playback(t.Context(), inst, src(id), gap.From.Add(-2*time.Second), time.Time{}, now)
	if err != nil {
		t.Fatal(err)
	}
	var last, start time.Time
	for line := range strings.Lines(string(p.Playlist)) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "#EXT-X-PROGRAM-DATE-TIME:")
		if !ok {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil || at.Before(last) {
			t.Errorf("%s: %s comes after %s (%v)", id, text, last, err)
		}
		last = at
	}
	for name := range strings.SplitSeq(string(p.Playlist), "playback/") {
		if us, err := strconv.ParseInt(name[:strings.IndexAny(name, ".-E")], 10, 64); err == nil {
			if at := time.UnixMicro(us); at.Before(start) {
				t.Errorf("%s: the recording of %s comes after that of %s", id, at, start)
			} else {
				start = at
			}
		}
	}
	for _, g := range given(t, lib, id, gap) {
		if !strings.Contains(string(p.Playlist), strconv.FormatInt(g.Start.UnixMicro(), 10)) {
			t.Errorf("%s: what the device gave of %s is not in\n%s", id, g.Start, p.Playlist)
		}
	}
}

// given are the recordings that the device gave of a gap; there are some.
func given(t testing.TB, lib *ingest.Library, id ward.CameraID, gap ward.Gap) []ward.Segment {
	t.Helper()
	all, err := lib.Store.SegmentsBetween(t.Context(), src(id), gap.From, gap.To)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(g ward.Segment) bool { return g.Origin != ward.FromDevice })
	if len(all) == 0 {
		t.Errorf("%s: the device gave nothing", id)
	}
	return all
}

// A camera that is switched off is asked for nothing more, in the middle of a replay too.
func TestAReplayEndsWithItsCamera(t *testing.T) {
	t.Parallel()
	card := simcam.Faults{Card: "onvif"}
	sim := testcam.Play(t, simcam.Camera{Path: "cam-1", Faults: card})
	r := newRig(t, nil)
	c := camera("cam-1", sim.URL("cam-1"))
	c.ReplayURL = c.URL
	addCamera(t, r.store, c)
	until(t, "a segment", 20*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 1 })
	cut(t, sim, "cam-1")
	<-time.After(8 * time.Second) // the fault itself
	if err := sim.Set("cam-1", card); err != nil {
		t.Fatal(err)
	}
	until(t, "the replay", 40*time.Second, func() bool { return sim.Sessions("cam-1") == 2 })
	off, err := r.store.Camera(t.Context(), "cam-1")
	if err != nil {
		t.Fatal(err)
	}
	off.Enabled = false
	if err := r.store.UpdateCamera(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	until(t, "nobody is connected", 5*time.Second, func() bool { return sim.Sessions("cam-1") == 0 })
}
