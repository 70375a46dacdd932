package ingest_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

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
	t.Parallel()
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
	if _, err := lib.Clip(t.Context(), f, inst, segs[0].Source, segs[0].Start, segs[0].End); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	ffmpegReads(t, clip)
	if p := ffprobe(t, clip); p.Streams[0].CodecName != "vp8" || p.Streams[0].Frames != "75" {
		t.Errorf("got %+v", p)
	}
}

func TestSoundThatComesLateIsKept(t *testing.T) {
	t.Parallel()
	var units, sounds []ingest.Unit
	made, sent := 0, 0
	for _, u := range unitsOf(h264Clip(t), ward.H264, 2) {
		units = append(units, u)
		at := u.DTS * 48000 / 90000
		for i := range int64(2) {
			sounds = append(sounds, ingest.Unit{Track: 2, PTS: at + i*960, DTS: at + i*960, AU: [][]byte{{0xf8, byte(made >> 8), byte(made)}}, Key: true})
			made++
		}
		for len(sounds) > 10 { // sound is 200 ms behind
			sounds[0].Arrived = u.Arrived
			units, sounds = append(units, sounds[0]), sounds[1:]
			sent++
		}
	}
	tracks := []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}, {ID: 2, Codec: ward.Opus, ClockRate: 48000, Channels: 2}}
	_, sp, segs := recordUnits(t, 2, tracks, units)
	if len(segs) < 3 {
		t.Fatalf("%d segments, want 3 or more", len(segs))
	}
	next := 0
	for _, g := range segs {
		_, b := fileOf(t, sp, g)
		for _, p := range partsOf(t, b) {
			for _, tr := range p.Tracks {
				for _, s := range tr.Samples {
					if tr.ID == 2 {
						if got := int(s.Payload[1])<<8 | int(s.Payload[2]); got != next {
							t.Fatalf("sound %d, want %d", got, next)
						}
						next++
					}
				}
			}
		}
	}
	if next != sent {
		t.Errorf("%d sounds are recorded, %d were sent", next, sent)
	}
}

func TestG711IsRecordedBesideTheVideo(t *testing.T) {
	t.Parallel()
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
