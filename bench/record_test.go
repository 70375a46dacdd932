package bench_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

const (
	segmentSeconds = 10
	samples        = 40 // of the memory, in a window
	warmUp         = 3 * time.Second
	window         = 20 * time.Second // one or two segments of every camera end in it: they are cut at key frames
)

// cost is what recording costs, a camera.
type cost struct {
	cpu   float64 // ms of processor time a second
	rss   float64 // kB, the mean over the window
	mbits float64 // Mbit/s that reached the disk
	said  string
}

// BenchmarkRecording records 25, 100 and 400 cameras (1080p, 25 pictures/s,
// H.264 of 2 Mbit/s, RTSP over TCP) into the spool with hashes, rows, fsync
// and ledger, against a process that writes what the same sockets send
// without looking at it and, when PEER_MEDIAMTX names the binary, against
// MediaMTX recording fMP4 with segments and parts of the same lengths.
func BenchmarkRecording(b *testing.B) {
	for _, cameras := range []int{25, 100, 400} {
		b.Run(fmt.Sprintf("cameras=%d", cameras), func(b *testing.B) {
			urls := simulate(b, cameras)
			for b.Loop() {
				recording(b, urls)
			}
		})
	}
}

func recording(b *testing.B, urls []string) {
	b.Helper()
	floor := ourselves(b, "copy", urls)
	ours := ourselves(b, "record", urls)
	b.Logf("copy of the same sockets: %s", floor)
	b.Logf("wardwatch: %s = %.2f × the copy's CPU, %.2f × its memory; %s", ours, ours.cpu/floor.cpu, ours.rss/floor.rss, ours.said)
	b.ReportMetric(ours.cpu, "cpu-ms/stream-s")
	b.ReportMetric(ours.rss/1024, "MB/camera")
	b.ReportMetric(ours.cpu/floor.cpu, "×copy-cpu")
	b.ReportMetric(ours.rss/floor.rss, "×copy-rss")
	peer := os.Getenv("PEER_MEDIAMTX")
	if peer == "" {
		b.Log("MediaMTX is missing: set PEER_MEDIAMTX to its binary to compare")
		return
	}
	theirs := mediamtx(b, peer, urls)
	b.Logf("MediaMTX: %s; wardwatch = %.2f × its CPU, %.2f × its memory", theirs, ours.cpu/theirs.cpu, ours.rss/theirs.rss)
	b.ReportMetric(ours.cpu/theirs.cpu, "×mediamtx-cpu")
	b.ReportMetric(ours.rss/theirs.rss, "×mediamtx-rss")
}

func (c cost) String() string {
	return fmt.Sprintf("%.2f ms CPU a stream-second, %.1f MB a camera, %.2f Mbit/s a camera on disk", c.cpu, c.rss/1024, c.mbits)
}

// simulate runs the cameras in this process, whose work is not counted.
func simulate(b *testing.B, cameras int) []string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "clip.ts")
	out, err := exec.CommandContext(b.Context(), "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25", "-t", "8",
		"-vf", "noise=alls=8:allf=t", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-bf", "0",
		"-b:v", "2M", "-maxrate", "2M", "-bufsize", "4M", "-f", "mpegts", file).CombinedOutput()
	if err != nil {
		b.Fatalf("ffmpeg: %v: %s", err, out)
	}
	clip, err := simcam.ReadClip(file, ward.NoCodec)
	must(b, err)
	s := &simcam.Server{Addr: "127.0.0.1:0"}
	for i := range cameras {
		s.Cameras = append(s.Cameras, simcam.Camera{Path: string(cameraID(i)), Clip: clip})
	}
	must(b, s.Start())
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) }) // it always ends with nil
	b.Cleanup(func() { cancel(); wg.Wait() })
	var urls []string
	for _, c := range s.Cameras {
		urls = append(urls, s.URL(c.Path))
	}
	return urls
}

// ourselves measures this binary in one of its roles.
func ourselves(b *testing.B, role string, urls []string) cost {
	b.Helper()
	dir := b.TempDir()
	touchMemory(b, dir, len(urls))
	text, err := json.Marshal(order{Role: role, Dir: dir, URLs: urls})
	must(b, err)
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childOrder+"="+string(text))
	var log bytes.Buffer
	cmd.Stderr = &log
	pipe, err := cmd.StdoutPipe()
	must(b, err)
	must(b, cmd.Start())
	lines := bufio.NewScanner(pipe)
	if !lines.Scan() {
		b.Fatalf("%s: no media: %v: %s", role, cmd.Wait(), &log)
	}
	c := observe(b, cmd.Process.Pid, dir, len(urls))
	must(b, cmd.Process.Signal(syscall.SIGTERM))
	for lines.Scan() {
		c.said = lines.Text()
	}
	if err := cmd.Wait(); err != nil || log.Len() > 0 {
		b.Errorf("%s: %v: %s", role, err, &log)
	}
	return c
}

// touchMemory has the kernel fetch as much memory as a run's files take. Where
// the machine is a virtual one its first use costs four times what writing
// costs, and the first process would pay for all.
func touchMemory(b *testing.B, dir string, cameras int) {
	b.Helper()
	const each = 10 << 20 // 30 s of 2 Mbit/s, and some
	name := filepath.Join(dir, "touched")
	f, err := os.Create(name)
	must(b, err)
	some := make([]byte, each)
	for range cameras {
		_, err := f.Write(some)
		must(b, err)
	}
	must(b, f.Close())
	must(b, os.Remove(name))
}

// observe measures a process that records all cameras already.
func observe(b *testing.B, pid int, dir string, cameras int) cost {
	b.Helper()
	<-time.After(warmUp)
	began, cpu, size := time.Now(), cpuOf(b, pid), sizeOf(dir)
	var rss float64 // a sum: one sample depends on when garbage was last collected
	for range samples {
		<-time.After(window / samples)
		rss += rssOf(b, pid)
	}
	seconds := time.Since(began).Seconds() * float64(cameras)
	c := cost{
		cpu: ms(cpuOf(b, pid)-cpu) / seconds, rss: rss / samples / float64(cameras),
		mbits: float64(sizeOf(dir)-size) * 8 / 1e6 / seconds,
	}
	if c.mbits < 1.5 {
		b.Errorf("only %.2f Mbit/s a camera reached the disk: the figures mean nothing", c.mbits)
	}
	return c
}

// sizeOf sums the files under dir; one that goes meanwhile does not count.
func sizeOf(dir string) int64 {
	var sum int64
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // renamed since it was listed
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

func mediamtx(b *testing.B, binary string, urls []string) cost {
	b.Helper()
	dir := b.TempDir()
	touchMemory(b, dir, len(urls))
	conf := &strings.Builder{}
	fmt.Fprintf(conf, "logLevel: warn\nrtsp: no\nrtmp: no\nhls: no\nwebrtc: no\nsrt: no\npathDefaults:\n  record: yes\n  recordFormat: fmp4\n"+
		"  recordPath: %s/rec/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f\n  recordSegmentDuration: %ds\n  recordPartDuration: 1s\npaths:\n", dir, segmentSeconds)
	for i, u := range urls {
		fmt.Fprintf(conf, "  %s:\n    source: %s\n    rtspTransport: tcp\n", cameraID(i), u)
	}
	file := filepath.Join(dir, "mediamtx.yml")
	must(b, os.WriteFile(file, []byte(conf.String()), 0o600))
	var log bytes.Buffer
	cmd := exec.CommandContext(b.Context(), binary, file)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &log, &log, dir
	must(b, cmd.Start())
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(dir, "rec", "*", "*"))
		must(b, err)
		if len(files) >= len(urls) {
			break
		}
		if time.Now().After(deadline) {
			must(b, cmd.Process.Kill())
			_ = cmd.Wait() // we killed it
			b.Fatalf("MediaMTX records %d of %d cameras: %s", len(files), len(urls), &log)
		}
	}
	c := observe(b, cmd.Process.Pid, filepath.Join(dir, "rec"), len(urls))
	must(b, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait() // how it ends says nothing about how it recorded
	return c
}
