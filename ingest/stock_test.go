package ingest_test

import (
	"bytes"
	"os/exec"
	"testing"
	"time"

	"wardwatch/internal/testserver"
)

// TestFFmpegPublishingToGo2rtcIsIngested has nothing of ours, and nothing of
// the library that we read with, between ffmpeg's encoder and our client.
func TestFFmpegPublishingToGo2rtcIsIngested(t *testing.T) {
	t.Parallel()
	url := testserver.RTSP(t, "cam")
	var said bytes.Buffer
	push := exec.Command("ffmpeg", "-v", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=25",
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100",
		"-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-pix_fmt", "yuv420p", "-c:a", "aac",
		"-f", "rtsp", "-rtsp_transport", "tcp", url)
	push.Stderr = &said
	if err := push.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = push.Process.Kill()
		_ = push.Wait()
		if t.Failed() {
			t.Logf("ffmpeg said %q", &said)
		}
	})
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", url))
	until(t, "five seconds of recording", 40*time.Second, func() bool {
		var media time.Duration
		for _, g := range r.segments(t, "cam-1") {
			media += g.Media
		}
		return media >= 5*time.Second
	})
	r.stop()
	checkFiles(t, r, "cam-1")
	checkIdentity(t, r, "cam-1", 200*time.Millisecond)
	for i, g := range r.segments(t, "cam-1") {
		f, _ := fileOf(t, r.spool, g)
		p := ffprobe(t, f)
		if len(p.Streams) != 2 || p.Streams[0].Width != 320 {
			t.Errorf("segment %d: got %+v, want pictures 320 wide and sound", i, p)
		}
	}
}
