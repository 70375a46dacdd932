package ingest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simcam"
	"wardwatch/internal/testcam"
	"wardwatch/ward"
)

// hlsServer serves a camera's LL-HLS as web does.
func hlsServer(t testing.TB, l *ingest.LiveView, c ward.Camera) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b []byte
		var err error
		if strings.HasSuffix(r.URL.Path, ".m3u8") {
			at := ingest.HLS{Segment: -1, Part: -1}
			if q := r.URL.Query(); q.Has("_HLS_msn") {
				at.Segment, _ = strconv.ParseInt(q.Get("_HLS_msn"), 10, 64)
				if q.Has("_HLS_part") {
					at.Part, _ = strconv.Atoi(q.Get("_HLS_part"))
				}
			}
			w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
			b, _, err = l.Playlist(r.Context(), c, false, "live/", at)
		} else {
			w.Header().Set("Content-Type", "video/mp4")
			b, err = l.File(r.Context(), c, path.Base(r.URL.Path))
		}
		if err != nil {
			http.Error(w, err.Error(), map[ward.Kind]int{ward.NotFound: 404, ward.Unavailable: 503}[ward.KindOf(err)])
			return
		}
		_, _ = w.Write(b)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/live.m3u8"
}

// TestFFmpegReadsLowLatencyHLS: B-frames, sound, a GOP of 4 s; the playlist is
// there at once, and every part that it hints at comes.
func TestFFmpegReadsLowLatencyHLS(t *testing.T) {
	t.Parallel()
	clip := coded(t, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=8", "-c:v", "libx264", "-preset", "ultrafast",
		"-bf", "2", "-g", "100", "-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac")
	sim := testcam.Play(t, simcam.Camera{Path: "main", Clip: clip})
	r := newRig(t, nil)
	c := camera("cam-1", sim.URL("main"))
	addCamera(t, r.store, c)
	until(t, "live", 10*time.Second, func() bool { return r.fleet.Stats()["cam-1"].Frames > 30 })
	l := newView(t, r, 0)
	url := hlsServer(t, l, c)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	text, _, err := l.Playlist(ctx, c, false, "live/", ingest.HLS{Segment: -1, Part: -1})
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the first playlist took %s with a key frame every 4 s", took)
	}
	checkHints(t, l, c, text)
	out, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-read_intervals", "%+5", "-show_entries", "packet=codec_type,pts_time,flags", "-of", "csv=p=0", url).CombinedOutput()
	if err != nil {
		t.Fatalf("ffprobe: %v: %s", err, out)
	}
	video, audio, keys := 0, 0, 0
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		switch {
		case strings.HasPrefix(s.Text(), "video,"):
			video++
			if strings.Contains(s.Text(), ",K") {
				keys++
			}
		case strings.HasPrefix(s.Text(), "audio,"):
			audio++
		default:
			t.Errorf("ffprobe says %q", s.Text())
		}
	}
	if video < 75 || audio < 120 || keys == 0 {
		t.Errorf("%d pictures with %d key frames, %d sounds in 5 s", video, keys, audio)
	}
	if n := sim.Sessions("main"); n != 1 {
		t.Errorf("%d connections to the camera", n)
	}
	r.stop()
}

var hint = regexp.MustCompile(`PRELOAD-HINT:TYPE=PART,URI="live/([^"]+-)(\d+)\.(\d+)\.mp4"`)

var discontinuities = regexp.MustCompile(`#EXT-X-DISCONTINUITY-SEQUENCE:(\d+)\n`)

// checkHints follows the parts for two seconds, as a player does.
func checkHints(t *testing.T, l *ingest.LiveView, c ward.Camera, text []byte) {
	t.Helper()
	for _, want := range []string{"#EXT-X-PROGRAM-DATE-TIME:20", "CAN-BLOCK-RELOAD=YES", "#EXT-X-MAP:URI=\"live/", "#EXTINF:", "INDEPENDENT=YES"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	// hls.js keeps an array as long as this number, and hangs on a Unix time.
	if d := discontinuities.FindSubmatch(text); d == nil || len(d[1]) > 5 {
		t.Errorf("a discontinuity sequence of more than five digits in\n%s", text)
	}
	began := time.Now()
	for n := range 10 {
		h := hint.FindSubmatch(text)
		if h == nil {
			t.Fatalf("no hint in\n%s", text)
		}
		if b, err := l.File(t.Context(), c, fmt.Sprintf("%s%s.%s.mp4", h[1], h[2], h[3])); err != nil || len(b) < 500 {
			t.Fatalf("part %d: %d bytes, %v", n, len(b), err)
		}
		msn, _ := strconv.ParseInt(string(h[2]), 10, 64)
		part, _ := strconv.Atoi(string(h[3]))
		var err error
		if text, _, err = l.Playlist(t.Context(), c, false, "live/", ingest.HLS{Segment: msn, Part: part}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), fmt.Sprintf("%s.%s.mp4\"", h[2], h[3])) && !strings.Contains(string(text), fmt.Sprintf("%s.mp4", h[2])) {
			t.Fatalf("the awaited part %s.%s is not in\n%s", h[2], h[3], text)
		}
	}
	if took := time.Since(began); took < time.Second || took > 20*time.Second {
		t.Errorf("ten parts of 0.2 s took %s", took)
	}
	h := hint.FindSubmatch(text)
	msn, _ := strconv.ParseInt(string(h[2]), 10, 64)
	for _, name := range []string{"other-init.mp4", string(h[1]) + "1.mp4", string(h[1]) + "9999999999.mp4", string(h[1]) + "x.mp4", string(h[1]) + "-1.-1.mp4", string(h[1]) + string(h[2]) + ".99.mp4", ""} {
		if _, err := l.File(t.Context(), c, name); ward.KindOf(err) != ward.NotFound {
			t.Errorf("file %q: %v, want not found", name, err)
		}
	}
	if _, _, err := l.Playlist(t.Context(), c, false, "live/", ingest.HLS{Segment: msn + 100, Part: 0}); !errors.Is(err, &ward.Error{Code: "live.ahead"}) {
		t.Errorf("far ahead: %v", err)
	}
}

// TestLowLatencyHLSOfAFrozenCamera: the date of the last part stays, requests
// end, and the muxer goes when nobody asks.
func TestLowLatencyHLSOfAFrozenCamera(t *testing.T) {
	t.Parallel()
	sim := testcam.Play(t, simcam.Camera{Path: "main", Clip: plainFilm(t)})
	r := newRig(t, nil)
	c := camera("cam-1", sim.URL("main"))
	addCamera(t, r.store, c)
	until(t, "live", 10*time.Second, func() bool { return r.fleet.Stats()["cam-1"].Frames > 10 })
	l := newView(t, r, 0)
	text, source, err := l.Playlist(t.Context(), c, false, "live/", ingest.HLS{Segment: -1})
	if err != nil || source != ingest.LiveMain {
		t.Fatal(source, err)
	}
	if err := sim.Set("main", simcam.Faults{Stall: true}); err != nil {
		t.Fatal(err)
	}
	last, stood := text, time.Now()
	for range 100 {
		last, stood = text, time.Now()
		h := hint.FindSubmatch(text)
		msn, _ := strconv.ParseInt(string(h[2]), 10, 64)
		part, _ := strconv.Atoi(string(h[3]))
		if text, _, err = l.Playlist(t.Context(), c, false, "live/", ingest.HLS{Segment: msn, Part: part}); err != nil {
			break
		}
	}
	if !errors.Is(err, &ward.Error{Code: "camera.not_live"}) {
		t.Errorf("a frozen camera: %v", err)
	}
	// What a player shows last is dated by its arrival, however long ago that is by now.
	if behind := stood.Sub(lastDate(t, last)); behind < -time.Second || behind > 5*time.Second {
		t.Errorf("the last picture is dated %s before the last one came", behind)
	}
	r.stop()
	until(t, "the muxer has ended", 20*time.Second, func() bool {
		_, _, err = l.Playlist(t.Context(), c, false, "live/", ingest.HLS{Segment: -1})
		return err != nil
	})
}

// TestLowLatencyHLSEndsWhenNobodyAsksOrTheCameraChanges: a changed row gets a
// new muxer, a disabled one none, and one that nobody asks stops reading.
func TestLowLatencyHLSEndsWhenNobodyAsksOrTheCameraChanges(t *testing.T) {
	t.Parallel()
	_, r, c := liveWithSub(t, simcam.Faults{})
	l := newView(t, r, 0)
	show, err := l.Open(t.Context(), c, ingest.Screen{H264: true}, true)
	if err != nil {
		t.Fatal(err)
	}
	defer show.Close()
	begin := func(c ward.Camera) string {
		text, _, err := l.Playlist(t.Context(), c, true, "live/", ingest.HLS{Segment: -1})
		if err != nil {
			t.Fatal(err)
		}
		return string(hint.FindSubmatch(text)[1])
	}
	name := begin(c)
	until(t, "nobody reads any more", 40*time.Second, func() bool { return show.Stream.Readers() == 0 })
	changed := c
	changed.Name = "another"
	if other := begin(changed); other == name || len(name) < 16 {
		t.Errorf("named %q and %q", name, other)
	}
	within := show.Stream.Done()
	select {
	case <-within:
	case <-time.After(20 * time.Second):
		t.Error("the sub stream of the camera as it was goes on")
	}
	off := changed
	off.Enabled = false
	if _, _, err := l.Playlist(t.Context(), off, true, "live/", ingest.HLS{Segment: -1}); !errors.Is(err, ingest.NotLive()) {
		t.Errorf("a disabled camera: %v", err)
	}
	if _, err := l.File(t.Context(), off, name+"init.mp4"); !errors.Is(err, ingest.NotLive()) {
		t.Errorf("a file of a disabled camera: %v", err)
	}
	r.stop()
}

var dated = regexp.MustCompile(`#EXT-X-PROGRAM-DATE-TIME:(\S+)|#EXT-X-PART:DURATION=([0-9.]+)|#EXTINF:([0-9.]+)`)

// lastDate is when the last part of a playlist ends: the last date, and what follows it.
func lastDate(t *testing.T, playlist []byte) time.Time {
	t.Helper()
	var at time.Time
	for _, m := range dated.FindAllSubmatch(playlist, -1) {
		switch {
		case len(m[1]) > 0:
			var err error
			if at, err = time.Parse(time.RFC3339Nano, string(m[1])); err != nil {
				t.Fatal(err)
			}
		case len(m[2]) > 0:
			d, err := time.ParseDuration(string(m[2]) + "s")
			if err != nil {
				t.Fatal(err)
			}
			at = at.Add(d)
		}
	}
	if at.IsZero() {
		t.Fatalf("no date in\n%s", playlist)
	}
	return at
}
