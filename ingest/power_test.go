package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/testfs"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// tinyTracks describe tinyUnits.
func tinyTracks() []Track {
	return []Track{{ID: 1, Codec: ward.H264, ClockRate: 90000, SPS: testSPS, PPS: testPPS}, {ID: 2, Codec: ward.PCMU, ClockRate: 8000, Channels: 1}}
}

// tinyUnits are the pictures and sounds of some seconds at 25 a second with a
// key frame each second; the pictures are noise of up to 2 kB.
func tinyUnits(seconds int, start time.Time, dice *rand.Rand) (all []Unit) {
	for i := range 25 * seconds {
		nalu := make([]byte, 21+dice.IntN(2000))
		for j := range nalu {
			nalu[j] = byte(dice.Uint32())
		}
		nalu[0] = 0x41
		if i%25 == 0 {
			nalu[0] = 0x65
		}
		at := start.Add(time.Duration(i) * 40 * time.Millisecond)
		all = append(all,
			Unit{Track: 1, PTS: int64(i) * 3600, DTS: int64(i) * 3600, Arrived: at, AU: [][]byte{nalu}, Key: i%25 == 0},
			Unit{Track: 2, PTS: int64(i) * 320, DTS: int64(i) * 320, Arrived: at, AU: [][]byte{nalu[:20]}, Key: true})
	}
	return all
}

// inMemory is a catalogue, and a spool whose disk is in memory.
func inMemory(t *testing.T) (*storage.Store, *spool.Spool) {
	t.Helper()
	sp, err := spool.Open("", spool.Options{Reserve: -1, FS: testfs.NewPower(0)})
	if err != nil {
		t.Fatal(err)
	}
	return teststore.SQLite(t), sp
}

// ofCamera keeps the coverage of cam-1.
func ofCamera(store *storage.Store) *coverage {
	return &coverage{store: store, clerk: newClerk(slog.New(slog.DiscardHandler)), src: ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, inst: "h-1"}
}

// TestPowerLossCostsAtMostTwoSeconds cuts the power at any call of the file
// system, with what was not synced lost, torn or full of holes, and looks at
// what Recover makes of it: at most 2 s are lost, every row has its file with
// its hash, and every picture in it is one that was sent.
func TestPowerLossCostsAtMostTwoSeconds(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	seeds, first := 150, uint64(time.Now().UnixNano())
	if s := os.Getenv("WARDWATCH_SEEDS"); s != "" { // the long run: 1000
		var err error
		if seeds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("WARDWATCH_SEED"); s != "" {
		var err error
		if first, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
		seeds = 1
	}
	rpo := time.Duration(0)
	for i := range seeds {
		seed := first + uint64(i)
		lost, err := powerLoss(t, store, seed)
		rpo = max(rpo, lost)
		if err == nil && lost.Truncate(time.Millisecond) > 2*time.Second {
			err = fmt.Errorf("%s lost", lost)
		}
		if err != nil {
			t.Fatalf("%v\nreplay: WARDWATCH_SEED=%d go test ./ingest -run TestPowerLossCostsAtMostTwoSeconds", err, seed)
		}
	}
	t.Logf("seeds %d to %d; at most %s lost", first, first+uint64(seeds)-1, rpo)
}

func powerLoss(t *testing.T, store *storage.Store, seed uint64) (lost time.Duration, err error) {
	dice := rand.New(rand.NewPCG(seed, 0))
	disk := testfs.NewPower(10 + dice.IntN(110))
	sp, err := spool.Open("", spool.Options{Reserve: -1, FS: disk})
	if err != nil {
		return 0, err
	}
	src := ward.Source{Kind: ward.FromVisit, ID: fmt.Sprintf("visit-%d", seed)}
	s := NewStream(src, "h-1", tinyTracks())
	rec := &Recorder{Store: store, Spool: sp, SegmentSeconds: 2}
	done := make(chan error, 1)
	go func() { done <- rec.Run(t.Context(), s) }()
	for s.Readers() == 0 {
		runtime.Gosched()
	}
	start := time.Now().Add(-time.Minute)
	now := start
	sent := map[[sha256.Size]byte]bool{}
	for _, u := range tinyUnits(9, start, dice) {
		if disk.Off() {
			break
		}
		now = u.Arrived
		sent[sha256.Sum256(u.AU[0])] = u.Track == 1
		s.Write(u)
		taken(s)
		settled(s, rec, disk)
	}
	cut := disk.After(dice)
	s.Close()
	if err := <-done; err != nil {
		return 0, err
	}
	if sp, err = spool.Open("", spool.Options{Reserve: -1, FS: cut}); err != nil {
		return 0, err
	}
	if _, err = Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler)); err != nil {
		return 0, err
	}
	return wholeRecordings(t, store, sp, src, now, start, sent)
}

// settled waits until the recorder has nothing to do and the disk, as one
// that keeps up, neither.
func settled(s *Stream, rec *Recorder, disk *testfs.Power) {
	for calm, calls := 0, 0; calm < 100 && !disk.Off() && !disk.Durable(); calm++ {
		taken(s)
		if now := disk.Calls(); now != calls || len(rec.syncs) > 0 {
			calm, calls = 0, now
		}
		runtime.Gosched()
	}
}

// wholeRecordings checks every row of src and its file, and says how much of
// what came until now is not in one.
func wholeRecordings(t *testing.T, store *storage.Store, sp *spool.Spool, src ward.Source, now, start time.Time, sent map[[sha256.Size]byte]bool) (lost time.Duration, err error) {
	segs, err := store.SegmentsBetween(t.Context(), src, start.Add(-time.Hour), now.Add(time.Hour))
	if err != nil {
		return 0, err
	}
	end := start
	for _, g := range segs {
		f, err := sp.Open(spool.Of(g))
		if err != nil {
			return 0, fmt.Errorf("segment %d: %w", g.Seq, err)
		}
		b, err := io.ReadAll(f)
		if err != nil {
			return 0, err
		}
		if sha256.Sum256(b) != g.SHA256 || int64(len(b)) != g.Bytes {
			return 0, fmt.Errorf("segment %d: %d bytes of %d, or another hash", g.Seq, len(b), g.Bytes)
		}
		x, err := readIndex(f, g.Bytes)
		if err != nil || x.size != g.Bytes {
			return 0, fmt.Errorf("segment %d: %d bytes are whole of %d: %w", g.Seq, x.size, g.Bytes, err)
		}
		for _, p := range x.parts {
			for _, r := range p.runs {
				for _, s := range r.samples {
					if r.track == 1 && !sent[sha256.Sum256(b[s.offset+4:s.offset+int64(s.size)])] {
						return 0, fmt.Errorf("segment %d: a picture at %d was never sent", g.Seq, s.offset)
					}
				}
			}
		}
		if g.Start.Before(end.Add(-time.Millisecond)) {
			return 0, fmt.Errorf("segment %d overlaps the one before", g.Seq)
		}
		if len(g.Chunks) == 0 || g.Chunks[0].Offset != x.parts[0].offset || g.Audio != ward.PCMU {
			return 0, fmt.Errorf("segment %d: its row says %+v", g.Seq, g)
		}
		end = g.End
	}
	return now.Sub(end), nil
}

// TestEveryCallOfTheDiskMayFail lets each call of the file system fail, in
// each way, until none is left to fail.
func TestEveryCallOfTheDiskMayFail(t *testing.T) { //nolint:tparallel // the ways share one catalogue
	t.Parallel()
	store := teststore.SQLite(t)
	for _, way := range []struct {
		name  string
		err   error
		short bool
	}{{"eio", syscall.EIO, false}, {"enospc", syscall.ENOSPC, false}, {"short", syscall.EIO, true}} {
		t.Run(way.name, func(t *testing.T) {
			for call, clean := 1, 0; clean < 3; call++ {
				fail := &testfs.Fail{FS: testfs.NewPower(0), Err: way.err, Short: way.short}
				sp, err := spool.Open("", spool.Options{Reserve: 1, FS: fail})
				if err != nil {
					t.Fatal(err)
				}
				fail.Call = fail.Calls() + call
				src := ward.Source{Kind: ward.FromVisit, ID: fmt.Sprintf("visit-%s-%d", way.name, call)}
				if err := failing(t, store, sp, src, fail); err != nil {
					t.Fatalf("call %d (%s): %v", call, fail.Failed(), err)
				}
				clean++
				if fail.Failed() != "" {
					clean = 0
				}
			}
		})
	}
}

func failing(t *testing.T, store *storage.Store, sp *spool.Spool, src ward.Source, fail *testfs.Fail) error {
	dice := rand.New(rand.NewPCG(1, 2))
	s := NewStream(src, "h-1", tinyTracks())
	var log errorCount
	rec := &Recorder{Store: store, Spool: sp, SegmentSeconds: 2, Log: slog.New(&log)}
	start := time.Now().Add(-time.Minute)
	own, stop := context.WithCancel(t.Context())
	rec.clerk = newClerk(rec.Log)
	rec.coverage = &coverage{store: store, clerk: rec.clerk, src: src, inst: "h-1"}
	rec.coverage.missing(ward.CauseConnecting, start)
	done := make(chan error, 1)
	go func() {
		err := rec.Run(t.Context(), s)
		rec.coverage.missing(ward.CauseRestart, start.Add(8*time.Second))
		stop()
		done <- err
	}()
	clerked := make(chan struct{})
	go func() { rec.clerk.Run(own); close(clerked) }()
	for s.Readers() == 0 {
		runtime.Gosched()
	}
	sent := map[[sha256.Size]byte]bool{}
	units := tinyUnits(8, start, dice)
	for _, u := range units {
		sent[sha256.Sum256(u.AU[0])] = u.Track == 1
		s.Write(u)
		taken(s)
	}
	s.Close()
	err := <-done
	<-clerked
	if err != nil {
		return err
	}
	fail.Disarm()
	end := start.Add(8 * time.Second)
	if _, err := wholeRecordings(t, store, sp, src, end, start, sent); err != nil {
		return err
	}
	segs, err := store.SegmentsBetween(t.Context(), src, start.Add(-time.Hour), end.Add(time.Hour))
	if err != nil {
		return err
	}
	gaps, err := store.GapsBetween(t.Context(), src, start.Add(-time.Hour), end)
	if err != nil {
		return err
	}
	c := Cover(segs, gaps, start, end)
	if left := 8*time.Second - c.Recorded - c.Gap; left.Abs() > time.Millisecond {
		return fmt.Errorf("%s are in no row: %v %v", left, segs, gaps)
	}
	if c.Gap > 3*time.Second { // a segment, and the wait for a key frame
		return fmt.Errorf("one failure cost %s", c.Gap)
	}
	if what := fail.Failed(); c.Gap > 0 && log.Load() == 0 {
		return errors.New("a gap, and no word in the log")
	} else if what == "write" || what == "fsync" {
		if c.Gap == 0 || log.Load() == 0 {
			return fmt.Errorf("%s failed, and nobody knows: %v", what, gaps)
		}
	}
	return nil
}

// taken waits until the recorder has nothing to do.
func taken(s *Stream) {
	for idle := false; !idle; runtime.Gosched() {
		s.mu.Lock()
		idle = len(s.readers) == 1 && (s.readers[0].resting || s.readers[0].count == 0)
		s.mu.Unlock()
	}
}

// errorCount is a log that counts what went wrong.
type errorCount struct{ atomic.Int64 }

func (c *errorCount) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (c *errorCount) Handle(context.Context, slog.Record) error    { c.Add(1); return nil }
func (c *errorCount) WithAttrs([]slog.Attr) slog.Handler           { return c }
func (c *errorCount) WithGroup(string) slog.Handler                { return c }
