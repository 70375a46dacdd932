package ingest_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wardwatch/ingest"
	"wardwatch/ward"
)

func newStream() *ingest.Stream {
	return ingest.NewStream(src("cam-1"), inst, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}, {ID: 2, Codec: ward.Opus, ClockRate: 48000}})
}

// picture is the n-th picture; a key frame brings its parameter sets.
func picture(n int64, key bool) ingest.Unit {
	u := ingest.Unit{Track: 1, PTS: n, DTS: n, Arrived: time.Now(), AU: [][]byte{{0x41, byte(n)}}, Key: key}
	if key {
		u.AU = [][]byte{{0x67, 1, 2, 3}, {0x68, 4}, {0x65, byte(n)}}
	}
	return u
}

func TestNewViewerBeginsWithTheCachedGroup(t *testing.T) {
	t.Parallel()
	s := newStream()
	for n := range int64(7) {
		s.Write(picture(n, n%5 == 0))
	}
	r := s.Subscribe(10, true)
	s.Write(picture(7, false))
	s.Close()
	for want := int64(5); want < 8; want++ {
		u, err := r.Next(t.Context())
		if err != nil || u.PTS != want {
			t.Fatalf("got %d, %v, want %d", u.PTS, err, want)
		}
	}
	if _, err := r.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want io.EOF", err)
	}
	tr, _ := s.Video()
	if !bytes.Equal(tr.SPS, []byte{0x67, 1, 2, 3}) || !bytes.Equal(tr.PPS, []byte{0x68, 4}) {
		t.Errorf("the track's parameter sets are % x and % x", tr.SPS, tr.PPS)
	}
	bare := ingest.Unit{Track: 1, AU: [][]byte{{0x65, 9}}, Key: true}
	if got := tr.AnnexB(bare); !bytes.HasPrefix(got, []byte{0, 0, 0, 1, 0x67}) {
		t.Errorf("a key frame without sets begins with % x", got)
	}
}

// TestSlowReader checks against a plain model: a slow reader never blocks
// the writer, every unit is delivered or counted, and what follows a drop
// begins with a key frame that says so.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newStream()
		depth := rapid.IntRange(1, 8).Draw(t, "depth")
		r := s.Subscribe(depth, false)
		fast := s.Subscribe(1000, false)
		var sent, got, damaged int
		lastPTS := int64(-1)
		take := func() {
			u, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got++
			if u.PTS <= lastPTS {
				t.Fatalf("unit %d after %d", u.PTS, lastPTS)
			}
			if u.PTS != lastPTS+1 {
				damaged++
				if !u.Key || u.Lost != ward.CauseSlow {
					t.Fatalf("unit %d after %d: key %v, lost %q", u.PTS, lastPTS, u.Key, u.Lost)
				}
			} else if u.Lost != "" {
				t.Fatalf("unit %d says lost %q, and nothing is", u.PTS, u.Lost)
			}
			lastPTS = u.PTS
		}
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			if queued := sent - got - int(r.Dropped()); queued > 0 && rapid.Bool().Draw(t, "read") {
				take()
				continue
			}
			s.Write(picture(int64(sent), rapid.IntRange(0, 4).Draw(t, "key") == 0))
			sent++
		}
		s.Close()
		for sent-got-int(r.Dropped()) > 0 {
			take()
		}
		if _, err := r.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Fatalf("got %v, want io.EOF", err)
		}
		if fast.Dropped() != 0 {
			t.Fatalf("a slow reader cost another one %d units", fast.Dropped())
		}
	})
}

func TestCoverCountsADamagedStretchOnce(t *testing.T) {
	t.Parallel()
	at := func(s float64) time.Time { return time.Unix(1000, 0).Add(time.Duration(s * float64(time.Second))) }
	segs := []ward.Segment{{Start: at(0), End: at(10)}, {Start: at(10), End: at(20)}}
	gaps := []ward.Gap{{From: at(4), To: at(6), Cause: ward.CauseLoss}, {From: at(20), Cause: ward.CauseUnreachable}}
	got := ingest.Cover(segs, gaps, at(2), at(30))
	if want := (ingest.Covered{Recorded: 16 * time.Second, Gap: 12 * time.Second}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestASlowReaderIsBoundInBytes: large pictures do not fill the memory, and
// the next key frame after them says what happened.
func TestASlowReaderIsBoundInBytes(t *testing.T) {
	t.Parallel()
	s := newStream()
	defer s.Close()
	r := s.Subscribe(1500, false)
	large := bytes.Repeat([]byte{0x41}, 3<<20)
	for n := range int64(20) {
		u := picture(n, n == 0)
		u.AU = append(u.AU, large)
		s.Write(u)
	}
	if r.Dropped() != 18 {
		t.Errorf("%d of 20 pictures of 3 MB are dropped, want 18", r.Dropped())
	}
	for want := range int64(2) {
		if u, err := r.Next(t.Context()); err != nil || u.PTS != want {
			t.Fatalf("got %d, %v, want %d", u.PTS, err, want)
		}
	}
	s.Write(picture(20, true))
	if u, err := r.Next(t.Context()); err != nil || u.PTS != 20 || u.Lost != ward.CauseSlow {
		t.Errorf("got %d, lost %q, %v", u.PTS, u.Lost, err)
	}
}
