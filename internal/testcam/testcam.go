// Package testcam gives tests simulated cameras and clips for them.
package testcam

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// Play serves the cameras until the test ends. One without a clip shows Film.
func Play(t testing.TB, cameras ...simcam.Camera) *simcam.Server {
	t.Helper()
	for i, c := range cameras {
		if c.Clip == nil {
			cameras[i].Clip = Film(t)
		}
	}
	s := &simcam.Server{Addr: "127.0.0.1:0", Cameras: cameras}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// Film is 4 s of 320x240 at 10 pictures a second in H.264, with a key frame
// each second and no B-frames.
func Film(t testing.TB) *simcam.Clip { return FilmWith(t, ward.NoCodec) }

// FilmWith is Film with sound (see simcam.ReadClip). more are ffmpeg's
// arguments for other sound and another coder.
func FilmWith(t testing.TB, tone ward.Codec, more ...string) *simcam.Clip {
	t.Helper()
	if len(more) == 0 {
		more = []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "10"}
	}
	return Code(t, tone, slices.Concat([]string{"-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=4"}, more, []string{"-pix_fmt", "yuvj420p"})...)
}

// coded are clips by tone and ffmpeg's arguments: func() (*simcam.Clip, error).
// Nobody writes to a clip, so the tests of a process share them.
var coded sync.Map

// Code lets ffmpeg make a clip; args are its input and coders.
func Code(t testing.TB, tone ward.Codec, args ...string) *simcam.Clip {
	t.Helper()
	once, _ := coded.LoadOrStore(string(tone)+" "+strings.Join(args, " "), sync.OnceValues(func() (*simcam.Clip, error) { return code(tone, args) }))
	clip, err := once.(func() (*simcam.Clip, error))() //nolint:forcetypeassert // nothing else is stored
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

func code(tone ward.Codec, args []string) (*simcam.Clip, error) {
	dir, err := os.MkdirTemp("", "clip")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	file := filepath.Join(dir, "clip.ts")
	if slices.Contains(args, "mjpeg") {
		file = filepath.Join(dir, "clip.mjpeg")
	}
	if out, err := exec.CommandContext(context.Background(), "ffmpeg", slices.Concat([]string{"-v", "error", "-nostdin"}, args, []string{file})...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("ffmpeg %v: %w: %s", args, err, out)
	}
	return simcam.ReadClip(file, tone)
}
