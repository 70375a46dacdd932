package vision_test

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/codepaint"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// A code is held up, moved and tilted before a phone's camera, and comes as
// 1280x720 in 500 kbit/s of H.264 through the worker that decodes hostile video.
func TestCodesAreReadFromVideo(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	key := ward.KeyOfWard([]byte("secret"), "内一")
	step := ward.CodeStepAt(time.Now())
	code := key.Code(step)
	for _, c := range []struct {
		name, text string
		paint      func(testing.TB, string, codepaint.View) []byte
		view       codepaint.View
	}{
		{"QR", code, codepaint.QR, codepaint.View{Size: 300, Turn: 20, Lean: .25, Blur: 1, Noise: 5}},
		{"Code 128", "ZY20260017", codepaint.Bars, codepaint.View{Size: 560, Turn: 10, Lean: .15, Blur: 1, Noise: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var raw bytes.Buffer
			for i := range 4 { // it moves a little in every picture
				v := c.view
				v.Turn += float64(i) / 2
				raw.Write(c.paint(t, c.text, v))
			}
			clip := filepath.Join(t.TempDir(), "code.mp4")
			x := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "1280x720", "-r", "10", "-i", "-",
				"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "500k", "-maxrate", "500k", "-bufsize", "500k", clip)
			x.Stdin = &raw
			if out, err := x.CombinedOutput(); err != nil {
				t.Fatal(err, string(out))
			}
			us := modeltest.Units(t, clip, ward.H264, "0", "1")
			s := pool.NewSession(ward.H264)
			defer s.Close()
			var seen int
			for _, u := range us {
				got, ok, err := s.See(t.Context(), u.Data, u.Key, vision.WantSnapshot)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					continue
				}
				still, err := pool.Still(t.Context(), got.JPEG, vision.WantCodes)
				if err != nil {
					t.Fatal(err)
				}
				if slices.Contains(still.Codes, c.text) {
					seen++
				} else if len(still.Codes) > 0 {
					t.Errorf("misread: %q", still.Codes)
				}
			}
			t.Logf("read in %d of %d pictures", seen, len(us))
			if seen < 2 {
				t.Errorf("read in %d pictures, want 2 at least", seen)
			}
		})
	}
	if got := key.Judge(code, time.Unix((step+5)*30, 0)); got != ward.WardCodeExpired {
		t.Errorf("the same video two minutes later: %s", got)
	}
}
