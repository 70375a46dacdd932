package ingest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"

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

// TestG711IsKeptExactly records noise, tones, silence and steps as G.711 and
// lets ffmpeg decode the recording: every sample must come back.
func TestG711IsKeptExactly(t *testing.T) {
	t.Parallel()
	for _, codec := range []ward.Codec{ward.PCMU, ward.PCMA} {
		for _, channels := range []int{1, 2} {
			dice := rand.New(rand.NewPCG(7, 0))
			var units []ingest.Unit
			var sent []byte
			begun := int64(0)
			for i, u := range unitsOf(h264Clip(t), ward.H264, 1) {
				units = append(units, u)
				b := make([]byte, 320*channels)
				for j := range b {
					switch i % 4 {
					case 0:
						b[j] = byte(dice.Uint32())
					case 1:
						b[j] = 0xd5 ^ byte(j/40)
					case 2:
						b[j] = 0xd5 // A-law's silence
					case 3:
						b[j] = byte(0x80 | j%7)
					}
				}
				at := begun
				begun += 320
				units = append(units, ingest.Unit{Track: 2, PTS: at, DTS: at, Arrived: u.Arrived, AU: [][]byte{b}, Key: true})
				sent = append(sent, b...)
			}
			tracks := []ingest.Track{{ID: 1, Codec: ward.H264, ClockRate: 90000}, {ID: 2, Codec: codec, ClockRate: 8000, Channels: channels}}
			_, sp, segs := recordUnits(t, 60, tracks, units)
			if len(segs) != 1 || segs[0].Audio != codec {
				t.Fatalf("got %+v", segs)
			}
			name, _ := fileOf(t, sp, segs[0])
			ffmpegReads(t, name)
			if p := ffprobe(t, name); len(p.Streams) != 2 || p.Streams[1].CodecName != "flac" {
				t.Errorf("%s: got %+v", codec, p)
			}
			got, err := exec.Command("ffmpeg", "-v", "error", "-i", name, "-map", "0:a", "-f", "s16be", "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			var want []byte
			if codec == ward.PCMU {
				var m g711.Mulaw
				m.Unmarshal(sent)
				want = m
			} else {
				var a g711.Alaw
				a.Unmarshal(sent)
				want = a
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %d channels: %d bytes came back of %d, or they differ", codec, channels, len(got), len(want))
			}
		}
	}
}

func TestMotionJPEGIsRecorded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10", "-t", "3", "-pix_fmt", "yuvj420p", filepath.Join(dir, "%03d.jpg")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var units []ingest.Unit
	start := time.Now().Add(-3 * time.Second)
	for i := range int64(30) {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%03d.jpg", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, ingest.Unit{Track: 1, PTS: i * 9000, DTS: i * 9000, Arrived: start.Add(time.Duration(i) * 100 * time.Millisecond), AU: [][]byte{b}, Key: true})
	}
	_, sp, segs := recordUnits(t, 60, []ingest.Track{{ID: 1, Codec: ward.MJPEG, ClockRate: 90000}}, units)
	if len(segs) != 1 || segs[0].Codec != ward.MJPEG || len(segs[0].Chunks) < 3 {
		t.Fatalf("got %+v", segs)
	}
	name, _ := fileOf(t, sp, segs[0])
	ffmpegReads(t, name)
	if p := ffprobe(t, name); p.Streams[0].CodecName != "mjpeg" || p.Streams[0].Frames != "30" || p.Streams[0].Width != 320 {
		t.Errorf("got %+v", p)
	}
}
