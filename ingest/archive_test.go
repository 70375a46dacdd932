package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/testserver"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// outageLasts is how long the store is down beside a camera: 8 s, or what
// WARDWATCH_TEST_OUTAGE says (make outage: 60s).
func outageLasts(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("WARDWATCH_TEST_OUTAGE")
	if text == "" {
		return 8 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// archive is a spool, an uploader and a keeper in front of a faulty S3 store.
type archive struct {
	*rig

	s3     *testserver.FaultyS3
	objs   *objects.S3
	upload *ingest.Uploader
	keeper *ingest.Keeper
	halt   func()
}

// newArchive begins uploading; o bounds the spool, set may change the rest.
func newArchive(t *testing.T, dir string, o spool.Options, set func(*archive)) *archive {
	t.Helper()
	return newArchiveOn(t, teststore.SQLite(t), dir, o, set)
}

func newArchiveOn(t *testing.T, store *storage.Store, dir string, o spool.Options, set func(*archive)) *archive {
	t.Helper()
	a := &archive{rig: &rig{store: store, logs: newLog()}, s3: testserver.Faulty(t, testserver.MinIO(t))}
	addPlace(t, a.store)
	var err error
	a.objs, err = objects.OpenS3(t.Context(), objects.S3Config{Endpoint: a.s3.Endpoint, Bucket: "ward-archive", AccessKey: a.s3.AccessKey, SecretKey: a.s3.SecretKey})
	if err != nil {
		t.Fatal(err)
	}
	if a.spool, err = spool.Open(dir, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.spool.Close() })
	a.begin(t, set)
	return a
}

func (a *archive) begin(t *testing.T, set func(*archive)) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(a.logs, nil))
	a.upload = &ingest.Uploader{Store: a.store, Spool: a.spool, Objects: a.objs, Log: log}
	a.keeper = &ingest.Keeper{Store: a.store, Spool: a.spool, Upload: a.upload, Log: log}
	if set != nil {
		set(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	upload, keeper := a.upload, a.keeper
	wg.Go(func() {
		if err := upload.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := keeper.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	a.halt = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(a.halt)
}

// put records one segment of a minute with size bytes, as a recorder does.
func (a *archive) put(t *testing.T, cam ward.CameraID, n, size int) ward.Segment {
	t.Helper()
	g, err := a.tryPut(cam, n, size)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var recordedFrom = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

func (a *archive) tryPut(cam ward.CameraID, n, size int) (ward.Segment, error) {
	ctx := context.Background()
	start := recordedFrom.Add(time.Duration(n) * time.Minute)
	f, err := a.spool.Create(src(cam), start, int64(n+1))
	if err != nil {
		return ward.Segment{}, err
	}
	body := bytes.Repeat(fmt.Appendf(nil, "%s minute %08d;", cam, n), size/16+1)[:size]
	if _, err := f.Write(body); err != nil {
		_ = f.Discard() // err says why
		return ward.Segment{}, err
	}
	sum, err := f.Finish()
	if err != nil {
		return ward.Segment{}, err
	}
	g, err := a.store.CommitSegment(ctx, ward.Segment{
		ID: ward.NewID[ward.SegmentID](start), Source: src(cam), InstitutionID: inst, Start: start, End: start.Add(time.Minute), Media: time.Minute,
		Clock: ward.ServerClock, Codec: ward.H264, Bytes: int64(size), SHA256: sum,
	})
	a.upload.Wake()
	return g, err
}

func (a *archive) waiting(t *testing.T) storage.Waiting {
	t.Helper()
	w, err := a.store.Waiting(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (a *archive) alarm(code string) (ingest.Alarm, bool) {
	for _, v := range a.keeper.State().Alarms {
		if v.Code == code {
			return v, true
		}
	}
	return ingest.Alarm{}, false
}

// whole checks that nothing was lost: fsck finds nothing, and every segment
// of every camera is archived.
func (a *archive) whole(t *testing.T, cams ...ward.CameraID) {
	t.Helper()
	r, err := a.store.Fsck(t.Context(), storage.Media{Objects: a.objs, Spool: a.spool}, storage.FsckOptions{})
	if err != nil || !r.OK() {
		t.Errorf("fsck: %+v, %v", r.Problems, err)
	}
	for _, id := range cams {
		for _, g := range a.segments(t, id) {
			if g.State != ward.Archived {
				t.Errorf("%s of %s is %s", g.ID, id, g.State)
			}
		}
	}
}

// The store is away for a while beside a recording camera: the alarm comes
// within 10 s, nothing is lost, and the backlog drains faster than it grew.
func TestStoreOutageBesideACamera(t *testing.T) {
	t.Parallel()
	a := newArchive(t, t.TempDir(), spool.Options{Reserve: -1}, nil)
	a.run(t, func(f *ingest.Fleet) { f.OnSegment = func(ward.Segment) { a.upload.Wake() } })
	addCamera(t, a.store, camera("cam-1", serve(t, h264Clip(t)).url))
	until(t, "a segment is archived", 30*time.Second, func() bool { return a.upload.Stats().Segments > 0 })
	a.s3.Set(testserver.Cuts)
	began := time.Now()
	until(t, "the alarm", 10*time.Second, func() bool { _, is := a.alarm("objects.unreachable"); return is })
	lasts := outageLasts(t)
	until(t, "the outage is over", lasts+30*time.Second, func() bool { return time.Since(began) > lasts })
	backlog := a.waiting(t)
	if backlog.Segments == 0 {
		t.Error("nothing waits after the outage")
	}
	last := a.segments(t, "cam-1")
	back := time.Now()
	a.s3.Set(testserver.Works)
	until(t, "the backlog is archived", lasts, func() bool {
		w := a.waiting(t)
		return w.Segments == 0 || w.Oldest.After(last[len(last)-1].Start)
	})
	took := time.Since(back)
	t.Logf("down for %s, %d segments waited, drained in %s: %.1f times as fast as they came", lasts, backlog.Segments, took, lasts.Seconds()/took.Seconds())
	if lasts >= time.Minute && took > lasts/3 {
		t.Errorf("drained in %s, want a third of %s", took, lasts)
	}
	until(t, "the alarm is over", 10*time.Second, func() bool { _, is := a.alarm("objects.unreachable"); return !is })
	a.stop()
	until(t, "everything is archived", 30*time.Second, func() bool { return a.waiting(t).Segments == 0 })
	a.whole(t, "cam-1")
	checkIdentity(t, a.rig, "cam-1", 200*time.Millisecond)
}

// Four hours of backlog of two cameras, through every fault of a store and a
// restart: nothing is lost, nothing is there twice, and it drains at many
// times the speed of the recording.
func TestBacklogOfFourHours(t *testing.T) {
	t.Parallel()
	a := newArchive(t, t.TempDir(), spool.Options{Reserve: -1}, nil)
	a.s3.Set(testserver.Answers5xx)
	const minutes, size = 240, 64 << 10
	for n := range minutes {
		for _, cam := range []ward.CameraID{"cam-1", "cam-2"} {
			a.put(t, cam, n, size)
		}
	}
	until(t, "the alarm", 10*time.Second, func() bool { _, is := a.alarm("objects.unreachable"); return is })
	if s := a.upload.Stats(); s.Segments != 0 || s.Failures > 100 {
		t.Errorf("%+v: a dead store is asked gently", s)
	}
	for _, m := range []testserver.FaultMode{testserver.Truncates, testserver.Lies} {
		failures := a.upload.Stats().Failures
		a.s3.Set(m)
		until(t, "some uploads fail", 20*time.Second, func() bool { return a.upload.Stats().Failures >= failures+2 })
		if w := a.waiting(t); w.Segments != 2*minutes || a.spool.Used() != 2*minutes*size {
			t.Fatalf("mode %d: %d segments wait, %d bytes are in the spool, want all", m, w.Segments, a.spool.Used())
		}
	}
	a.s3.Set(testserver.Crawls)
	until(t, "some crawl through", 30*time.Second, func() bool { return a.upload.Stats().Segments >= 2 })
	a.halt()
	a.begin(t, nil) // as after a restart
	a.s3.Set(testserver.Works)
	before := a.waiting(t).Segments
	began := time.Now()
	until(t, "everything is archived", 2*time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	took := time.Since(began) / time.Duration(before)
	t.Logf("one of %d was archived every %s: %.0f times real time", before, took, (time.Minute/2).Seconds()/took.Seconds())
	// Beside it on the same machine: the store's own pace, one after the other.
	began = time.Now()
	const plain = 24
	for n := range plain {
		key := fmt.Sprintf("plain/%d", n)
		if err := a.objs.Put(t.Context(), key, bytes.NewReader(bytes.Repeat([]byte{byte(n)}, size)), size); err != nil {
			t.Fatal(err)
		}
		if _, _, err := objects.Sum(t.Context(), a.objs, key); err != nil {
			t.Fatal(err)
		}
	}
	if pace := time.Since(began) / plain; took > 3*pace+10*time.Millisecond {
		t.Errorf("one is archived every %s, and put and read back in %s: the uploader waits for nothing", took, pace)
	}
	n := 0
	for info, err := range a.objs.List(t.Context(), "v1/") {
		if err != nil || info.Size != size {
			t.Errorf("%s: %d bytes, %v", info.Key, info.Size, err)
		}
		n++
	}
	until(t, "the spool is empty", 10*time.Second, func() bool { return a.spool.Used() == 0 })
	if n != 2*minutes {
		t.Errorf("%d objects for %d segments", n, 2*minutes)
	}
	a.whole(t, "cam-1", "cam-2")
}

// Pain 1: the store is away, the spool fills: alarm before loss, the oldest
// that nobody holds goes first, each with its gap; what is held stays, and
// when only that is left recording stops, and goes on once there is room.
func TestPain01AFullSpoolLosesOldestUnheldFirst(t *testing.T) {
	t.Parallel()
	const size = 256 << 10
	a := newArchive(t, t.TempDir(), spool.Options{Reserve: -1, Limit: 40 * size}, nil)
	a.s3.Set(testserver.Cuts)
	held := []ward.Segment{a.put(t, "cam-1", 0, size), a.put(t, "cam-1", 1, size)}
	c, err := a.store.OpenCase(t.Context(), ward.Case{InstitutionID: inst, Title: "x"}, []ward.Evidence{
		{Kind: ward.EvidenceSegment, Ref: string(held[0].ID)}, {Kind: ward.EvidenceSegment, Ref: string(held[1].ID)},
	}, ward.User{ID: "u", Role: ward.Inspector})
	if err != nil {
		t.Fatal(err)
	}
	n := 2
	for ; n < 20; n++ {
		a.put(t, "cam-1", n, size)
	}
	until(t, "a critical alarm before anything is lost", 10*time.Second, func() bool {
		v, is := a.alarm("objects.unreachable")
		return is && v.Level == ingest.Critical
	})
	if s := a.keeper.State(); s.Evicted != 0 {
		t.Fatalf("%d were given up before the alarm", s.Evicted)
	}
	if hours, ok := a.keeper.State().HoursLeft(); !ok || hours > 4 {
		t.Errorf("the forecast is %v, %v", hours, ok)
	}
	for ; n < 70; n++ { // more than it holds
		until(t, "there is room for the next", 10*time.Second, func() bool {
			_, err := a.tryPut("cam-1", n, size)
			return err == nil
		})
	}
	until(t, "the alarm that recordings are given up", 10*time.Second, func() bool {
		v, is := a.alarm(ingest.AlarmEvicting)
		return is && v.Level == ingest.Critical
	})
	gone := 0
	for i, g := range a.segments(t, "cam-1") {
		evicted := g.State == ward.Evicted
		switch {
		case evicted && i < 2:
			t.Errorf("held segment %d was given up", i)
		case evicted && i > 2+gone:
			t.Errorf("segment %d was given up before older ones", i)
		case evicted:
			gone++
			gaps, err := a.store.GapsBetween(t.Context(), g.Source, g.Start, g.End)
			if err != nil || len(gaps) != 1 || gaps[0].Cause != ward.CauseEvicted {
				t.Errorf("segment %d: gaps %v, %v", i, gaps, err)
			}
		}
	}
	if gone < 25 {
		t.Errorf("%d were given up of 70 where 40 have room", gone)
	}
	// Everything is held: recording stops, and says so.
	var rest []ward.Evidence
	for _, g := range a.segments(t, "cam-1") {
		if g.State == ward.Spooled {
			rest = append(rest, ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(g.ID)})
		}
	}
	if _, err := a.store.AddEvidence(t.Context(), c.ID, rest, ward.User{ID: "u", Role: ward.Inspector}); err != nil {
		t.Fatal(err)
	}
	rest = slices.DeleteFunc(rest, func(e ward.Evidence) bool { // given up just before it was held
		now, err := a.store.Segment(t.Context(), ward.SegmentID(e.Ref))
		return err == nil && now.State == ward.Evicted
	})
	until(t, "nothing but held ones is left", 30*time.Second, func() bool {
		if g, err := a.tryPut("cam-2", n, size); err == nil {
			rest = append(rest, ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(g.ID)})
			if _, err := a.store.AddEvidence(t.Context(), c.ID, rest[len(rest)-1:], ward.User{ID: "u", Role: ward.Inspector}); err != nil {
				t.Fatal(err)
			}
			if now, err := a.store.Segment(t.Context(), g.ID); err != nil || now.State == ward.Evicted {
				rest = rest[:len(rest)-1] // given up just before it was held
			}
			n++
		}
		v, is := a.alarm(ingest.AlarmFull)
		return is && v.Level == ingest.Critical
	})
	for _, e := range rest {
		if g, err := a.store.Segment(t.Context(), ward.SegmentID(e.Ref)); err != nil || g.State != ward.Spooled {
			t.Errorf("held %s is %s, %v", e.Ref, g.State, err)
		}
	}
	a.s3.Set(testserver.Works)
	until(t, "there is room again", 10*time.Second, func() bool {
		_, err := a.tryPut("cam-3", n, size)
		return err == nil
	})
	until(t, "everything is archived", time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	until(t, "the alarm is over", 10*time.Second, func() bool { _, is := a.alarm(ingest.AlarmFull); return !is })
	r, err := a.store.Fsck(t.Context(), storage.Media{Objects: a.objs, Spool: a.spool}, storage.FsckOptions{})
	if err != nil || !r.OK() {
		t.Errorf("fsck: %+v, %v", r.Problems, err)
	}
}

// Uploads keep below the configured rate, and rest while a recording waits.
func TestUploadsLetLiveWorkGoFirst(t *testing.T) {
	t.Parallel()
	a := newArchive(t, t.TempDir(), spool.Options{Reserve: -1}, func(a *archive) { a.upload.MbitS = 8 })
	const size = 1 << 20
	began := time.Now()
	for n := range 3 {
		a.put(t, "cam-1", n, size)
	}
	until(t, "archived", time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	if rate := 3 * size / time.Since(began).Seconds(); rate > 1.1e6 {
		t.Errorf("%.0f bytes a second, want at most 1,000,000", rate)
	}
	a.halt()
	a.begin(t, nil)
	a.put(t, "cam-1", 3, size)
	until(t, "archived", time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	// A recording that waits all the time: uploads slow to a trickle, and go on.
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			a.spool.Hurry()
			<-time.After(100 * time.Millisecond)
		}
	})
	until(t, "it hurries", 5*time.Second, func() bool { return !a.spool.Hurried().IsZero() })
	began = time.Now()
	a.put(t, "cam-1", 4, size/4)
	until(t, "archived", time.Minute, func() bool { return a.waiting(t).Segments == 0 })
	if took := time.Since(began); took < 1500*time.Millisecond {
		t.Errorf("it took %s while a recording waited", took)
	}
	stop()
	wg.Wait()
	a.whole(t, "cam-1")
}
