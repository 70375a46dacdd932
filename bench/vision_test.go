package bench_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// BenchmarkVision asks one worker, through the pool, for more and more of
// each of 20 key frames of 1920×1080 with one face, and counts the worker's
// processor time. The limit is ffmpeg decoding the same key frames.
func BenchmarkVision(b *testing.B) {
	pool := modeltest.Pool(b, 1, nil)
	var keys [][]byte
	for _, u := range modeltest.Units(b, modeltest.Clip(b, "franck.mp4"), ward.H264, "10", "20", "-preset", "ultrafast",
		"-vf", "fps=10,scale=-2:1080,pad=1920:1080:(ow-iw)/2") {
		if u.Key {
			keys = append(keys, u.Data)
		}
	}
	s := pool.NewSession(ward.H264)
	defer s.Close()
	faces, people := 0, 0
	look := func(want vision.Want, times int) float64 {
		began := cpuOf(b, pool.PIDs()[0])
		for range times {
			for _, au := range keys {
				seen, _, err := s.See(b.Context(), au, true, want)
				must(b, err)
				faces, people = faces+len(seen.Faces), people+len(seen.People)
			}
		}
		return ms(cpuOf(b, pool.PIDs()[0])-began) / float64(times*len(keys))
	}
	look(vision.WantPeople|vision.WantTemplates|vision.WantSnapshot, 1) // loads what is loaded late
	const decodes = 10                                                  // so that the kernel's 10 ms matter little
	n, pictures := 0.0, 0
	var peer, decode, face, template, person, watch float64
	for b.Loop() {
		n++
		peer += ffmpegDecodes(b, keys, decodes)
		decode += look(0, decodes)
		face += look(vision.WantFaces, 1)
		template += look(vision.WantTemplates, 1)
		person += look(vision.WantPeople, 1)
		faces, people = 0, 0
		watch += look(vision.WantPeople|vision.WantTemplates|vision.WantSnapshot, 1) // what the watcher wants
		pictures = len(keys)
	}
	peer, decode, face, template, person, watch = peer/n, decode/n, face/n, template/n, person/n, watch/n
	b.Logf("%d faces and %d people in %d pictures", faces, people, pictures)
	b.Logf("decode %.1f ms CPU = %.2f × ffmpeg's decode (%.1f ms)", decode, decode/peer, peer)
	b.Logf("over decoding: faces %.1f ms, with templates %.1f ms, people %.1f ms; all and a snapshot %.1f ms = %.1f × ffmpeg's decode",
		face-decode, template-decode, person-decode, watch-decode, watch/peer)
	b.Logf("%.1f cameras a core at one 1080p picture a second, everything asked for", float64(time.Second/time.Millisecond)/watch)
	b.ReportMetric(watch, "cpu-ms/picture")
	b.ReportMetric(1000/watch, "cameras/core")
	b.ReportMetric(decode/peer, "×ffmpeg-decode")
	b.ReportMetric(watch/peer, "×ffmpeg-all")
}

// ffmpegDecodes is ffmpeg's processor time in ms for one of the pictures.
func ffmpegDecodes(b *testing.B, keys [][]byte, times int) float64 {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "ffmpeg", "-v", "error", "-threads", "1", "-f", "h264", "-i", "pipe:0", "-f", "null", "-")
	cmd.Stdin = bytes.NewReader(bytes.Repeat(bytes.Join(keys, nil), times))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
	return ms(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / float64(times*len(keys))
}

// BenchmarkMeasures asks one worker for the measures alone of 20 key frames
// of 1920×1080, and of 640×360: whether the camera sees. The limit is decoding the same picture.
func BenchmarkMeasures(b *testing.B) {
	pool := modeltest.Pool(b, 1, nil)
	const times = 10 // so that the kernel's 10 ms matter little
	for _, size := range []string{"1920:1080", "640:360"} {
		var keys [][]byte
		for _, u := range modeltest.Units(b, modeltest.Clip(b, "franck.mp4"), ward.H264, "10", "20", "-preset", "ultrafast", "-g", "10", "-vf", "fps=10,scale="+size) {
			if u.Key {
				keys = append(keys, u.Data)
			}
		}
		b.Run(strings.ReplaceAll(size, ":", "x"), func(b *testing.B) {
			s := pool.NewSession(ward.H264)
			defer s.Close()
			look := func(want vision.Want) float64 {
				began := cpuOf(b, pool.PIDs()[0])
				for range times {
					for _, au := range keys {
						seen, _, err := s.See(b.Context(), au, true, want)
						must(b, err)
						if (seen.Measures != nil) != want.Has(vision.WantMeasures) {
							b.Fatal("no measures")
						}
					}
				}
				return ms(cpuOf(b, pool.PIDs()[0])-began) / float64(times*len(keys))
			}
			look(vision.WantMeasures)
			n, decode, measured := 0.0, 0., 0.
			for b.Loop() {
				n++
				decode += look(0)
				measured += look(vision.WantMeasures)
			}
			decode, measured = decode/n, measured/n
			b.Logf("%d pictures: decode %.2f ms CPU, measures %.2f ms more = %.2f × decoding", len(keys), decode, measured-decode, (measured-decode)/decode)
			b.ReportMetric(measured-decode, "cpu-ms/picture")
			b.ReportMetric((measured-decode)/decode, "×decode")
		})
	}
}
