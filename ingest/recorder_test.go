package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"

	"wardwatch/ingest"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// recordUnits feeds units to a recorder of a visit and returns what it stored.
func recordUnits(t testing.TB, seconds int, tracks []ingest.Track, units []ingest.Unit) (*storage.Store, *spool.Spool, []ward.Segment) {
	t.Helper()
	store := teststore.SQLite(t)
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	visit := ward.Source{Kind: ward.FromVisit, ID: "visit-1"}
	s := ingest.NewStream(visit, inst, tracks)
	rec := &ingest.Recorder{Store: store, Spool: sp, SegmentSeconds: seconds}
	done := make(chan error, 1)
	rd := s.Subscribe(1, false) // tells when the stream works
	go func() { done <- rec.Run(context.Background(), s) }()
	until(t, "the recorder reads", time.Second, func() bool { return s.Readers() == 2 })
	rd.Close()
	for _, u := range units {
		s.Write(u)
	}
	s.Close()
	if err = <-done; err != nil {
		t.Fatal(err)
	}
	segs, err := store.SegmentsBetween(t.Context(), visit, time.Unix(1, 0), time.Now().Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return store, sp, segs
}

func fileOf(t testing.TB, sp *spool.Spool, g ward.Segment) (string, []byte) {
	t.Helper()
	f, err := sp.Open(spool.Of(g))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return f.Name(), b
}

// unitsOf makes units of a clip's pictures, n laps, as if they came in real
// time and ended just now.
func unitsOf(c *clip, codec ward.Codec, laps int) []ingest.Unit {
	t := ingest.Track{ID: 1, Codec: codec, ClockRate: 90000}
	start := time.Now().Add(-time.Duration(int64(laps)*c.length) * time.Second / 90000)
	var all []ingest.Unit
	for lap := range int64(laps) {
		for _, f := range c.frames {
			if f.audio {
				continue
			}
			pts, dts := f.pts+lap*c.length, f.dts+lap*c.length
			all = append(all, ingest.Unit{Track: 1, PTS: pts, DTS: dts, Arrived: start.Add(time.Duration(dts) * time.Second / 90000), AU: f.au, Key: t.IsKey(f.au)})
		}
	}
	return all
}

func TestRecordingKeepsEveryByte(t *testing.T) {
	t.Parallel()
	units := unitsOf(h264Clip(t), ward.H264, 2)
	// A camera's signature travels in SEI: here in ONVIF's.
	sei := append([]byte{0x06, 0x05, 0x14, 0x00, 0x5b, 0xc9, 0x3f, 0x2d, 0x71, 0x5e, 0x95, 0xad, 0xa4, 0x79, 0x6f, 0x90, 0x87, 0x7a, 0x6f}, "sign\x80"...)
	for i := range units {
		units[i].AU = append([][]byte{sei}, units[i].AU...)
	}
	_, sp, segs := recordUnits(t, 2, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, units)
	if len(segs) < 3 {
		t.Fatalf("%d segments, want 3 or more", len(segs))
	}
	var got [][]byte
	for i, g := range segs {
		name, b := fileOf(t, sp, g)
		ffmpegReads(t, name)
		if sync, off := storage.ReadSync(); g.Signature != ward.SignatureONVIF || g.Sync != sync || g.ClockError > off+time.Millisecond {
			t.Errorf("segment %d: signature %q, clock %q ±%v, and now %q ±%v", i, g.Signature, g.Sync, g.ClockError, sync, off)
		}
		parts := partsOf(t, b)
		for _, p := range parts {
			for _, tr := range p.Tracks {
				for j, s := range tr.Samples {
					au, err := s.GetH264()
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, au...)
					if p == parts[0] && j == 0 && s.IsNonSyncSample {
						t.Errorf("segment %d does not begin with a key frame", i)
					}
				}
			}
		}
		if i > 0 && !segs[i-1].End.Equal(g.Start) {
			t.Errorf("segment %d ends at %s, the next starts at %s", i-1, segs[i-1].End, g.Start)
		}
	}
	var want [][]byte
	for _, u := range units {
		want = append(want, u.AU...)
	}
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("recorded %d NAL units, sent %d, or they differ", len(got), len(want))
	}
}

// partsOf reads the fragments with a reader that is not ours.
func partsOf(t testing.TB, b []byte) fmp4.Parts {
	t.Helper()
	var media []byte // without the boxes in front of the first fragment
	for at := 0; at < len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if kind := string(b[at+4 : at+8]); kind == "moof" || kind == "mdat" {
			media = append(media, b[at:at+n]...)
		}
		at += n
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(media); err != nil {
		t.Fatal(err)
	}
	return parts
}

func TestFragmentsAreAtMostASecondLongWhateverTheGroups(t *testing.T) {
	t.Parallel()
	// One key frame in 4 s.
	c := makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "250", "-pix_fmt", "yuv420p")
	_, sp, segs := recordUnits(t, 60, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, unitsOf(c, ward.H264, 3))
	if len(segs) != 1 {
		t.Fatalf("%d segments, want 1", len(segs))
	}
	name, b := fileOf(t, sp, segs[0])
	ffmpegReads(t, name)
	parts := partsOf(t, b)
	if len(parts) < 11 {
		t.Errorf("%d fragments in 12 s", len(parts))
	}
	for i, p := range parts {
		var d uint32
		for _, s := range p.Tracks[0].Samples {
			d += s.Duration
		}
		if d > 90000*11/10 {
			t.Errorf("fragment %d lasts %d ms", i, d/90)
		}
	}
}

func TestNewParameterSetsBeginASegment(t *testing.T) {
	t.Parallel()
	other := makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p")
	a, b := unitsOf(h264Clip(t), ward.H264, 1), unitsOf(other, ward.H264, 1)
	shift := a[len(a)-1].DTS + 3600
	for i := range b {
		b[i].PTS, b[i].DTS, b[i].Arrived = b[i].PTS+shift, b[i].DTS+shift, b[i].Arrived.Add(4*time.Second)
	}
	_, sp, segs := recordUnits(t, 60, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, append(a, b...))
	if len(segs) != 2 {
		t.Fatalf("%d segments, want 2", len(segs))
	}
	for i, width := range []int{320, 640} {
		name, _ := fileOf(t, sp, segs[i])
		ffmpegReads(t, name)
		if p := ffprobe(t, name); p.Streams[0].Width != width {
			t.Errorf("segment %d is %d wide, want %d", i, p.Streams[0].Width, width)
		}
	}
}

func TestFragmentsAreWrittenThoughTheMediaClockStandsStill(t *testing.T) {
	t.Parallel()
	units := unitsOf(h264Clip(t), ward.H264, 3)
	for i := range units {
		units[i].PTS, units[i].DTS = 0, 0
		units[i].Key = i == 0
	}
	_, sp, segs := recordUnits(t, 60, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, units)
	if len(segs) != 1 {
		t.Fatalf("%d segments, want 1", len(segs))
	}
	_, b := fileOf(t, sp, segs[0])
	parts := partsOf(t, b)
	n := 0
	for i, p := range parts {
		n += len(p.Tracks[0].Samples)
		if len(p.Tracks[0].Samples) > 52 { // 2 s of 25 pictures a second
			t.Errorf("fragment %d holds %d pictures", i, len(p.Tracks[0].Samples))
		}
	}
	if n != len(units) {
		t.Errorf("%d pictures recorded, want %d", n, len(units))
	}
}

func TestLargePicturesDoNotWaitForTheFragmentsEnd(t *testing.T) {
	t.Parallel()
	units := unitsOf(h264Clip(t), ward.H264, 1)[:20]
	for i := range units {
		units[i].AU = append([][]byte{append([]byte{0x06, 0x05}, make([]byte, 1<<20)...)}, units[i].AU...)
	}
	_, sp, segs := recordUnits(t, 60, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, units)
	if len(segs) != 1 {
		t.Fatalf("%d segments, want 1", len(segs))
	}
	_, b := fileOf(t, sp, segs[0])
	if parts := partsOf(t, b); len(parts) < 3 {
		t.Errorf("20 MB in 0.8 s are %d fragments, want 3", len(parts))
	}
}

func TestASegmentEndsThoughNoKeyFrameComes(t *testing.T) {
	t.Parallel()
	units := unitsOf(h264Clip(t), ward.H264, 4) // 16 s
	again := len(units) * 3 / 4                 // a key frame after 12 s
	for i := range units {
		units[i].Key = i == 0 || i == again
	}
	store, _, segs := recordUnits(t, 1, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, units)
	if len(segs) != 2 {
		t.Fatalf("%d segments, want 2", len(segs))
	}
	if d := segs[0].End.Sub(segs[0].Start); d < 10*time.Second || d > 11*time.Second {
		t.Errorf("the first segment lasts %s, want 10 s", d)
	}
	gaps, err := store.GapsBetween(t.Context(), segs[0].Source, segs[0].Start, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(gaps, func(g ward.Gap) bool {
		return g.Cause == ward.CauseCodec && g.From.Equal(segs[0].End) && g.To.Equal(segs[1].Start)
	}) {
		t.Errorf("segments %+v, gaps %+v", segs, gaps)
	}
}

// TestCodecsAndOrdersThatBrowsersAreParticularAbout records H.265, whose
// sample entry Safari wants to be hvc1, and pictures that are shown in
// another order than they are coded in.
func TestCodecsAndOrdersThatBrowsersAreParticularAbout(t *testing.T) {
	t.Parallel()
	video := unitsOf(h265Clip(t), ward.H265, 1)
	track := ingest.Track{ID: 1, Codec: ward.H265, ClockRate: 90000}
	for _, n := range video[0].AU {
		switch n[0] >> 1 & 0x3f {
		case 32:
			track.VPS = n
		case 33:
			track.SPS = n
		case 34:
			track.PPS = n
		}
	}
	_, sp, segs := recordUnits(t, 60, []ingest.Track{track}, video)
	name, b := fileOf(t, sp, segs[0])
	ffmpegReads(t, name)
	if !bytes.Contains(b[:4096], []byte("hvc1")) {
		t.Error("the sample entry is not hvc1")
	}
	// Two picture parameter sets: the sample entry lacks one of them.
	more := slices.Clone(track.PPS)
	more[len(more)-1] ^= 2
	video[0].AU = append([][]byte{more}, video[0].AU...)
	_, sp, segs = recordUnits(t, 60, []ingest.Track{track}, video)
	if _, b = fileOf(t, sp, segs[0]); !bytes.Contains(b[:4096], []byte("hev1")) {
		t.Error("the sample entry is not hev1 though it lacks a parameter set")
	}

	c := makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "4", "-c:v", "libx264", "-bf", "2", "-g", "25", "-pix_fmt", "yuv420p")
	units := unitsOf(c, ward.H264, 1)
	_, sp, segs = recordUnits(t, 60, []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}}, units)
	name, b = fileOf(t, sp, segs[0])
	ffmpegReads(t, name)
	i := 0
	for _, p := range partsOf(t, b) {
		for _, s := range p.Tracks[0].Samples {
			if want := units[i].PTS - units[i].DTS; int64(s.PTSOffset) != want {
				t.Fatalf("picture %d is shown %d after it is decoded, want %d", i, s.PTSOffset, want)
			}
			i++
		}
	}
	if i != len(units) {
		t.Errorf("%d pictures, want %d", i, len(units))
	}
}
