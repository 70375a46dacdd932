package ingest

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"wardwatch/internal/testfs"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// wallSet returns t as it would have been read after somebody set the wall
// clock by d: the monotonic reading stays. A time.Time with a monotonic
// reading holds the wall clock's seconds from bit 30 of its first word on.
func wallSet(t *testing.T, at time.Time, d time.Duration) time.Time {
	t.Helper()
	was := at
	word := (*uint64)(unsafe.Pointer(&at)) //nolint:gosec // a clock cannot be set in a test
	*word += uint64(d/time.Second) << 30
	if at.Round(0).Sub(was.Round(0)) != d || at.Sub(was) != 0 {
		t.Fatalf("time.Time looks different in this Go: %v %v", was, at)
	}
	return at
}

// recordedOf records units of src and returns its rows.
func recordedOf(t *testing.T, store *storage.Store, sp *spool.Spool, src ward.Source, seconds int, units []Unit) []ward.Segment {
	t.Helper()
	s := NewStream(src, "h-1", tinyTracks())
	rec := &Recorder{Store: store, Spool: sp, SegmentSeconds: seconds, RetentionDays: 30}
	done := make(chan error, 1)
	go func() { done <- rec.Run(t.Context(), s) }()
	for s.Readers() == 0 {
		runtime.Gosched()
	}
	for _, u := range units {
		s.Write(u)
		taken(s)
	}
	s.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	segs, err := store.SegmentsBetween(t.Context(), src, time.Unix(1, 0), time.Now().Add(100*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return segs
}

// TestAWallClockThatIsSetTearsNothing sets the server's clock by an hour,
// there and back, while a source is recorded, and between two sessions.
func TestAWallClockThatIsSetTearsNothing(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := teststore.SQLite(t)
			sp, err := spool.Open("", spool.Options{Reserve: -1, FS: testfs.NewPower(0)})
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now().Add(-time.Minute)
			life, _, err := store.BeginLife(t.Context(), began)
			if err != nil {
				t.Fatal(err)
			}
			src := ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
			units := tinyUnits(10, began, rand.New(rand.NewPCG(3, 4)))
			for i := len(units) / 2; i < len(units); i++ {
				units[i].Arrived = wallSet(t, units[i].Arrived, jump)
			}
			recordedOf(t, store, sp, src, 2, units)
			later := tinyUnits(4, began.Add(20*time.Second), rand.New(rand.NewPCG(5, 6)))
			for i := range later { // the next session; the clock is still wrong
				later[i].Arrived = wallSet(t, later[i].Arrived, jump)
			}
			segs := recordedOf(t, store, sp, src, 2, later)
			if len(segs) != 7 {
				t.Errorf("%d segments, want 7: no more for the jump", len(segs))
			}
			for i, g := range segs {
				if took := g.End.Sub(g.Start); (took - 2*time.Second).Abs() > time.Millisecond {
					t.Errorf("segment %d lasts %s", i, took)
				}
				if g.Life != life.ID || !g.KeepUntil.Equal(g.Start.Add(30*24*time.Hour)) {
					t.Errorf("segment %d: %+v", i, g)
				}
				if i == 0 {
					continue
				}
				if g.Start.Before(segs[i-1].End) {
					t.Errorf("segments %d and %d overlap", i-1, i)
				}
				if g.Mono < segs[i-1].Mono+2*time.Second-time.Millisecond || g.Seq != segs[i-1].Seq+1 {
					t.Errorf("segments %d and %d are out of order by the monotonic clock: %s, %s", i-1, i, segs[i-1].Mono, g.Mono)
				}
			}
			if got, want := segs[5].Start.Sub(segs[4].End), 10*time.Second+max(jump, 0); name == "forward" && (got-want).Abs() > time.Millisecond {
				t.Errorf("the next session begins %s later, want %s: by the new clock", got, want)
			}
			events, err := store.RecordingEvents(t.Context(), src, began.Add(-2*time.Hour), began.Add(2*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(events, func(e ward.RecordingEvent) bool { return e.Kind == ward.ClockJump && e.Off == jump }) {
				t.Errorf("no event of the jump: %+v", events)
			}
		})
	}
}

func TestDriftAndNewParametersAreEvents(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	sp, err := spool.Open("", spool.Options{Reserve: -1, FS: testfs.NewPower(0)})
	if err != nil {
		t.Fatal(err)
	}
	src := ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
	began := time.Now().Add(-time.Minute)
	units := tinyUnits(20, began, rand.New(rand.NewPCG(3, 4)))
	for i := range units {
		units[i].PTS, units[i].DTS = units[i].PTS*11/10, units[i].DTS*11/10 // the camera's clock is fast
	}
	other := slices.Clone(testPPS)
	other[len(other)-1] ^= 0x40
	i := slices.IndexFunc(units, func(u Unit) bool { return u.Key && u.Track == 1 && u.Arrived.Sub(began) >= 15*time.Second })
	units[i].AU = append([][]byte{testSPS, other}, units[i].AU...)
	segs := recordedOf(t, store, sp, src, 60, units)
	if len(segs) != 2 {
		t.Fatalf("%d segments, want 2", len(segs))
	}
	events, err := store.RecordingEvents(t.Context(), src, began.Add(-time.Hour), began.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[ward.RecordingEventKind]int{}
	for _, e := range events {
		kinds[e.Kind]++
		if e.Kind == ward.Drift && (e.Off-1500*time.Millisecond).Abs() > 50*time.Millisecond {
			t.Errorf("drift of %s, want 1.5 s", e.Off)
		}
	}
	if kinds[ward.ParamsChanged] != 1 || kinds[ward.Drift] != 1 { // 0.5 s in the second segment is not enough
		t.Errorf("got %v", events)
	}
}

// TestEveryMomentIsInOneRow lets a source stop, fail and resume at random:
// the rows must cover every moment, and none twice.
func TestEveryMomentIsInOneRow(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	rapid.Check(t, func(rt *rapid.T) {
		src := ward.Source{Kind: ward.FromCamera, ID: ward.NewID[string](time.Now())}
		k := newClerk(slog.New(slog.DiscardHandler))
		c := &coverage{store: store, clerk: k, src: src, inst: "h-1"}
		start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		at := start
		var segs []ward.Segment
		c.missing(ward.CauseConnecting, at)
		causes := []ward.Cause{ward.CauseDisk, ward.CauseUnreachable, ward.CauseStalled, ward.CauseCodec}
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			step := time.Duration(rapid.IntRange(0, 5000).Draw(rt, "ms")) * time.Millisecond
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0, 1: // recorded for a while, and then not
				if step == 0 {
					continue
				}
				c.recorded(at)
				segs = append(segs, ward.Segment{Source: src, Start: at, End: at.Add(step)})
				at = at.Add(step)
				c.stopped(at)
				late := time.Duration(rapid.IntRange(0, 500).Draw(rt, "late")) * time.Millisecond
				c.missing(rapid.SampledFrom(causes).Draw(rt, "cause"), at.Add(late))
				at = at.Add(late)
			case 2: // another cause
				at = at.Add(step)
				c.missing(rapid.SampledFrom(causes).Draw(rt, "cause"), at)
			case 3:
				at = at.Add(step)
			}
		}
		end := at.Add(time.Second)
		c.recorded(end)
		k.drain(t.Context())
		gaps, err := store.GapsBetween(t.Context(), src, start.Add(-time.Hour), end.Add(time.Hour))
		if err != nil {
			rt.Fatal(err)
		}
		sum := Cover(segs, gaps, start, end)
		if sum.Recorded+sum.Gap != end.Sub(start) {
			rt.Fatalf("%s recorded, %s gap of %s: %v %v", sum.Recorded, sum.Gap, end.Sub(start), segs, gaps)
		}
		var twice time.Duration
		for _, g := range segs {
			twice += g.End.Sub(g.Start)
		}
		for _, g := range gaps {
			twice += g.To.Sub(g.From)
		}
		if twice != end.Sub(start) {
			rt.Fatalf("the rows last %s, the time %s: %v %v", twice, end.Sub(start), segs, gaps)
		}
	})
}

// TestANewViewerReadsTheRecordingBack subscribes in the middle of a group of
// pictures whose beginning is on the disk only.
func TestANewViewerReadsTheRecordingBack(t *testing.T) {
	t.Parallel()
	store := teststore.SQLite(t)
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	s := NewStream(ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, "h-1", tinyTracks())
	rec := &Recorder{Store: store, Spool: sp, SegmentSeconds: 60}
	done := make(chan error, 1)
	go func() { done <- rec.Run(t.Context(), s) }()
	for s.Readers() == 0 {
		runtime.Gosched()
	}
	units := tinyUnits(6, time.Now().Add(-time.Minute), rand.New(rand.NewPCG(3, 4)))
	for i := range units {
		units[i].Key = units[i].Track == 2 || i == 50 // one group of 5 s
		if i < 50 {
			continue
		}
		s.Write(units[i])
		taken(s)
	}
	s.mu.Lock()
	stored := 0
	for _, k := range s.gop {
		if k.AU == nil {
			stored++
		}
	}
	s.mu.Unlock()
	if stored < 75 {
		t.Errorf("%d pictures of 125 left the memory, want 75 or more", stored)
	}
	r := s.Subscribe(10, true)
	for i := 50; i < len(units); i++ {
		u, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w := units[i]
		if u.Track != w.Track || u.PTS != w.PTS || u.Key != w.Key || !slices.EqualFunc(u.AU, w.AU, slices.Equal) {
			t.Fatalf("unit %d came back otherwise", i)
		}
	}
	r.Close()
	// A recording that is gone: the viewer waits for the next key frame.
	r = s.Subscribe(10, true)
	entries, err := sp.Entries()
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	if err := sp.Remove(entries[0]); err != nil {
		t.Fatal(err)
	}
	s.Write(Unit{Track: 1, Arrived: time.Now(), AU: [][]byte{{0x41, 1}}})
	s.Write(Unit{Track: 1, Arrived: time.Now(), AU: [][]byte{{0x65, 2}}, Key: true})
	if u, err := r.Next(t.Context()); err != nil || u.AU[0][1] != 2 {
		t.Errorf("got %v, %v, want the key frame", u, err)
	}
	s.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// FuzzRepair damages a recording and cuts it as Recover would: what is left
// are fragments that were written.
func FuzzRepair(f *testing.F) {
	whole := tinyBytes(f)
	f.Add(uint32(len(whole)), uint32(2000), byte(0xff))
	f.Add(uint32(len(whole)-7), uint32(0), byte(1))
	f.Add(uint32(3000), uint32(2999), byte(0x80))
	f.Fuzz(func(t *testing.T, size, at uint32, flip byte) {
		b := slices.Clone(whole[:min(int(size), len(whole))])
		if int(at) < len(b) {
			b[at] ^= flip
		}
		r := bytes.NewReader(b)
		x, err := readIndex(r, int64(len(b)))
		if err != nil {
			return
		}
		if err := x.verify(r); err != nil {
			t.Fatal(err)
		}
		if len(x.parts) > 0 && !slices.Equal(b[:x.size], whole[:x.size]) {
			t.Fatalf("%d damaged bytes are said to be whole", x.size)
		}
	})
}
