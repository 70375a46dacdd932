package rounds_test

import (
	"bytes"
	"context"
	"math/bits"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// measure looks at a film as a session does, every 160 ms.
func measure(t *testing.T, path string) (prints []uint64, moves rounds.Moves) {
	t.Helper()
	s := pool.NewSession(ward.H264)
	defer s.Close()
	var all []ward.Seen
	_, err := simbed.Open(t.Context(), path, t.TempDir(), false, func(ctx context.Context, au []byte) (ward.Seen, bool, error) {
		seen, ok, err := s.See(ctx, au, true, vision.WantFaces|vision.WantPrint)
		all = append(all, seen)
		return seen, ok, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rounds.TraceOf(160*time.Millisecond, all)
}

// BenchmarkEarlier looks for a visit of 40 s among 100,000 that are kept.
func BenchmarkEarlier(b *testing.B) {
	var all rounds.Earlier
	film := func() []uint64 { // of one scene: pictures that differ by a few bits
		scene, out := rand.Uint64(), make([]uint64, 40)
		for i := range out {
			out[i] = scene ^ 1<<rand.N(64) ^ 1<<rand.N(64) ^ 1<<rand.N(64)
		}
		return out
	}
	for range 100_000 {
		all.Add(film())
	}
	known := film()
	all.Add(known)
	for b.Loop() {
		if got := all.Candidates(known); len(got) == 0 || got[0] != "100000" {
			b.Fatal(got)
		}
	}
}

// TestShownAgain records simulated visits, codes them again as an attacker
// would show them, and measures both with the vision worker.
func TestShownAgain(t *testing.T) {
	if os.Getenv("WARDWATCH_SHOWN_AGAIN") == "" {
		t.Skip("takes minutes: make test-shown-again")
	}
	for _, name := range []string{"franck", "cap12_edit"} {
		dir := t.TempDir()
		ffmpeg := func(in []byte, args ...string) {
			cmd := exec.CommandContext(t.Context(), "ffmpeg", append([]string{"-v", "error", "-y"}, args...)...)
			cmd.Stdin = bytes.NewReader(in)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		v := film(t, name)
		base := filepath.Join(dir, "base.mp4")
		ffmpeg(bytes.Join(v.frames, nil), "-f", "h264", "-r", "25", "-i", "-", "-c", "copy", base)
		prints, moves := measure(t, base)
		other := film(t, name)
		const tenth = "crop=trunc(iw*.9/2)*2:trunc(ih*.9/2)*2"
		for what, filter := range map[string]string{
			"500 kbit/s": "null", "cropped 3 %": "crop=trunc(iw*.97/2)*2:trunc(ih*.97/2)*2", "mirrored": "hflip", "brighter": "eq=brightness=0.08:contrast=1.1", "slower 2 %": "setpts=1.02*PTS",
			"faster 10 %": "setpts=PTS/1.1", "slower 10 %": "setpts=PTS/.9", "cropped 10 %": tenth,
			"all of it": "crop=trunc(iw*.97/2)*2:trunc(ih*.97/2)*2,hflip,eq=brightness=0.08", "smaller": "scale=iw/2:-2",
		} {
			file := filepath.Join(dir, "again.mp4")
			ffmpeg(nil, "-i", base, "-vf", filter, "-c:v", "libx264", "-preset", "veryfast", "-b:v", "500k", "-maxrate", "500k", "-bufsize", "500k", file)
			p, m := measure(t, file)
			far := 0
			for i := range min(len(p), len(prints)) {
				d := bits.OnesCount64(p[i] ^ prints[i])
				far = max(far, min(d, bits.OnesCount64(rounds.Mirrored(p[i])^prints[i])))
			}
			if rounds.Agreement(m, moves) == 0 || what != "cropped 10 %" && !rounds.Alike(p, prints) {
				t.Errorf("%s, %s: not found", name, what)
			}
			t.Logf("%s, %s: pictures alike %v (at most %d bits), movement agrees %.2f; with another visit %.2f", name, what, rounds.Alike(p, prints), far, rounds.Agreement(m, moves), rounds.Agreement(m, other.moves))
		}
	}
}
