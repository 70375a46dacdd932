package ingest

import (
	"bytes"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

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

// recordedOf records units of src and returns its rows; c accounts for it.
func recordedOf(t *testing.T, c *coverage, sp *spool.Spool, seconds int, units []Unit) []ward.Segment {
	t.Helper()
	s := NewStream(c.src, c.inst, tinyTracks())
	rec := &Recorder{Store: c.store, Spool: sp, SegmentSeconds: seconds, RetentionDays: 30, clerk: c.clerk, coverage: c}
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
	c.clerk.drain(t.Context())
	segs, err := c.store.SegmentsBetween(t.Context(), c.src, time.Unix(1, 0), time.Now().Add(100*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return segs
}

// TestAWallClockThatIsSetIsFollowed sets the server's clock while a source is
// recorded, and once more while it is not.
func TestAWallClockThatIsSetIsFollowed(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{"forward": time.Hour, "back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, sp := inMemory(t)
			began := time.Now().Add(-time.Minute)
			life, _, _, err := store.BeginLife(t.Context(), storage.Reading{Wall: began})
			if err != nil {
				t.Fatal(err)
			}
			src := ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
			c := &coverage{store: store, clerk: newClerk(slog.New(slog.DiscardHandler)), src: src, inst: "h-1"}
			units := tinyUnits(10, began, rand.New(rand.NewPCG(3, 4)))
			for i := len(units) / 2; i < len(units); i++ { // after 5 s
				units[i].Arrived = wallSet(t, units[i].Arrived, jump)
			}
			first := recordedOf(t, c, sp, 2, units)
			if len(first) != 6 {
				t.Errorf("%d segments, want 6: one more for the jump", len(first))
			}
			// An outage of 10 s, while the clock is set as far again.
			c.missing(ward.CauseUnreachable, wallSet(t, began.Add(10*time.Second), jump))
			later := tinyUnits(4, began.Add(20*time.Second), rand.New(rand.NewPCG(5, 6)))
			for i := range later {
				later[i].Arrived = wallSet(t, later[i].Arrived, 2*jump)
			}
			segs := recordedOf(t, c, sp, 2, later)
			var offs []time.Duration
			for i, g := range segs {
				// Mono is the real time since began; the wall clock is what was set.
				off := g.Start.Sub(began.Round(0)) - g.Mono
				if len(offs) == 0 || (off-offs[len(offs)-1]).Abs() > time.Second {
					offs = append(offs, off.Round(time.Second))
				}
				if g.Life != life.ID || time.Until(g.KeepUntil) < 30*24*time.Hour-time.Minute || g.KeepUntil.Before(g.Start.Add(30*24*time.Hour)) {
					t.Errorf("segment %d: %+v", i, g)
				}
				if i > 0 && (g.Mono < segs[i-1].Mono+segs[i-1].End.Sub(segs[i-1].Start)-time.Millisecond || g.Seq != segs[i-1].Seq+1) {
					t.Errorf("segments %d and %d are out of order by the monotonic clock: %s, %s", i-1, i, segs[i-1].Mono, g.Mono)
				}
			}
			if want := []time.Duration{0, jump, 2 * jump}; !slices.Equal(offs, want) {
				t.Errorf("the rows' dates are off by %s, want %s", offs, want)
			}
			for _, at := range []time.Time{wallSet(t, began.Add(8*time.Second), jump), wallSet(t, began.Add(21*time.Second), 2*jump)} {
				found, err := store.SegmentsBetween(t.Context(), src, at, at.Add(time.Second))
				if err != nil || len(found) != 1 {
					t.Errorf("%d segments at %s by the wall clock, %v", len(found), at, err)
				}
			}
			gaps, err := store.GapsBetween(t.Context(), src, began.Add(-3*time.Hour), began.Add(3*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			lasted := map[ward.Cause]time.Duration{}
			for _, g := range gaps {
				lasted[g.Cause] += g.To.Sub(g.From).Round(time.Second)
			}
			want := map[ward.Cause]time.Duration{ward.CauseUnreachable: 10 * time.Second}
			if name == "forward" {
				want = map[ward.Cause]time.Duration{ward.CauseUnreachable: 10*time.Second + jump, ward.CauseClock: jump}
			}
			if !maps.Equal(lasted, want) {
				t.Errorf("gaps of %v, want %v: %+v", lasted, want, gaps)
			}
			if last := gaps[len(gaps)-1]; name == "forward" && !last.To.Equal(segs[len(segs)-2].Start) || name == "back" && !gaps[0].To.Equal(segs[len(segs)-2].Start) {
				t.Errorf("no gap ends where recording goes on: %+v", gaps)
			}
			events, err := store.RecordingEvents(t.Context(), src, began.Add(-3*time.Hour), began.Add(3*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			jumps := slices.DeleteFunc(events, func(e ward.RecordingEvent) bool { return e.Kind != ward.ClockJump })
			if len(jumps) != 2 || slices.ContainsFunc(jumps, func(e ward.RecordingEvent) bool { return (e.Off - jump).Abs() > time.Millisecond }) {
				t.Errorf("events %+v, want one of %s for each jump", jumps, jump)
			}
		})
	}
}

// TestASmallStepBackOverlapsNothing sets the clock back by a second in an
// outage of half a second.
func TestASmallStepBackOverlapsNothing(t *testing.T) {
	t.Parallel()
	store, sp := inMemory(t)
	began := time.Now().Add(-time.Minute)
	c := ofCamera(store)
	recordedOf(t, c, sp, 60, tinyUnits(4, began, rand.New(rand.NewPCG(3, 4))))
	c.missing(ward.CauseUnreachable, began.Add(4*time.Second))
	later := tinyUnits(4, began.Add(4500*time.Millisecond), rand.New(rand.NewPCG(5, 6)))
	for i := range later {
		later[i].Arrived = wallSet(t, later[i].Arrived, -time.Second)
	}
	segs := recordedOf(t, c, sp, 60, later)
	gaps, err := store.GapsBetween(t.Context(), c.src, began.Add(-time.Hour), began.Add(time.Hour))
	if err != nil || len(segs) != 2 || len(gaps) != 1 {
		t.Fatalf("%d segments, gaps %+v, %v", len(segs), gaps, err)
	}
	if took := gaps[0].To.Sub(gaps[0].From); (took-500*time.Millisecond).Abs() > time.Millisecond || gaps[0].From.Before(segs[0].End) || segs[1].Start.Before(gaps[0].To) {
		t.Errorf("gap %+v between %s and %s", gaps[0], segs[0].End, segs[1].Start)
	}
}

func TestDriftAndNewParametersAreEvents(t *testing.T) {
	t.Parallel()
	store, sp := inMemory(t)
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
	c := &coverage{store: store, clerk: newClerk(slog.New(slog.DiscardHandler)), src: src, inst: "h-1"}
	segs := recordedOf(t, c, sp, 60, units)
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
				c.stopped(momentOf(at))
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
