package vision_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

func newCoder(t *testing.T, codec ward.Codec) *vision.Coder {
	t.Helper()
	c := vision.NewCoder(t.Context(), filepath.Join(modeltest.Root(t), "bin", "wardwatch-vision"), codec, slog.New(slog.NewTextHandler(t.Output(), nil)))
	t.Cleanup(c.Close)
	return c
}

// coder finds the process id of this test's only transcoding worker.
func coderPID(t *testing.T) int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		b, _ := os.ReadFile(file) // it may be gone
		stat, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); bytes.HasSuffix(b, []byte("\x00--transcode\x00")) && len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid
		}
	}
	t.Fatal("no transcoding worker")
	return 0
}

// TestTranscodingShowsEveryPicture: what goes in as H.265 with reordered
// pictures, as MJPEG or VP8, comes out as H.264 baseline of at most 720
// lines, in the order of showing.
func TestTranscodingShowsEveryPicture(t *testing.T) {
	clip := modeltest.Clip(t, "franck.mp4")
	for _, c := range []struct {
		name       string
		codec      ward.Codec
		extra      []string
		wide, high int
	}{
		{"h265", ward.H265, nil, 360, 288},
		{"h265-of-16", ward.H265, []string{"-vf", "scale=320:240"}, 320, 240}, // widths of which libswscale has faster ways
		{"h265-large-reordered", ward.H265, []string{"-vf", "scale=1920:1080", "-x265-params", "keyint=10:bframes=3:repeat-headers=1:log-level=error"}, 1280, 720},
		{"mjpeg", ward.MJPEG, nil, 360, 288},
		{"vp8", ward.VP8, nil, 360, 288},
	} {
		t.Run(c.name, func(t *testing.T) {
			us := modeltest.Units(t, clip, c.codec, "10", "1", c.extra...)
			coder := newCoder(t, c.codec)
			var got []vision.Coded
			for i, u := range us {
				out, err := coder.Code(t.Context(), vision.CodeRequest{PTS: int64(i) * 3600, Key: u.Key, Show: true, Fresh: i == 15, Data: u.Data})
				if err != nil {
					t.Fatalf("unit %d: %v", i, err)
				}
				got = append(got, out...)
			}
			if held := len(us) - len(got); held < 0 || held > 4 {
				t.Errorf("%d pictures of %d", len(got), len(us))
			}
			keys := 0
			for i, g := range got {
				if i > 0 && g.PTS <= got[i-1].PTS {
					t.Errorf("picture %d is shown at %d, after one at %d", i, g.PTS, got[i-1].PTS)
				}
				if g.Key {
					keys++
				}
			}
			if keys != 2 || !got[0].Key {
				t.Errorf("%d key frames, first %v; want the first and the one asked for", keys, got[0].Key)
			}
			probe := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-f", "h264", "-count_frames", "-show_entries", "stream=profile,width,height,nb_read_frames,has_b_frames", "-of", "csv=p=0", "-")
			var stderr bytes.Buffer
			probe.Stdin, probe.Stderr = bytes.NewReader(join(got)), &stderr
			said, err := probe.Output()
			if want := fmt.Sprintf("Constrained Baseline,%d,%d,0,%d", c.wide, c.high, len(got)); err != nil || strings.TrimSpace(string(said)) != want || stderr.Len() > 0 {
				t.Errorf("got %q, want %q: %v %s", said, want, err, stderr.Bytes())
			}
		})
	}
}

func join(all []vision.Coded) []byte {
	var b []byte
	for _, c := range all {
		b = append(b, c.Data...)
	}
	return b
}

// TestTranscoderCrash: a crash costs its stream the pictures up to the next
// key frame, and so do broken bytes; the worker is contained.
func TestTranscoderCrash(t *testing.T) {
	us := modeltest.Units(t, modeltest.Clip(t, "franck.mp4"), ward.H265, "10", "2")
	coder := newCoder(t, ward.H265)
	code := func(i int, data []byte) (int, error) {
		out, err := coder.Code(t.Context(), vision.CodeRequest{PTS: int64(i) * 3600, Key: us[i].Key, Show: true, Data: data})
		return len(out), err
	}
	if n, err := code(1, us[1].Data); n != 0 || err != nil {
		t.Errorf("a unit without its references: %d pictures, %v", n, err)
	}
	if n, err := code(0, us[0].Data); n != 1 || err != nil {
		t.Fatalf("%d pictures, %v", n, err)
	}
	pid := coderPID(t)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t1") {
		t.Errorf("the worker may gain privileges: %v", err)
	}
	isSealed(t, pid)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	lost := 0
	for i := 1; i < 10; i++ {
		if n, err := code(i, us[i].Data); n != 0 || err != nil && !errors.Is(err, vision.ErrLost) {
			t.Errorf("unit %d: %d pictures, %v", i, n, err)
		} else if err != nil {
			lost++
		}
	}
	if lost > 1 {
		t.Errorf("the crash was told %d times", lost)
	}
	if n, err := code(10, us[10].Data); n != 1 || err != nil || !us[10].Key {
		t.Fatalf("next key frame: %d pictures, %v", n, err)
	}
	broken := slices.Clone(us[20].Data)
	for k := 8; k < len(broken); k += 7 {
		broken[k] ^= 0x55
	}
	if _, err := code(20, broken); err != nil && !errors.Is(err, vision.ErrPicture) {
		t.Errorf("broken bytes: %v", err) // they may also make a strange picture
	}
	if n, err := code(30, us[30].Data); n != 1 || err != nil {
		t.Errorf("after broken bytes: %d pictures, %v", n, err)
	}
	coder.Close()
	if n, err := code(40, us[40].Data); n != 0 || !errors.Is(err, vision.ErrLost) {
		t.Errorf("after Close: %d pictures, %v", n, err)
	}
}

func FuzzCodeReply(f *testing.F) {
	var b bytes.Buffer
	if err := vision.WriteCodeReply(&b, vision.CodeReply{Coded: []vision.Coded{{PTS: 1, Key: true, Data: []byte("one")}, {PTS: 2, Data: []byte("two")}}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := vision.ReadCodeReply(bytes.NewReader(b))
		if err != nil {
			return
		}
		total := 0
		for _, c := range a.Coded {
			total += len(c.Data)
		}
		if total > len(b) {
			t.Errorf("%d bytes of pictures from %d", total, len(b))
		}
	})
}
