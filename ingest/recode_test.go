package ingest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// motionJPEG is numbered as Motion JPEG, without sound.
func motionJPEG(t testing.TB, size string, seconds, first int) *clip {
	t.Helper()
	film := numbered(t, size, seconds, first, "-an")
	file := filepath.Join(t.TempDir(), "%04d.jpg")
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", tsOf(t, film), "-fps_mode", "passthrough", "-q:v", "3", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	all, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*.jpg"))
	if err != nil || len(all) != 25*seconds {
		t.Fatalf("%d pictures, %v", len(all), err)
	}
	c := &clip{length: film.length}
	for i, name := range all {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c.frames = append(c.frames, frame{pts: int64(i) * 3600, dts: int64(i) * 3600, au: [][]byte{b}})
	}
	return c
}

// tsOf writes a clip's pictures where ffmpeg can read them.
func tsOf(t testing.TB, c *clip) string {
	t.Helper()
	var b []byte
	for _, f := range c.frames {
		if !f.audio {
			b = append(b, ingest.AnnexB(f.au)...)
		}
	}
	file := filepath.Join(t.TempDir(), "film.h264")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func h265Numbered(t testing.TB, size string, seconds, first int) *clip {
	return numbered(t, size, seconds, first, "-c:v", "libx265", "-x265-params", "keyint=50:min-keyint=50:scenecut=0:bframes=2:log-level=none")
}

// TestChromiumPlaysWhatIsCodedAgain: H.265 with pictures reordered over the
// ends of pieces, the H.264 after it, and Motion JPEG, by a player that shows
// H.264 only: every picture, each at its moment, with the sound.
func TestChromiumPlaysWhatIsCodedAgain(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	s.lib.Transcodes = &ingest.Transcodes{New: newCoders(t), Most: 1}
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	end := s.record(start, 60, session{codec: ward.H265, clip: h265Numbered(t, "320x240", 6, 0)})
	end = s.record(end.Add(5*time.Second), 60, session{codec: ward.H264, clip: numbered(t, "320x240", 2, 150)})
	jpegs := end.Add(5 * time.Second)
	last := s.record(jpegs, 60, session{codec: ward.MJPEG, clip: motionJPEG(t, "640x360", 2, 400)})

	plain, all := s.serve(start, end), s.serve(start, end, ward.H264)
	if list := string(playlistOf(t, s, start, last).Playlist); strings.Contains(list, ".h264.") {
		t.Errorf("who shows everything gets\n%s", list)
	}
	if n := len(hashes(t, all)); n != 200 {
		t.Errorf("%d pictures of 200", n)
	}
	if n := len(hashes(t, s.serve(jpegs, last, ward.H264))); n != 50 {
		t.Errorf("%d pictures of 50 of Motion JPEG", n)
	}
	if was, is := soundOK(t, plain), soundOK(t, all); is < was-.1 || is > was+.1 {
		t.Errorf("%.2f s of sound, recorded were %.2f", is, was)
	}
	s.plays(t, all, 0, 200, func(n int) time.Time {
		came := start.Add(time.Duration(n) * 40 * time.Millisecond)
		if n >= 150 {
			return came.Add(5 * time.Second)
		}
		return came
	})
}

// plays plays a playlist in Chromium, which must show the pictures [from, to) at their moments.
func (s *shelf) plays(t testing.TB, address string, from, to int, came func(n int) time.Time) {
	t.Helper()
	var got watched
	chromium(t, &got, "hls", address, "0", "60")
	for _, e := range got.Errors {
		if e.Fatal {
			t.Errorf("hls.js: %s", e.Details)
		}
	}
	n := len(got.Seen)
	if !got.Ended || n < (to-from)/3 || got.Seen[0].N < from || got.Seen[0].N > from+2 || got.Seen[n-1].N < to-3 {
		t.Fatalf("ended %v at %.2f s, %d pictures: %+v", got.Ended, got.At, n, got.Seen)
	}
	hurried := map[int]bool{} // hls.js has only begun to take the stretch after the gap for the one that plays
	for i := range 8 {
		hurried[150+i] = true
	}
	for i, p := range got.Seen {
		if i > 0 && p.N < got.Seen[i-1].N {
			t.Errorf("picture %d after %d", p.N, got.Seen[i-1].N)
		}
		if off := p.Date - float64(came(p.N).UnixMilli()); !hurried[p.N] && (off < -100 || off > 300) { // the callback comes late on a busy machine
			t.Errorf("picture %d is said to be of %+.0f ms", p.N, off)
		}
	}
}

// hanging is a transcoder that never answers.
type hanging struct {
	asked  chan bool
	closed *atomic.Int64
}

func (h hanging) Transcode(ctx context.Context, _ ingest.Coded, _, _ bool) ([]ingest.Coded, error) {
	h.asked <- true
	<-ctx.Done()
	return nil, ctx.Err()
}

func (h hanging) Flush(ctx context.Context) ([]ingest.Coded, error) { return nil, ctx.Err() }
func (h hanging) Close()                                            { h.closed.Add(1) }

// TestTranscodesOfPiecesEndWithTheirViewers: no more run than may, one that
// nobody waits for any more ends, and the next one has its place.
func TestTranscodesOfPiecesEndWithTheirViewers(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	h := hanging{make(chan bool, 8), &atomic.Int64{}}
	s.lib.Transcodes = &ingest.Transcodes{Most: 1, New: func(context.Context, ward.Codec) ingest.Transcoder { return h }}
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	s.record(start, 60, session{codec: ward.H265, clip: h265Numbered(t, "320x240", 4, 0)})
	name := playbackNames(t, s, start, ward.H264)[1]
	ask := func() (cancel func(), done chan error) {
		ctx, cancel := context.WithCancel(t.Context())
		done = make(chan error, 1)
		go func() {
			_, err := s.lib.Piece(ctx, inst, s.src, name)
			done <- err
		}()
		return cancel, done
	}
	leave, first := ask()
	<-h.asked
	leaveToo, second := ask()
	if n := s.lib.Transcodes.Running(); n != 1 {
		t.Errorf("%d run", n)
	}
	leave()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that was left: %v", err)
	}
	<-h.asked // the second one has its place
	leaveToo()
	if err := <-second; !errors.Is(err, context.Canceled) || h.closed.Load() != 2 || s.lib.Transcodes.Running() != 0 {
		t.Errorf("%v, %d closed, %d run", err, h.closed.Load(), s.lib.Transcodes.Running())
	}
	s.lib.Transcodes.Most = 0
	if names := playbackNames(t, s, start, ward.H264); strings.Contains(strings.Join(names, " "), "h264") {
		t.Errorf("without transcoders: %v", names)
	}
}

// playbackNames are the files of a playlist: the first map, then a piece.
func playbackNames(t testing.TB, s *shelf, from time.Time, shows ...ward.Codec) []string {
	t.Helper()
	p, err := s.lib.Playback(t.Context(), inst, s.src, from, time.Time{}, time.Now(), shows...)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(p.Playlist)) {
		if _, name, ok := strings.Cut(line, "playback/"); ok {
			names = append(names, strings.TrimRight(name, "\"\n"))
		}
	}
	return names
}
