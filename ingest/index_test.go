package ingest

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// The sets and pictures of a tiny stream: what the writer needs, not what a
// decoder could show.
var (
	testSPS = []byte{0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20}
	testPPS = []byte{0x68, 0xce, 0x38, 0x80}
)

// tinyRecording writes n pictures at 25 a second, a key frame each second.
func tinyRecording(t testing.TB, sp *spool.Spool, n int) (*segmentFile, time.Time) {
	t.Helper()
	start := time.Date(2026, 11, 22, 8, 0, 0, 123456000, time.UTC)
	tracks := []Track{{ID: 1, Codec: ward.H264, ClockRate: 90000, SPS: testSPS, PPS: testPPS}, {ID: 2, Codec: ward.PCMU, ClockRate: 8000, Channels: 1}}
	unit := func(i int) Unit {
		nalu := bytes.Repeat([]byte{byte(i)}, 8+i%5)
		nalu[0] = 0x41
		if i%25 == 0 {
			nalu[0] = 0x65
		}
		return Unit{Track: 1, PTS: int64(i) * 3600, DTS: int64(i) * 3600, Arrived: start.Add(time.Duration(i) * 40 * time.Millisecond), AU: [][]byte{nalu}, Key: i%25 == 0}
	}
	h := header{V: checkedVersion, Source: ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, InstitutionID: "h-1", Codec: ward.H264, Clock: ward.ServerClock}
	f, err := beginSegment(sp, h, steadyFrom(start, time.Time{}), tracks, unit(0), 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		u := unit(i)
		f.add(u)
		if f.due(u) {
			if err := f.flush(); err != nil {
				t.Fatal(err)
			}
		}
		a := Unit{Track: 2, PTS: int64(i) * 320, DTS: int64(i) * 320, Arrived: u.Arrived, AU: [][]byte{make([]byte, 4)}, Key: true}
		f.add(a)
	}
	return f, start
}

func tinyBytes(t testing.TB) []byte {
	t.Helper()
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	f, start := tinyRecording(t, sp, 100)
	end, err := f.end(time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Add(4 * time.Second); end.Sub(want).Abs() > time.Millisecond {
		t.Fatalf("recording ends at %s, want %s", end, want)
	}
	b := make([]byte, f.file.Size)
	r, err := sp.Open(f.file.Entry)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryTornTailIsCutAtAFragment cuts a recording after each of its bytes.
func TestEveryTornTailIsCutAtAFragment(t *testing.T) {
	t.Parallel()
	whole := tinyBytes(t)
	x, err := readIndex(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	if x.size != int64(len(whole)) || len(x.parts) < 4 {
		t.Fatalf("the whole recording: %d of %d bytes, %d fragments", x.size, len(whole), len(x.parts))
	}
	ends := map[int64]bool{0: true}
	var size int64
	for n := range len(whole) {
		x, err := readIndex(bytes.NewReader(whole[:n]), int64(n))
		if err != nil {
			if !errors.Is(err, errTorn) || size > 0 {
				t.Fatalf("cut after %d bytes: %v", n, err)
			}
			continue
		}
		if x.size > int64(n) || x.size < size {
			t.Fatalf("cut after %d bytes: %d complete, were %d", n, x.size, size)
		}
		size = x.size
		ends[size] = true
		if _, media := x.end(); len(x.parts) > 0 && media <= 0 {
			t.Fatalf("cut after %d bytes: %d fragments of no duration", n, len(x.parts))
		}
	}
	if len(ends) != len(x.parts) { // the last fragment ends with the whole file
		t.Errorf("%d cuts, want %d", len(ends), len(x.parts))
	}
}

// knowing is a store that knows camera cam-1, by a gap of it.
func knowing(t *testing.T) *storage.Store {
	t.Helper()
	s := teststore.SQLite(t)
	src := ward.Source{Kind: ward.FromCamera, ID: "cam-1"}
	if _, err := s.OpenGap(t.Context(), ward.Gap{Source: src, InstitutionID: "h-1", From: time.Now().Add(-time.Hour), Cause: ward.CauseConnecting}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRecoverMayBeInterruptedAndRepeated(t *testing.T) {
	t.Parallel()
	store := knowing(t)
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	f, start := tinyRecording(t, sp, 90)
	if _, err = f.file.Write([]byte{0, 0, 1, 0, 'm', 'o', 'o', 'f', 1, 2, 3}); err != nil { // torn
		t.Fatal(err)
	}
	torn := f.file.Size
	for range 2 {
		if _, err = Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	g, err := store.LastSegment(t.Context(), f.file.Source)
	if err != nil {
		t.Fatal(err)
	}
	if g.Seq != 1 || !g.Repaired || !g.Start.Equal(start) || g.Bytes != torn-11 || g.InstitutionID != "h-1" || g.Codec != ward.H264 {
		t.Errorf("got %+v", g)
	}
	if got, want := g.End.Sub(g.Start), 3*time.Second; (got - want).Abs() > 100*time.Millisecond {
		t.Errorf("recovered %s, want the fragments on the disk, %s", got, want)
	}
	// Interrupted between rename and commit: the row is missing.
	other := knowing(t)
	done, err := Recover(t.Context(), other, sp, slog.New(slog.DiscardHandler))
	if err != nil || done.Committed != 1 {
		t.Fatalf("got %+v, %v, want one committed", done, err)
	}
	// Interrupted between archive and removal.
	if err = store.MarkArchived(t.Context(), g.ID); err != nil {
		t.Fatal(err)
	}
	if done, err = Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler)); err != nil || done.Removed != 1 {
		t.Fatalf("got %+v, %v, want one removed", done, err)
	}
	if sp.Used() != 0 {
		t.Errorf("the empty spool counts %d bytes", sp.Used())
	}
}

func TestRecoverRemovesAFileWithoutAFragment(t *testing.T) {
	t.Parallel()
	store := knowing(t)
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = sp.Create(ward.Source{Kind: ward.FromCamera, ID: "cam-1"}, time.Now(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err = sp.Create(ward.Source{Kind: ward.FromCamera, ID: "ghost"}, time.Now(), 1); err != nil {
		t.Fatal(err)
	}
	done, err := Recover(t.Context(), store, sp, slog.New(slog.DiscardHandler))
	if err != nil || done.Removed != 1 || done.Unknown != 1 {
		t.Errorf("got %+v, %v, want one removed, and the one of nobody left", done, err)
	}
}

// FuzzIndex reads damaged recordings: no panic, no great allocation, and
// nothing said to be complete that is not there.
func FuzzIndex(f *testing.F) {
	whole := tinyBytes(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := readIndex(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if x.size > int64(len(b)) {
			t.Fatalf("%d bytes complete of %d", x.size, len(b))
		}
		if size := x.size; x.verify(bytes.NewReader(b)) != nil || x.size > size {
			t.Fatalf("%d bytes are whole of %d", x.size, size)
		}
		x.end()
		for _, p := range x.parts {
			for _, r := range p.runs {
				for _, s := range r.samples {
					if s.offset < 0 || s.offset+int64(s.size) > x.size {
						t.Fatalf("a sample at %d of %d bytes lies outside", s.offset, s.size)
					}
				}
			}
		}
	})
}
