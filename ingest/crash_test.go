package ingest_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// childFolder, when set, makes the test binary a recording process.
const childFolder = "WARDWATCH_TEST_CHILD"

// childReady is what the recording process prints once SIGTERM ends it in order.
const childReady = "ready"

// sideBySide is how many tests run at once: they wait for cameras, which run in
// real time, much more than they work.
const sideBySide = "6"

func TestMain(m *testing.M) {
	flag.Parse()
	if dir := os.Getenv(childFolder); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go watchLateness()
	os.Exit(m.Run())
}

// late is by how much, in nanoseconds, a wait in this process lasted longer
// than it should, at worst. Cameras are simulated here: on a busy machine
// their pictures come later by as much.
var late atomic.Int64

func watchLateness() {
	const step = 20 * time.Millisecond
	for tick := time.Tick(step); ; {
		before := time.Now()
		<-tick
		if d := int64(time.Since(before) - step); d > late.Load() {
			late.Store(d)
		}
	}
}

// tolerance is d, and what the machine was late.
func tolerance(d time.Duration) time.Duration { return d + 2*time.Duration(late.Load()) }

// child is what cmd/wardwatch does: recover, then run the fleet and the
// uploader until SIGTERM.
func child(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println(childReady)
	whole := context.WithoutCancel(ctx) // a SIGTERM that comes early waits for the start
	store, sp, objs, err := openAll(whole, dir)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if _, err := ingest.Recover(whole, store, sp, log); err != nil {
		return err
	}
	up := &ingest.Uploader{Store: store, Spool: sp, Objects: objs, Log: log}
	fleet := &ingest.Fleet{Store: store, Spool: sp, Log: log, OnSegment: func(ward.Segment) { up.Wake() }}
	uploaded := make(chan error, 1)
	go func() { uploaded <- up.Run(ctx) }()
	if err := fleet.Run(ctx); err != nil {
		return err
	}
	if err := <-uploaded; err != nil {
		return err
	}
	return store.Close()
}

func openAll(ctx context.Context, dir string) (*storage.Store, *spool.Spool, *objects.Dir, error) {
	store, err := storage.Migrate(ctx, storage.Options{Database: filepath.Join(dir, "catalogue.db"), Keys: filepath.Join(dir, "keys")})
	if err != nil {
		return nil, nil, nil, err
	}
	sp, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{Reserve: -1})
	if err != nil {
		return nil, nil, nil, err
	}
	objs, err := objects.OpenDir(filepath.Join(dir, "objects"))
	return store, sp, objs, err
}

// process is a running child.
type process struct {
	cmd *exec.Cmd
	log bytes.Buffer
}

func startChild(t testing.TB, dir string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childFolder+"="+dir)
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err = p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); strings.TrimSpace(line) != childReady {
		_ = p.cmd.Process.Kill()
		t.Fatalf("the recording process said %q: %v, %v\n%s", line, err, p.cmd.Wait(), &p.log)
	}
	return p
}

// end sends sig and waits.
func (p *process) end(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	err := p.cmd.Wait()
	if sig == syscall.SIGTERM && err != nil {
		t.Fatalf("orderly stop: %v\n%s", err, &p.log)
	}
}

func TestKill9CostsAtMostOneFragment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, sp, objs, err := openAll(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{store: store, spool: sp}
	addPlace(t, store)
	addCamera(t, store, camera("cam-1", serve(t, h264Clip(t)).url))
	addCamera(t, store, camera("cam-2", serve(t, h265Clip(t)).url))
	ids := []ward.CameraID{"cam-1", "cam-2"}

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	lib := &ingest.Library{Store: store, Objects: objs, Spool: sp}
	kills := 5
	missed := map[ward.CameraID]int{} // kills that surely left something unrecorded
	for range kills {
		began := time.Now()
		p := startChild(t, dir)
		until(t, "both cameras record again within 5 s of the start", 8*time.Second, func() bool {
			for _, id := range ids {
				var b bytes.Buffer
				if _, err := lib.Clip(t.Context(), &b, inst, src(id), began, time.Now().Add(time.Minute)); err != nil {
					return false
				}
			}
			return true
		})
		<-time.After(time.Duration(dice.Int64N(int64(3 * time.Second)))) // the moment of the kill
		killed := time.Now()
		p.end(t, syscall.SIGKILL)
		// What is on the disk now is what the crash left.
		if _, err := ingest.Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			last, err := store.LastSegment(t.Context(), src(id))
			if err != nil {
				t.Fatal(err)
			}
			lost := killed.Sub(last.End)
			if lost > 0 { // else the last picture, with its length, covers the kill
				missed[id]++
			}
			if lost > 2200*time.Millisecond { // a fragment and a group of pictures, 1 s each
				t.Errorf("%s: %s lost before the kill", id, lost)
			} else {
				t.Logf("%s: %s lost", id, lost)
			}
		}
	}
	p := startChild(t, dir)
	until(t, "everything is archived", 30*time.Second, func() bool {
		segs, err := store.SpooledSegments(t.Context(), 100)
		return err == nil && len(segs) == 0 && len(r.segments(t, "cam-1")) > kills
	})
	p.end(t, syscall.SIGTERM)
	for _, id := range ids {
		checkIdentity(t, r, id, 100*time.Millisecond)
		checkNoOverlap(t, r, id)
		repaired := 0
		for i, g := range r.segments(t, id) {
			if g.Seq != int64(i+1) {
				t.Errorf("%s: segment %d has number %d", id, i, g.Seq)
			}
			if g.Repaired {
				repaired++
			}
			checkMedia(t, sp, objs, g)
		}
		if repaired == 0 {
			t.Errorf("%s: no segment was repaired in %d kills", id, kills)
		}
		crashes := 0
		for _, g := range r.gaps(t, id) {
			if g.Cause == ward.CauseCrash {
				crashes++
			}
		}
		if crashes < missed[id] || crashes > kills {
			t.Errorf("%s: %d crash gaps, want %d to %d: %v", id, crashes, missed[id], kills, r.gaps(t, id))
		}
	}
}

// checkMedia compares a segment's bytes with its row, wherever they are, and
// lets ffmpeg read them.
func checkMedia(t testing.TB, sp *spool.Spool, objs objects.Objects, g ward.Segment) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "segment.mp4")
	if g.State == ward.Archived {
		sum, size, err := objects.Sum(t.Context(), objs, g.Key)
		if err != nil || sum != g.SHA256 || size != g.Bytes {
			t.Errorf("segment %d of %s: %d bytes, row says %d: %v", g.Seq, g.Source, size, g.Bytes, err)
		}
		rd, err := objs.Get(t.Context(), g.Key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(rd); err != nil {
			t.Fatal(err)
		}
		_ = rd.Close()
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	} else {
		f, err := sp.Open(spool.Of(g))
		if err != nil {
			t.Fatal(err)
		}
		file = f.Name()
		_ = f.Close()
	}
	ffmpegReads(t, file)
}

// checkNoOverlap says whether rows of a source contradict each other.
func checkNoOverlap(t testing.TB, r *rig, id ward.CameraID) {
	t.Helper()
	type row struct{ from, to time.Time }
	var rows []row
	for _, g := range r.segments(t, id) {
		rows = append(rows, row{g.Start, g.End})
	}
	for _, g := range r.gaps(t, id) {
		if g.Cause != ward.CauseLoss && g.Cause != ward.CauseSlow && !g.To.IsZero() {
			rows = append(rows, row{g.From, g.To})
		}
	}
	for i, a := range rows {
		for _, b := range rows[i+1:] {
			if over := min(a.to.UnixMicro(), b.to.UnixMicro()) - max(a.from.UnixMicro(), b.from.UnixMicro()); over > 50_000 {
				t.Errorf("%s: rows overlap by %d µs: %v %v", id, over, a, b)
			}
		}
	}
}
