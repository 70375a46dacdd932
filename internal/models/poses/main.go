// Command poses prints, ten times a second, how the head in a clip is held:
// a JSON list of {t, yaw, pitch, mouth, eyes} in seconds and degrees (see
// ward.Face). Pictures without exactly one face are left out. The simulated
// bedside takes from it which stretch of its clip answers which prompt.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"time"

	"wardwatch/analytics/vision"
)

// pose is one picture.
type pose struct {
	T     float64 `json:"t"` // seconds from the clip's start
	Yaw   float32 `json:"yaw"`
	Pitch float32 `json:"pitch"`
	Mouth float32 `json:"mouth"`
	Eyes  float32 `json:"eyes"`
}

const perSecond = 10

func main() {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: poses CLIP") }
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	poses, err := measure(ctx, flag.Arg(0))
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(poses)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "poses:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
}

func measure(ctx context.Context, clip string) ([]pose, error) {
	pictures, err := jpegs(ctx, clip)
	if err != nil {
		return nil, err
	}
	pool := &vision.Pool{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = pool.Run(running) // nil: it ends with its context
	}()
	defer func() {
		stop()
		<-ended
	}()

	poses := []pose{}
	for i, b := range pictures {
		seen, err := pool.Still(ctx, b, vision.WantFaces)
		if err != nil {
			return nil, fmt.Errorf("picture %d: %w", i, err)
		}
		if len(seen.Faces) != 1 {
			continue
		}
		f := seen.Faces[0]
		at := time.Duration(i) * time.Second / perSecond
		poses = append(poses, pose{T: at.Seconds(), Yaw: f.Yaw, Pitch: f.Pitch, Mouth: f.Mouth, Eyes: f.Eyes})
	}
	return poses, nil
}

// jpegs returns the clip as pictures. A JPEG ends at its only FF D9: inside
// the data ffmpeg writes FF only before 00 or a restart marker.
func jpegs(ctx context.Context, clip string) ([][]byte, error) {
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-i", clip, "-an", "-vf",
		fmt.Sprintf("fps=%d", perSecond), "-q:v", "2", "-f", "mjpeg", "-")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg -i %s: %w", clip, err)
	}
	var all [][]byte
	for len(out) > 0 {
		end := bytes.Index(out, []byte{0xff, 0xd9})
		if end < 0 {
			break
		}
		all, out = append(all, out[:end+2]), out[end+2:]
	}
	return all, nil
}
