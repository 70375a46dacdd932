package ingest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// numbered is a film whose pictures carry their number, from first on, as
// ten stripes, black or white.
func numbered(t testing.TB, size string, seconds, first int, more ...string) *clip {
	t.Helper()
	picture := "color=black:size=" + size + ":rate=25,format=yuv420p,geq=lum='255*gt(bitand(N+" + strconv.Itoa(first) + ",pow(2,floor(10*X/W))),0)':cb=128:cr=128"
	args := []string{"-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", strconv.Itoa(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac"}
	return makeClip(t, append(args, more...)...)
}

// chromium runs web/e2e/play.mjs, which plays by the page's own player, and reads what it prints.
func chromium(t testing.TB, into any, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", append([]string{"../web/e2e/play.mjs"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v: %s", err, &stderr)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("chromium: %v: %s", err, out)
	}
}

type looked struct {
	N    int     `json:"n"`
	Date float64 `json:"date"` // ms since 1970
	T    float64 `json:"t"`
}

type watched struct {
	Ended  bool     `json:"ended"`
	At     float64  `json:"at"`
	Seen   []looked `json:"seen"`
	Widths []int    `json:"widths"`
	Errors []struct {
		Fatal   bool   `json:"fatal"`
		Details string `json:"details"`
	} `json:"errors"`
}

// TestChromiumPlaysOverAGap: hls.js in Chromium plays from the first to the
// last picture over a file's end, a gap and a new picture size, and knows
// when each picture came.
func TestChromiumPlaysOverAGap(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	end := s.record(start, 3, session{codec: ward.H264, clip: numbered(t, "320x240", 6, 0)})
	last := s.record(end.Add(5*time.Second), 60, session{codec: ward.H264, clip: numbered(t, "640x360", 4, 150)})
	var got watched
	chromium(t, &got, "hls", s.serve(start, last), "0", "60")
	for _, e := range got.Errors {
		if e.Fatal {
			t.Errorf("hls.js: %s", e.Details)
		}
	}
	if !got.Ended || len(got.Widths) != 2 || got.Widths[1] != 640 {
		t.Errorf("ended %v at %.2f s, widths %v", got.Ended, got.At, got.Widths)
	}
	if n := len(got.Seen); n < 50 || got.Seen[0].N > 2 || got.Seen[n-1].N < 247 {
		t.Fatalf("%d pictures from %+v", n, got.Seen)
	}
	for i, p := range got.Seen {
		if i > 0 && p.N < got.Seen[i-1].N {
			t.Errorf("picture %d after %d", p.N, got.Seen[i-1].N)
		}
		came := start.Add(time.Duration(p.N) * 40 * time.Millisecond)
		if p.N >= 150 {
			came = came.Add(5 * time.Second)
		}
		if p.N >= 150 && p.N < 158 {
			continue // hls.js has only begun to take the stretch after the gap for the one that plays
		}
		if off := p.Date - float64(came.UnixMilli()); off < -100 || off > 200 { // the callback comes late on a busy machine
			t.Errorf("picture %d is said to be of %+.0f ms", p.N, off)
		}
	}
}

// TestChromiumFollowsTheFileBeingWritten plays at the live edge over the end of a file.
func TestChromiumFollowsTheFileBeingWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", serve(t, h264Clip(t)).url))
	s := &shelf{t: t, store: r.store, spool: r.spool, src: src("cam-1")}
	s.lib = &ingest.Library{Store: r.store, Spool: r.spool, Objects: newObjects(t)}
	from := time.Now()
	until(t, "the file being written is played", 20*time.Second, func() bool {
		_, err := s.lib.Playback(t.Context(), inst, s.src, from, time.Time{}, time.Now())
		return err == nil
	})
	var got watched
	chromium(t, &got, "hls", s.serve(from, time.Time{}), "0", "20")
	for _, e := range got.Errors {
		if e.Fatal {
			t.Errorf("hls.js: %s", e.Details)
		}
	}
	if got.Ended || got.At < 8 || len(r.segments(t, "cam-1")) < 2 {
		t.Errorf("ended %v at %.1f s, %d pictures, %+v", got.Ended, got.At, len(got.Seen), got.Errors)
	}
}

// TestChromiumShowsAClipFromItsFirstPicture: what is decoded only for the
// first picture's sake is not shown, and nothing after the last.
func TestChromiumShowsAClipFromItsFirstPicture(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]string{"in order": nil, "reordered": {"-bf", "2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
			s.record(start, 3, session{codec: ward.H264, clip: numbered(t, "320x240", 6, 0, more...)})
			walls := s.walls(t, 150)
			s.showClip(t, walls[37], walls[101], 37, 100)
		})
	}
}

// TestChromiumShowsAClipWithNewParameters: also when the camera told them
// outside of its pictures, as some do.
func TestChromiumShowsAClipWithNewParameters(t *testing.T) {
	t.Parallel()
	for name, outside := range map[string]bool{"in the pictures": false, "outside": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
			small, large := session{ward.H264, numbered(t, "320x240", 6, 0), outside}, session{ward.H264, numbered(t, "640x360", 4, 150), outside}
			var to time.Time
			if outside { // told when the camera is connected again
				to = s.record(s.record(start, 60, small).Add(20*time.Millisecond), 60, large)
			} else {
				to = s.record(start, 60, small, large)
			}
			s.showClip(t, start.Add(37*40*time.Millisecond), to.Add(-time.Second), 37, 224)
		})
	}
}

// showClip shows the clip of [from, to) in Chromium, which must begin and end
// with the pictures first and last.
func (s *shelf) showClip(t testing.TB, from, to time.Time, first, last int) {
	t.Helper()
	file, _ := s.clip(t, from, to)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			_, _ = w.Write([]byte("<!doctype html><title>clip</title>"))
			return
		}
		http.ServeFile(w, r, file)
	}))
	defer srv.Close()
	var got struct {
		First    looked  `json:"first"`
		Middle   looked  `json:"middle"`
		Last     looked  `json:"last"`
		Duration float64 `json:"duration"`
	}
	chromium(t, &got, "clip", srv.URL+"/clip.mp4")
	if got.First.N != first || got.Last.N != last || got.First.T != 0 {
		t.Errorf("got pictures %d to %d, want %d to %d: %+v", got.First.N, got.Last.N, first, last, got)
	}
	if want := to.Sub(from).Seconds(); got.Duration < want-.03 || got.Duration > want+.03 {
		t.Errorf("the clip lasts %.3f s, want %.3f", got.Duration, want)
	}
	if mid := (first + last + 1) / 2; got.Middle.N < mid-1 || got.Middle.N > mid+1 {
		t.Errorf("picture %d in the middle, want %d", got.Middle.N, mid)
	}
}
