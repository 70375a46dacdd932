package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	if err := <-done; err != nil {
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
	units := unitsOf(h264Clip(t), ward.H264, 2)
	sei := []byte{0x06, 0x05, 0x04, 's', 'i', 'g', 'n', 0x80} // a camera's signature travels in SEI
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

// vp8Units are the frames of an IVF file.
func vp8Units(t testing.TB) []ingest.Unit {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.ivf")
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-t", "3", "-c:v", "libvpx", "-g", "25", "-f", "ivf", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []ingest.Unit
	start := time.Now().Add(-3 * time.Second)
	for b = b[32:]; len(b) > 12; {
		n := binary.LittleEndian.Uint32(b)
		at := int64(len(all)) * 3600
		f := b[12 : 12+n]
		all = append(all, ingest.Unit{Track: 1, PTS: at, DTS: at, Arrived: start.Add(time.Duration(at) * time.Second / 90000), AU: [][]byte{f}, Key: f[0]&1 == 0})
		b = b[12+n:]
	}
	return all
}

func TestBedsideVP8WithOpusIsRecorded(t *testing.T) {
	var units []ingest.Unit
	for _, u := range vp8Units(t) {
		units = append(units, u)
		// Two Opus packets of silence, 20 ms each (TOC: 20 ms CELT, mono), for each 40 ms picture.
		for i := range int64(2) {
			at := u.PTS*48000/90000 + i*960
			units = append(units, ingest.Unit{Track: 2, PTS: at, DTS: at, Arrived: u.Arrived, AU: [][]byte{{0xf8, 0xff, 0xfe}}, Key: true})
		}
	}
	tracks := []ingest.Track{{ID: 1, Codec: ward.VP8, ClockRate: 90000}, {ID: 2, Codec: ward.Opus, ClockRate: 48000, Channels: 2}}
	store, sp, segs := recordUnits(t, 60, tracks, units)
	if len(segs) != 1 || segs[0].Codec != ward.VP8 {
		t.Fatalf("got %v", segs)
	}
	name, _ := fileOf(t, sp, segs[0])
	ffmpegReads(t, name)
	p := ffprobe(t, name)
	if p.Streams[0].CodecName != "vp8" || p.Streams[0].Frames != "75" || p.Streams[1].CodecName != "opus" {
		t.Errorf("got %+v", p)
	}
	lib := &ingest.Library{Store: store, Spool: sp, Objects: newObjects(t)}
	clip := filepath.Join(t.TempDir(), "clip.mp4")
	f, err := os.Create(clip)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lib.Clip(t.Context(), f, segs[0].Source, segs[0].Start, segs[0].End); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	ffmpegReads(t, clip)
	if p := ffprobe(t, clip); p.Streams[0].CodecName != "vp8" || p.Streams[0].Frames != "75" {
		t.Errorf("got %+v", p)
	}
}

func TestG711IsRecordedBesideTheVideo(t *testing.T) {
	for _, codec := range []ward.Codec{ward.PCMU, ward.PCMA} {
		var units []ingest.Unit
		for _, u := range unitsOf(h264Clip(t), ward.H264, 1) {
			units = append(units, u)
			at := u.DTS * 8000 / 90000
			units = append(units, ingest.Unit{Track: 2, PTS: at, DTS: at, Arrived: u.Arrived, AU: [][]byte{bytes.Repeat([]byte{0xd5}, 320)}, Key: true})
		}
		tracks := []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}, {ID: 2, Codec: codec, ClockRate: 8000, Channels: 1}}
		_, sp, segs := recordUnits(t, 60, tracks, units)
		if len(segs) != 1 {
			t.Fatalf("got %v", segs)
		}
		name, _ := fileOf(t, sp, segs[0])
		ffmpegReads(t, name)
		p := ffprobe(t, name)
		if len(p.Streams) != 2 || !strings.HasPrefix(p.Streams[1].CodecName, "pcm") {
			t.Errorf("%s: got %+v", codec, p)
		}
	}
}
