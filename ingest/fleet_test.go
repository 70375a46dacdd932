package ingest_test

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// h264Clip is 4 s of 320x240 at 25 pictures a second, a key frame each second, with B-frames and AAC.
func h264Clip(t testing.TB) *clip {
	return makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
		"-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac")
}

func h265Clip(t testing.TB) *clip {
	return makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "4",
		"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=25:min-keyint=25:log-level=none", "-pix_fmt", "yuv420p")
}

const inst = ward.InstitutionID("hospital-1")

func addPlace(t testing.TB, s *storage.Store) {
	t.Helper()
	if err := s.PutInstitution(t.Context(), ward.Institution{ID: inst, Name: "医院"}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutPlace(t.Context(), ward.Place{ID: "counter-1", InstitutionID: inst, Name: "收费窗口", Kind: ward.Charge}); err != nil {
		t.Fatal(err)
	}
}

func camera(id ward.CameraID, url string) ward.Camera {
	return ward.Camera{
		ID: id, InstitutionID: inst, PlaceID: "counter-1", Name: string(id), URL: url,
		Transport: ward.TransportTCP, SegmentSeconds: 2, Enabled: true,
	}
}

func addCamera(t testing.TB, s *storage.Store, c ward.Camera) {
	t.Helper()
	if err := s.AddCamera(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// rig is a store, a spool and a fleet at work.
type rig struct {
	store *storage.Store
	spool *spool.Spool
	fleet *ingest.Fleet
	logs  *logText
	stop  func()
}

func newRig(t testing.TB, set func(*ingest.Fleet)) *rig {
	t.Helper()
	r := &rig{store: teststore.SQLite(t), logs: newLog()}
	addPlace(t, r.store)
	var err error
	if r.spool, err = spool.Open(t.TempDir(), spool.Options{Reserve: -1}); err != nil {
		t.Fatal(err)
	}
	r.run(t, set)
	return r
}

// run starts the fleet; stop ends it.
func (r *rig) run(t testing.TB, set func(*ingest.Fleet)) {
	t.Helper()
	r.fleet = &ingest.Fleet{Store: r.store, Spool: r.spool, Log: slog.New(slog.NewTextHandler(r.logs, nil)), Stall: 2 * time.Second}
	if set != nil {
		set(r.fleet)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	fleet := r.fleet
	wg.Go(func() {
		if err := fleet.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	r.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(r.stop)
}

// logText is a log that may be read while it is written.
type logText struct {
	mu sync.Mutex
	b  strings.Builder
}

func newLog() *logText { return &logText{} }

func (l *logText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// until waits for cond, at most limit.
func until(t testing.TB, what string, limit time.Duration, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		<-tick.C
	}
}

func (r *rig) segments(t testing.TB, id ward.CameraID) []ward.Segment {
	t.Helper()
	all, err := r.store.SegmentsBetween(t.Context(), src(id), time.Unix(1, 0), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (r *rig) gaps(t testing.TB, id ward.CameraID) []ward.Gap {
	t.Helper()
	all, err := r.store.GapsBetween(t.Context(), src(id), time.Unix(1, 0), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func src(id ward.CameraID) ward.Source { return ward.Source{Kind: ward.FromCamera, ID: string(id)} }

// ffmpegReads decodes a file and fails on any complaint.
func ffmpegReads(t testing.TB, file string) {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg complains about %s: %v: %s", file, err, out)
	}
}

func TestFleetRecordsAndStops(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	cam := serve(t, h264Clip(t), withLogin("admin", "pa:ss@/word"))
	c := camera("cam-1", cam.url)
	c.User, c.Password = "admin", "pa:ss@/word"
	addCamera(t, r.store, c)
	until(t, "three segments", 20*time.Second, func() bool { return len(r.segments(t, "cam-1")) >= 3 })
	if st := r.fleet.State("cam-1"); st.Condition != ingest.Live {
		t.Errorf("got %+v, want live", st)
	}
	// While it records, what is on the disk and the gaps are all but the last second.
	lib := &ingest.Library{Store: r.store, Spool: r.spool, Objects: newObjects(t)}
	stored, err := r.store.Camera(t.Context(), "cam-1")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tl, err := lib.Timeline(t.Context(), inst, src("cam-1"), stored.Created, now)
	if err != nil {
		t.Fatal(err)
	}
	if behind := now.Sub(stored.Created) - tl.Recorded - tl.Gap; behind < 0 || behind > 1500*time.Millisecond {
		t.Errorf("the timeline is %s behind: %+v", behind, tl)
	}
	r.stop()
	checkFiles(t, r, "cam-1")
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	if strings.Contains(r.logs.String(), "word") {
		t.Errorf("the password is in the log:\n%s", r.logs)
	}
}

// checkFiles compares every spooled segment with its row, and lets ffmpeg read it.
func checkFiles(t testing.TB, r *rig, id ward.CameraID) {
	t.Helper()
	for i, g := range r.segments(t, id) {
		f, err := r.spool.Open(spool.Of(g))
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		n, err := io.Copy(h, f)
		if err != nil || n != g.Bytes || [32]byte(h.Sum(nil)) != g.SHA256 {
			t.Errorf("segment %d: %d bytes, row says %d, hash matches %v", i, n, g.Bytes, [32]byte(h.Sum(nil)) == g.SHA256)
		}
		ffmpegReads(t, f.Name())
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if d := g.End.Sub(g.Start) - g.Media; d.Abs() > tolerance(300*time.Millisecond) {
			t.Errorf("segment %d: media %s, wall %s", i, g.Media, g.End.Sub(g.Start))
		}
	}
}

// checkIdentity says whether segments and gaps cover every moment from the
// camera's creation to the end of the last row without overlap.
func checkIdentity(t testing.TB, r *rig, id ward.CameraID, slack time.Duration) {
	t.Helper()
	c, err := r.store.Camera(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	cov := ingest.Cover(r.segments(t, id), r.gaps(t, id), c.Created, now)
	if d := now.Sub(c.Created) - cov.Recorded - cov.Gap; d.Abs() > slack {
		t.Errorf("expected %s, recorded %s, gaps %s: %s unaccounted\nsegments %v\ngaps %v", now.Sub(c.Created), cov.Recorded, cov.Gap, d, r.segments(t, id), r.gaps(t, id))
	}
}
