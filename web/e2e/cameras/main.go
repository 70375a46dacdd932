// Command cameras is what the browser tests of playback look at: simulated
// cameras whose pictures carry their own number, so that a test can read
// from the screen which picture of which moment it sees.
//
// It prints one JSON line with the cameras' addresses, then takes lines of
// "path fault=value …" (internal/simcam) on standard input until that closes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

const (
	fps     = 25
	seconds = 60 // of the clips, which are looped; 11 bits hold every number
	bits    = 11
	box     = 40 // pixels, the side of a bit
)

// films are the clips by path, as ffmpeg codes them. Three cameras show the
// same clip: at any moment all show the same number. The second one has a tone as G.711.
var films = map[string][]string{
	"one":       {"-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-g", "50"},
	"reordered": {"-c:v", "libx264", "-profile:v", "main", "-bf", "2", "-preset", "veryfast", "-g", "50"},
	"hevc":      {"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=50:log-level=none"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// run serves until standard input closes. The clips are kept in dir.
func run(ctx context.Context, dir string) error {
	s := &simcam.Server{Addr: "127.0.0.1:0"}
	for path, coding := range films {
		clip, err := film(ctx, filepath.Join(dir, path+".ts"), coding)
		if err != nil {
			return err
		}
		s.Cameras = append(s.Cameras, simcam.Camera{Path: path, Clip: clip})
		if path == "one" {
			heard, err := simcam.ReadClip(filepath.Join(dir, path+".ts"), ward.PCMA)
			if err != nil {
				return err
			}
			s.Cameras = append(s.Cameras, simcam.Camera{Path: "two", Clip: heard}, simcam.Camera{Path: "three", Clip: clip})
		}
	}
	if err := s.Start(); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	urls := map[string]string{}
	for _, c := range s.Cameras {
		urls[c.Path] = s.URL(c.Path)
	}
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	for s.Began().IsZero() { // the moment of picture 0
		time.Sleep(time.Millisecond)
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{"urls": urls, "fps": fps, "pictures": fps * seconds, "bits": bits, "box": box, "began": s.Began().UTC()}); err != nil {
		return err
	}
	go func() { // ends with the process: a read of standard input cannot be cancelled
		defer stop()
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			path, faults, _ := strings.Cut(lines.Text(), " ")
			f, err := simcam.ParseFaults(faults)
			if err == nil {
				err = s.Set(path, f)
			}
			if err != nil {
				log.Print(err)
			}
		}
	}()
	return <-ran
}

// film reads a clip, which ffmpeg makes when it is not there: a moving
// picture, above it its number, bit by bit from the lowest, and beneath that
// the same inverted.
func film(ctx context.Context, file string, coding []string) (*simcam.Clip, error) {
	if _, err := os.Stat(file); err != nil {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		var draw strings.Builder
		fmt.Fprintf(&draw, "drawbox=0:0:%d:%d:black:fill,drawbox=0:%d:%d:%d:white:fill", bits*box, box, box, bits*box, box)
		for i := range bits {
			set := fmt.Sprintf("enable='gt(mod(floor(n/%d),2),0)'", 1<<i)
			fmt.Fprintf(&draw, ",drawbox=%d:0:%d:%d:white:fill:%s,drawbox=%d:%d:%d:%d:black:fill:%s", i*box, box, box, set, i*box, box, box, box, set)
		}
		args := []string{"-v", "error", "-nostdin", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=480x272:rate=%d:duration=%d", fps, seconds), "-vf", draw.String(), "-pix_fmt", "yuv420p"}
		args = append(append(args, coding...), "-f", "mpegts", "-y", file+".new")
		if out, err := exec.CommandContext(ctx, "ffmpeg", args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make %s: %w: %s", file, err, out)
		}
		if err := os.Rename(file+".new", file); err != nil {
			return nil, err
		}
	}
	return simcam.ReadClip(file, ward.NoCodec)
}
