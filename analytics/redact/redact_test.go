package redact_test

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/analytics/redact"
	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/teststore"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	clip    = "franck.mp4"
	seconds = 4
	rate    = 10
)

// recorded is a segment of the clip: 40 pictures of one face.
func recorded(t *testing.T, extra ...string) (lib *ingest.Library, g ward.Segment, dir string) {
	t.Helper()
	s, ctx := teststore.SQLite(t), t.Context()
	dir = t.TempDir()
	sp, err := spool.Open(dir, spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sp.Close() })
	src := ward.Source{Kind: ward.FromCamera, ID: "c1"}
	for _, err := range []error{
		s.PutInstitution(ctx, ward.Institution{ID: "h1", Name: "医院"}),
		s.PutPlace(ctx, ward.Place{ID: "p1", InstitutionID: "h1", Name: "窗口", Kind: ward.Charge}),
		s.AddCamera(ctx, ward.Camera{ID: "c1", InstitutionID: "h1", PlaceID: "p1", Name: "窗口", URL: "rtsp://10.0.0.1/1", Transport: ward.TransportTCP, SegmentSeconds: 60, RetentionDays: 1, Created: time.Now()}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	st, done := ingest.NewStream(src, "h1", []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}), make(chan error, 1)
	rec := &ingest.Recorder{Store: s, Spool: sp, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), OnSegment: func(made ward.Segment) { g = made }}
	go func() { done <- rec.Run(ctx, st) }()
	base := time.Now().Add(-time.Minute)
	for n, u := range modeltest.Units(t, modeltest.Clip(t, clip), ward.H264, "10", strconv.Itoa(seconds), append([]string{"-r", strconv.Itoa(rate), "-frames:v", strconv.Itoa(seconds * rate)}, extra...)...) {
		var au h264.AnnexB
		if err := au.Unmarshal(u.Data); err != nil {
			t.Fatal(err)
		}
		pts := int64(n) * 90000 / rate
		st.Write(ingest.Unit{Track: 1, PTS: pts, DTS: pts, Arrived: base.Add(time.Duration(n) * time.Second / rate), AU: au, Key: u.Key})
		for n == 0 { // until the recorder has begun
			if es, err := sp.Entries(); err == nil && len(es) > 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	st.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return &ingest.Library{Store: s, Spool: sp}, g, dir
}

// covered is the derivative, as a file.
func covered(t *testing.T, a *redact.Artist, g ward.Segment, plan ward.RedactionPlan, on ...func(float64)) string {
	t.Helper()
	var b bytes.Buffer
	told := 0.
	if _, err := a.Video(t.Context(), g, plan, &b, func(p float64) {
		if p < told || p > 1 {
			t.Errorf("progress goes from %g to %g", told, p)
		}
		told = p
		for _, f := range on {
			f(p)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if told < .9 {
		t.Errorf("progress ends at %g", told)
	}
	file := filepath.Join(t.TempDir(), "covered.mp4")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// faces counts the pictures of an MP4 with a face, and all.
func faces(t *testing.T, pool *vision.Pool, file string) (with, all int) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	if all, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
		t.Fatal(err)
	}
	for n := range all {
		seen, err := pool.Still(t.Context(), modeltest.Frame(t, file, strconv.FormatFloat(float64(n)/rate, 'f', 2, 64)), vision.WantFaces)
		if err != nil {
			t.Fatal(err)
		}
		if len(seen.Faces) > 0 {
			with++
		}
	}
	return with, all
}

// A face in the original is in no picture of the derivative; the original stays
// as it is, and so do number and time of the pictures.
func TestFacesAreCoveredInEveryPicture(t *testing.T) {
	t.Parallel()
	pool := modeltest.Pool(t, 1, nil)
	lib, g, _ := recorded(t)
	a := &redact.Artist{Library: lib, Pool: pool, Worker: pool.Path, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	read := func() [32]byte {
		f, err := lib.Spool.Open(spool.Of(g))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var b bytes.Buffer
		if _, err := b.ReadFrom(f); err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b.Bytes())
	}
	if read() != g.SHA256 {
		t.Fatal("the original is not what was committed")
	}
	far := ward.RedactionPlan{Regions: []ward.MaskRegion{{Box: ward.Box{X: 0, Y: .95, W: .05, H: .05}}}}
	if with, all := faces(t, pool, covered(t, a, g, far)); all != seconds*rate || with < all*9/10 {
		t.Fatalf("with a corner covered, %d of %d pictures have a face: the test shows nothing", with, all)
	}
	file := covered(t, a, g, ward.RedactionPlan{Faces: true})
	if with, all := faces(t, pool, file); with != 0 || all != seconds*rate {
		t.Errorf("%d of %d pictures have a face", with, all)
	}
	if out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file).CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "4.0") {
		t.Errorf("it lasts %s, %v; want 4 s", out, err)
	}
	if read() != g.SHA256 {
		t.Error("the original was changed")
	}
}

// A region is covered in every picture of its time and in no other, whole.
func TestRegionsAreCoveredInTheirTime(t *testing.T) {
	t.Parallel()
	pool := modeltest.Pool(t, 1, nil)
	lib, g, _ := recorded(t)
	a := &redact.Artist{Library: lib, Pool: pool, Worker: pool.Path, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	box := ward.Box{X: .25, Y: .25, W: .5, H: .5}
	file := covered(t, a, g, ward.RedactionPlan{Regions: []ward.MaskRegion{{Box: box, From: 1, To: 2}}})
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", file, "-f", "rawvideo", "-pix_fmt", "gray", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	const wide, high = 360, 288
	if len(out) != wide*high*seconds*rate {
		t.Fatalf("%d bytes", len(out))
	}
	for n := range seconds * rate {
		pic := out[n*wide*high:][:wide*high]
		least, most := byte(255), byte(0)
		for y := high/4 + 4; y < high*3/4-4; y++ {
			for x := wide/4 + 4; x < wide*3/4-4; x++ {
				least, most = min(least, pic[y*wide+x]), max(most, pic[y*wide+x])
			}
		}
		if plain, in := most-least < 24, n >= rate && n <= 2*rate; plain != in {
			t.Errorf("picture %d: grey from %d to %d in the region; covered must be %v", n, least, most, in)
		}
	}
}

// A worker that dies between two looks finds nothing until the next key frame:
// what it did not see is covered whole.
func TestWhatNobodyLookedAtIsCovered(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	lib, g, _ := recorded(t, "-g", strconv.Itoa(seconds*rate))
	a := &redact.Artist{Library: lib, Pool: pool, Worker: pool.Path, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	killed := false
	file := covered(t, a, g, ward.RedactionPlan{Faces: true}, func(p float64) {
		if killed || p < .1 {
			return
		}
		killed = true
		old := workers(t)
		if len(old) != 1 {
			t.Fatalf("workers %v", old)
		}
		if err := syscall.Kill(old[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if now := workers(t); len(now) == 1 && now[0] != old[0] {
				return
			}
			if time.Now().After(end) {
				t.Fatal("no worker began anew")
			}
		}
	})
	if with, all := faces(t, pool, file); with != 0 || all != seconds*rate || !killed {
		t.Errorf("%d of %d pictures have a face", with, all)
	}
}

// workers are this process's own vision workers.
func workers(t *testing.T) (pids []int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		children, _ := os.ReadFile(task) // the thread may be gone
		for f := range strings.FieldsSeq(string(children)) {
			line, _ := os.ReadFile("/proc/" + f + "/cmdline")
			if pid, err := strconv.Atoi(f); err == nil && strings.Contains(string(line), "wardwatch-vision") {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// A still is covered likewise.
func TestStillIsCovered(t *testing.T) {
	t.Parallel()
	pool := modeltest.Pool(t, 1, nil)
	a := &redact.Artist{Pool: pool, Worker: pool.Path, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	photo := modeltest.Frame(t, modeltest.Clip(t, clip), "12")
	for _, c := range []struct {
		plan ward.RedactionPlan
		want int
	}{{ward.RedactionPlan{Faces: true}, 0}, {ward.RedactionPlan{Regions: []ward.MaskRegion{{Box: ward.Box{W: .05, H: .05}}}}, 1}} {
		b, _, err := a.Still(t.Context(), photo, c.plan)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := pool.Still(t.Context(), b, vision.WantFaces)
		if err != nil || len(seen.Faces) != c.want || seen.Width != 360 || seen.Height != 288 {
			t.Errorf("%+v: %d faces in %dx%d, %v; want %d", c.plan, len(seen.Faces), seen.Width, seen.Height, err, c.want)
		}
	}
	if _, _, err := a.Still(t.Context(), []byte("no picture"), ward.RedactionPlan{Faces: true}); err == nil {
		t.Error("no picture was covered")
	}
}
