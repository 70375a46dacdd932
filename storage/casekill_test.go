package storage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/testfs"
	"wardwatch/internal/testserver"
	"wardwatch/storage"
	"wardwatch/storage/disk"
	"wardwatch/storage/evidence"
	"wardwatch/storage/evidence/verify"
	"wardwatch/storage/ledger"
	"wardwatch/storage/objects"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// killsInTest is how many points of a case's life are tried in `make test`;
// WARDWATCH_TEST_KILLS says another number, 0 all.
const killsInTest = 1

// desk is where a clerk works on one case: the catalogue, the store of objects
// and the clerk's own folder, in which a download is.
type desk struct {
	Database, Keys, Spool, Folder string
	Alert                         ward.AlertID
	Due, Free                     ward.Segment // past their retention: one that the case holds, and one that it does not
	ObjectDir                     string       // or
	S3                            objects.S3Config
	KillAt                        int64         // the point at which the process dies; 0: none
	Later                         time.Duration // how far ahead the clock of the keeper of holds is
	FullAt                        int64         // the point from which everything fails, as on a full disk; 0: none

	between func(http.Handler) http.Handler // what is done to requests to S3; nil: nothing
}

// point counts what a process does to the outside: before and after each
// commit and each request to S3, before each call of the file system.
func (d desk) point(n *atomic.Int64) func() error {
	return func() error {
		at := n.Add(1)
		if at == d.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until it comes
		}
		if d.FullAt > 0 && at >= d.FullAt {
			return syscall.ENOSPC
		}
		return nil
	}
}

func (d desk) open(ctx context.Context, point func() error) (*storage.Store, storage.Media, error) {
	s, err := storage.Open(ctx, storage.Options{Database: d.Database, Keys: d.Keys})
	if err != nil {
		return nil, storage.Media{}, err
	}
	m := storage.Media{}
	if m.Spool, err = spool.Open(d.Spool, spool.Options{Reserve: -1}); err != nil {
		return s, m, err
	}
	if d.ObjectDir != "" {
		f, err := disk.Open(d.ObjectDir)
		if err != nil {
			return s, m, err
		}
		m.Objects, err = objects.OpenDirOn(&testfs.Fail{FS: f, Each: point})
		return s, m, errors.Join(err, s.HookCommits(d.Database, point))
	}
	target := &url.URL{Scheme: "http", Host: d.S3.Endpoint}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	to := http.Handler(proxy)
	if d.between != nil {
		to = d.between(to)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = point()
		defer func() { _ = point() }()
		to.ServeHTTP(w, r)
	}))
	d.S3.Endpoint = srv.Listener.Addr().String()
	m.Objects, err = objects.OpenS3(ctx, d.S3)
	return s, m, errors.Join(err, s.HookCommits(d.Database, point))
}

// twoDaysOn is the time at retention: it deletes nothing of today.
func twoDaysOn() time.Time { return time.Now().Add(48 * time.Hour) }

// work is all of the case's life, from wherever it was cut off: it is opened,
// which holds its recordings; a file is added; it is exported; two people
// release it. Retention goes on meanwhile.
func (d desk) work(ctx context.Context, s *storage.Store, m storage.Media, log *slog.Logger) error {
	one, two := ward.User{ID: "u-1", Role: ward.Inspector}, ward.User{ID: "u-2", Role: ward.Inspector}
	k := &evidence.Clerk{Store: s, Media: m, Software: "wardwatch test"}
	keeper := &storage.HoldKeeper{Store: s, Objects: m.Objects, Log: log, Now: func() time.Time { return time.Now().Add(d.Later) }}
	all, err := s.Cases(ctx, nil, "", 10)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		c, err := k.OpenAlert(ctx, d.Alert, "空刷", one)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	c := all[0]
	old := &storage.Retention{Store: s, Objects: m.Objects, Log: log, Now: twoDaysOn}
	holdAndSweep := func() error {
		_, err := keeper.Once(ctx)
		_, sweepErr := old.Once(ctx)
		return errors.Join(err, sweepErr)
	}
	if err := holdAndSweep(); err != nil {
		return err
	}
	if err := d.add(ctx, k, c, one); err != nil {
		return err
	}
	if err := holdAndSweep(); err != nil {
		return err
	}
	if err := d.export(ctx, k, c, one); err != nil {
		return err
	}
	h, err := s.CaseHolds(ctx, c.ID)
	if err != nil {
		return err
	}
	if len(h.Releases) == 0 {
		r, err := s.RequestRelease(ctx, c.ID, "结案", one)
		if err != nil {
			return err
		}
		h.Releases = append(h.Releases, r)
	}
	if r := h.Releases[0]; r.State == ward.ReleaseRequested {
		if _, err := s.AnswerRelease(ctx, r.ID, two, true, ""); err != nil {
			return err
		}
	}
	return holdAndSweep()
}

func (d desk) add(ctx context.Context, k *evidence.Clerk, c ward.Case, by ward.User) error {
	items, err := k.Store.Evidence(ctx, c.ID)
	for _, e := range items {
		if e.Kind == ward.EvidenceFile {
			return err
		}
	}
	if err != nil {
		return err
	}
	b := append([]byte("%PDF-"), make([]byte, 1<<20)...)
	_, err = k.AddFile(ctx, c, "bill.pdf", bytes.NewReader(b), int64(len(b)), by)
	return err
}

// export goes on with the download in the folder; its first line was heard
// when there is an etag.
func (d desk) export(ctx context.Context, k *evidence.Clerk, c ward.Case, by ward.User) error {
	tag, zip := filepath.Join(d.Folder, "etag"), filepath.Join(d.Folder, "zip")
	var p *evidence.Package
	var err error
	if id, readErr := os.ReadFile(tag); readErr == nil {
		x, err := k.Store.Export(ctx, ward.ExportID(id))
		if err != nil || x.State == ward.ExportWhole {
			return err
		}
		if p, err = k.Resume(ctx, x); err != nil {
			return err
		}
	} else if p, err = k.Prepare(ctx, c.ID, by, "移送"); err != nil {
		return err
	}
	if err := os.WriteFile(tag, []byte(p.Export.ID), 0o600); err != nil {
		return err
	}
	f, err := os.OpenFile(zip, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	r := p.Reader(ctx)
	defer r.Close()
	if err := r.Ready(at); err != nil {
		return err
	}
	for at < p.Size && err == nil {
		var n int64
		n, err = io.CopyN(f, r, min(p.Size-at, 200_000))
		if at += n; err == nil {
			err = k.Store.ExportSent(ctx, p.Export.ID, at, nil)
		}
	}
	if err != nil {
		return err
	}
	return k.Store.ExportWhole(ctx, p.Export, "", [32]byte{})
}

// TestChildThatIsKilled is the process that TestKill9OfACase kills.
func TestChildThatIsKilled(t *testing.T) {
	text := os.Getenv("WARDWATCH_TEST_DESK")
	if text == "" {
		return // not that process
	}
	var d desk
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	s, m, err := d.open(t.Context(), d.point(&n))
	if err == nil {
		err = d.work(t.Context(), s, m, slog.New(slog.DiscardHandler))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Folder, "points"), []byte(strconv.FormatInt(n.Load(), 10)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run is work in a process of its own; died says that it was killed.
func (d desk) run(t *testing.T) (died bool) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestChildThatIsKilled$") //nolint:gosec // this test
	cmd.Env = append(os.Environ(), "WARDWATCH_TEST_DESK="+string(text))
	out, err := cmd.CombinedOutput()
	if e, ok := errors.AsType[*exec.ExitError](err); ok && e.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return false
}

// TestKill9OfACase kills the process at points of a case's life: at each
// fsck finds nothing wrong, and what was cut off is finished by the next.
func TestKill9OfACase(t *testing.T) { //nolint:tparallel // the first counts the points of the others
	t.Parallel()
	kills := killsOf(t)
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not for secrets
	for name, store := range map[string]func(*testing.T) func(*testing.T, *desk, *testcase.World){"dir": inDir, "minio": inMinIO} {
		t.Run(name, func(t *testing.T) {
			fill := store(t)
			var points int
			t.Run("uncut", func(t *testing.T) { points = killAt(t, testcase.SQLite(t), fill, 0) })
			tried := random.Perm(points)
			if kills > 0 && kills < points {
				tried = tried[:kills]
			}
			t.Logf("%d of %d points", len(tried), points)
			for _, at := range tried {
				t.Run(strconv.Itoa(at+1), func(t *testing.T) {
					testcase.Each(t, func(t *testing.T, w *testcase.World) { killAt(t, w, fill, int64(at+1)) })
				})
			}
		})
	}
}

func inDir(*testing.T) func(*testing.T, *desk, *testcase.World) {
	return func(_ *testing.T, d *desk, w *testcase.World) { d.ObjectDir = w.ObjectDir }
}

// inMinIO moves the objects of a world to a bucket of its own.
func inMinIO(t *testing.T) func(*testing.T, *desk, *testcase.World) {
	s := testserver.MinIO(t)
	buckets := 0
	return func(t *testing.T, d *desk, w *testcase.World) {
		buckets++
		d.S3 = objects.S3Config{Endpoint: s.Endpoint, Region: s.Region, Bucket: fmt.Sprintf("wardwatch-%d", buckets), AccessKey: s.AccessKey, SecretKey: s.SecretKey}
		to, err := objects.OpenS3(t.Context(), d.S3)
		if err != nil {
			t.Fatal(err)
		}
		for o, err := range w.Media.Objects.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			r, err := w.Media.Objects.Get(t.Context(), o.Key, 0, -1)
			if err == nil {
				err = errors.Join(to.Put(t.Context(), o.Key, r, o.Size), r.Close())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		w.Media.Objects = to
	}
}

// killAt kills a process at a point and lets the next finish. At 0 it is not
// killed, and killAt returns how many points there were.
func killAt(t *testing.T, w *testcase.World, fill func(*testing.T, *desk, *testcase.World), at int64) (points int) {
	t.Helper()
	d := deskOf(t, w)
	d.KillAt = at
	fill(t, &d, w)
	died := d.run(t)
	d.finish(t, w)
	if died {
		return 0
	}
	text, err := os.ReadFile(filepath.Join(d.Folder, "points"))
	if err == nil {
		points, err = strconv.Atoi(string(text))
	}
	if err != nil || at > 0 && int64(points) >= at { // one engine has a point less
		t.Fatalf("not killed; %d points, %v", points, err)
	}
	return points
}

func deskOf(t *testing.T, w *testcase.World) desk {
	t.Helper()
	d := desk{Database: w.Options.Database, Keys: w.Options.Keys, Spool: w.SpoolDir, Folder: t.TempDir(), Alert: w.Alert}
	w.Keep = time.Hour // over by twoDaysOn
	d.Due = w.Record(w.Camera, w.Start.Add(35*time.Second), 10*time.Second, true)
	d.Free = w.Record(ward.Source{Kind: ward.FromCamera, ID: "cam-7"}, w.Start, 10*time.Second, true)
	if err := w.Store.SetKnownTime(t.Context(), twoDaysOn()); err != nil {
		t.Fatal(err)
	}
	return d
}

// finish is what the next process makes of it.
func (d desk) finish(t *testing.T, w *testcase.World) {
	t.Helper()
	ctx := t.Context()
	clean := func(when string) {
		t.Helper()
		r, err := w.Store.Fsck(ctx, w.Media, storage.FsckOptions{})
		if err != nil || !r.OK() {
			t.Errorf("%s: %v %+v", when, err, r.Problems)
		}
	}
	clean("as it was left")
	d.Later = 3 * time.Hour // what the keeper could not do is due
	all, err := w.Store.Cases(ctx, nil, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 1 {
		h, err := w.Store.CaseHolds(ctx, all[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		released := len(h.Releases) == 1 && h.Releases[0].State == ward.ReleaseConfirmed
		if _, err := w.Media.Objects.Stat(ctx, d.Due.Key); !released && err != nil {
			t.Errorf("what the case holds: %v", err)
		}
	}
	if err := d.work(ctx, w.Store, w.Media, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatalf("not finished: %v", err)
	}
	// What the store refused to delete, since its lock was still on, is tried again after six hours.
	hours := func() time.Time { return twoDaysOn().Add(7 * time.Hour) }
	if err := w.Store.SetKnownTime(ctx, hours()); err != nil {
		t.Fatal(err)
	}
	if _, err := (&storage.Retention{Store: w.Store, Objects: w.Media.Objects, Log: slog.New(slog.DiscardHandler), Now: hours}).Once(ctx); err != nil {
		t.Error(err)
	}
	later := func() time.Time { return time.Now().Add(ward.ExportFor + time.Hour) }
	aside, err := (&storage.Reconciler{Store: w.Store, Media: w.Media, Log: slog.New(slog.DiscardHandler), Now: later}).Once(ctx)
	if err = errors.Join(err, w.Store.SweepExports(ctx, later())); err != nil || aside > 1 {
		t.Errorf("%d put aside, %v", aside, err)
	}
	clean("finished")
	zip, err := os.ReadFile(filepath.Join(d.Folder, "zip"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.Package(bytes.NewReader(zip), int64(len(zip)), verify.Trust{Fingerprint: ledger.Fingerprint(w.Store.PublicKey())})
	if err != nil || v.Exit(false) != verify.ExitVerified {
		t.Errorf("the package: %v %+v", err, v)
	}
	all, err = w.Store.Cases(ctx, nil, "", 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("cases %+v, %v", all, err)
	}
	events, err := w.Store.Custody(ctx, all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	n := map[ward.Action]int{}
	files := map[string]bool{}
	for _, e := range events {
		n[e.Action]++
		if e.Action == ward.ActionAdd && strings.HasPrefix(e.Object, "file/") {
			files[e.Object] = true
		}
	}
	if n[ward.ActionOpenCase] != 1 || n[ward.ActionExport] != 1+n[ward.ActionEndExport] || n[ward.ActionAskRelease] != 1 || n[ward.ActionRelease] != 1 || len(files) != 1 {
		t.Errorf("custody %v %v", n, files)
	}
	for _, g := range []ward.Segment{d.Due, d.Free} {
		if g, err := w.Store.Segment(ctx, g.ID); err != nil || g.State != ward.Deleted {
			t.Errorf("%s is %s after retention: %v", g.Key, g.State, err)
		}
	}
	for o, err := range w.Media.Objects.List(ctx, "v1/") {
		if err != nil {
			t.Fatal(err)
		}
		if held, err := objects.Held(ctx, w.Media.Objects, o.Key); held || err != nil {
			t.Errorf("%s is held after the release: %v", o.Key, err)
		}
	}
}

// TestAFullDiskInACase is the same on a disk of which nothing more can be
// written or committed from a point on, until somebody makes room. A commit
// that fails may have happened.
func TestAFullDiskInACase(t *testing.T) { //nolint:tparallel // likewise
	t.Parallel()
	tries := killsOf(t)
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // any will do
	t.Logf("seed %d", seed)
	var points atomic.Int64
	full := func(t *testing.T, w *testcase.World, at int64) {
		t.Helper()
		d := deskOf(t, w)
		d.ObjectDir, d.FullAt = w.ObjectDir, at
		points.Store(0)
		s, m, err := d.open(t.Context(), d.point(&points))
		if err == nil {
			err = d.work(t.Context(), s, m, slog.New(slog.DiscardHandler))
		}
		if (err == nil) != (at == 0) && points.Load() >= at {
			t.Errorf("at point %d: %v", at, err)
		}
		if s != nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		d.finish(t, w)
	}
	t.Run("uncut", func(t *testing.T) { full(t, testcase.SQLite(t), 0) })
	all := rand.New(rand.NewPCG(seed, 0)).Perm(int(points.Load())) //nolint:gosec // not for secrets
	if tries > 0 {
		all = all[:tries]
	}
	for _, at := range all {
		t.Run(strconv.Itoa(at+1), func(t *testing.T) {
			testcase.Each(t, func(t *testing.T, w *testcase.World) { full(t, w, int64(at+1)) })
		})
	}
}

// killsOf is how many points are tried; 0: all.
func killsOf(t *testing.T) int {
	t.Helper()
	kills := killsInTest
	if text := os.Getenv("WARDWATCH_TEST_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("WARDWATCH_TEST_KILLS: %v", err)
		}
	}
	return kills
}
