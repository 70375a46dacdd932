//go:build interop

package ingest_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

// recordsFrom records each address for three segments and lets ffprobe and
// ffmpeg look at what came out: the codecs of want, and not a gap once it ran.
func recordsFrom(t *testing.T, urls map[ward.CameraID]string, transport ward.Transport, want map[ward.CameraID][]string) {
	t.Helper()
	r := newRig(t, nil)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.logs)
		}
	})
	for id, url := range urls {
		c := camera(id, url)
		c.Transport = transport
		addCamera(t, r.store, c)
	}
	for id := range urls {
		until(t, fmt.Sprintf("three segments of %s over %s", id, transport), 60*time.Second, func() bool { return len(r.segments(t, id)) >= 3 })
	}
	r.stop()
	for id := range urls {
		checkIdentity(t, r, id, 300*time.Millisecond)
		segments := r.segments(t, id)
		for i, g := range segments {
			f, _ := fileOf(t, r.spool, g)
			ffmpegReads(t, f)
			if d := g.End.Sub(g.Start) - g.Media; d.Abs() > time.Second { // ffmpeg publishes its first second in a burst
				t.Errorf("%s over %s, segment %d: media %s, wall %s", id, transport, i, g.Media, g.End.Sub(g.Start))
			}
			var codecs []string
			for _, s := range ffprobe(t, f).Streams {
				codecs = append(codecs, s.CodecName)
			}
			if !slices.Equal(codecs, want[id]) {
				t.Errorf("%s over %s, segment %d: %v, want %v", id, transport, i, codecs, want[id])
			}
		}
		for _, g := range r.gaps(t, id) {
			if g.From.After(segments[0].Start) && g.From.Before(segments[len(segments)-1].End) {
				t.Errorf("%s over %s: a gap: %+v", id, transport, g)
			}
		}
	}
}

// peer starts a server that ends with the test.
func peer(t *testing.T, cmd *exec.Cmd) io.Reader {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s (run deploy/setup.sh interop): %v", cmd.Path, err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return out
}

// TestInteropMediaMTX: ffmpeg publishes to MediaMTX, and we record from it.
func TestInteropMediaMTX(t *testing.T) {
	port := freePort(t)
	config := filepath.Join(t.TempDir(), "mediamtx.yml")
	text := fmt.Sprintf("logLevel: warn\nrtspAddress: 127.0.0.1:%d\nrtpAddress: 127.0.0.1:%d\nrtcpAddress: 127.0.0.1:%d\nrtspTransports: [tcp, udp]\n"+
		"rtmp: no\nhls: no\nwebrtc: no\nsrt: no\npaths: {all_others: {}}\n", port, 36000+port%1000*2, 36001+port%1000*2)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	peer(t, exec.Command("../.tools/bin/mediamtx", config))
	base := fmt.Sprintf("rtsp://127.0.0.1:%d/", port)
	until(t, "MediaMTX listens", 15*time.Second, func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	x264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25"}
	x265 := []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=25:bframes=0:log-level=none"}
	streams := map[ward.CameraID][]string{
		"h264-aac":  append(slices.Clone(x264), "-c:a", "aac"),
		"h264-pcmu": append(slices.Clone(x264), "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"),
		"h265-opus": append(slices.Clone(x265), "-c:a", "libopus", "-ar", "48000"),
	}
	urls := map[ward.CameraID]string{}
	for id, codecs := range streams {
		urls[id] = base + string(id)
		args := append([]string{"-v", "error", "-re", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"}, codecs...)
		peer(t, exec.Command("ffmpeg", append(args, "-pix_fmt", "yuv420p", "-f", "rtsp", "-rtsp_transport", "tcp", urls[id])...))
	}
	want := map[ward.CameraID][]string{"h264-aac": {"h264", "aac"}, "h264-pcmu": {"h264", "flac"}, "h265-opus": {"hevc", "opus"}}
	recordsFrom(t, urls, ward.TransportTCP, want)
	recordsFrom(t, urls, ward.TransportUDP, want)
}

// TestInteropGStreamer records from gst-rtsp-server.
func TestInteropGStreamer(t *testing.T) {
	line, err := bufio.NewReader(peer(t, exec.Command("/usr/bin/python3", "testdata/gst_server.py"))).ReadString('\n')
	if err != nil {
		t.Fatalf("gst_server.py: %v: run deploy/setup.sh interop", err)
	}
	base := "rtsp://127.0.0.1:" + strings.TrimSpace(line)
	urls := map[ward.CameraID]string{"h264-opus": base + "/h264-opus", "h264-pcma": base + "/h264-pcma", "mjpeg": base + "/mjpeg"}
	want := map[ward.CameraID][]string{"h264-opus": {"h264", "opus"}, "h264-pcma": {"h264", "flac"}, "mjpeg": {"mjpeg"}}
	recordsFrom(t, urls, ward.TransportTCP, want)
	recordsFrom(t, urls, ward.TransportUDP, want)
}
