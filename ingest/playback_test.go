package ingest_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/storage/spool"
	"wardwatch/ward"
)

// shelf is recordings of one camera and what reads them.
type shelf struct {
	t     testing.TB
	store *storage.Store
	spool *spool.Spool
	lib   *ingest.Library
	src   ward.Source
	shown [][]string // hashes of the pictures of each recording, as they are shown
}

func newShelf(t testing.TB) *shelf {
	t.Helper()
	sp, err := spool.Open(t.TempDir(), spool.Options{Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	s := &shelf{t: t, store: teststore.SQLite(t), spool: sp, src: src("cam-1")}
	s.lib = &ingest.Library{Store: s.store, Spool: sp, Objects: newObjects(t)}
	return s
}

// session is a clip that a camera sends.
type session struct {
	codec   ward.Codec
	clip    *clip
	outside bool // the parameter sets are told when connecting, and not in the pictures
}

// record records clips that follow each other in one connection, the first
// picture at start, and returns the end.
func (s *shelf) record(start time.Time, seconds int, all ...session) time.Time {
	s.t.Helper()
	tracks := []ingest.Track{{ID: 1, Codec: all[0].codec, ClockRate: 90000}}
	if a := all[0].clip.aac; a != nil {
		config, err := a.Marshal()
		if err != nil {
			s.t.Fatal(err)
		}
		tracks = append(tracks, ingest.Track{ID: 2, Codec: ward.AAC, ClockRate: a.SampleRate, Channels: a.ChannelCount, Config: config})
	}
	var units []ingest.Unit
	base := int64(0)
	for _, one := range all {
		for _, f := range one.clip.frames {
			if one.outside && !f.audio {
				f.au = tell(&tracks[0], f.au)
			}
			u := ingest.Unit{Track: 1, PTS: base + f.pts, DTS: base + f.dts, AU: f.au, Arrived: start.Add(time.Duration(base+f.dts) * time.Second / 90000)}
			u.Key = tracks[0].IsKey(f.au)
			if f.audio {
				rate := int64(tracks[1].ClockRate)
				u.Track, u.PTS, u.DTS, u.Key = 2, u.PTS*rate/90000, u.DTS*rate/90000, true
			}
			units = append(units, u)
		}
		base += one.clip.length
	}
	before := len(s.segments())
	st := ingest.NewStream(s.src, inst, tracks)
	rec := &ingest.Recorder{Store: s.store, Spool: s.spool, SegmentSeconds: seconds}
	done := make(chan error, 1)
	go func() { done <- rec.Run(context.Background(), st) }()
	until(s.t, "the recorder reads", 5*time.Second, func() bool { return st.Readers() == 1 })
	for _, u := range units {
		st.Write(u)
	}
	st.Close()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
	for _, g := range s.segments()[before:] {
		name, _ := fileOf(s.t, s.spool, g)
		s.shown = append(s.shown, hashes(s.t, name))
	}
	return start.Add(time.Duration(base) * time.Second / 90000)
}

// tell moves the parameter sets of an access unit into the track.
func tell(track *ingest.Track, au [][]byte) [][]byte {
	return slices.DeleteFunc(slices.Clone(au), func(n []byte) bool {
		switch n[0] & 0x1f {
		case 7:
			track.SPS = n
		case 8:
			track.PPS = n
		default:
			return false
		}
		return true
	})
}

func (s *shelf) segments() []ward.Segment {
	s.t.Helper()
	all, err := s.store.SegmentsBetween(s.t.Context(), s.src, time.Unix(1, 0), time.Now().Add(24*time.Hour))
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// pictures are the hashes of everything that was recorded.
func (s *shelf) pictures() []string { return slices.Concat(s.shown...) }

// serve serves the playlist of a stretch for a player that shows these codings, and its pieces.
func (s *shelf) serve(from, to time.Time, shows ...ward.Codec) string {
	s.t.Helper()
	h := http.NewServeMux()
	h.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><title>play</title>"))
	})
	h.HandleFunc("GET /playback.m3u8", func(w http.ResponseWriter, r *http.Request) {
		p, err := s.lib.Playback(r.Context(), inst, s.src, from, to, time.Now(), shows...)
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.apple.mpegurl")
		_, _ = w.Write(p.Playlist)
	})
	h.HandleFunc("GET /playback/{file}", func(w http.ResponseWriter, r *http.Request) {
		p, err := s.lib.Piece(r.Context(), inst, s.src, r.PathValue("file"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		defer p.Close()
		w.Header().Set("Content-Length", strconv.FormatInt(p.Size, 10))
		if n, err := p.WriteTo(w); err != nil || n != p.Size {
			s.t.Errorf("piece %s: %d of %d bytes, %v", r.PathValue("file"), n, p.Size, err)
		}
	})
	srv := httptest.NewServer(h)
	s.t.Cleanup(srv.Close)
	return srv.URL + "/playback.m3u8"
}

// hashes decodes the pictures of a file or address with ffmpeg, which must
// not complain, and returns a hash of each.
func hashes(t testing.TB, input string) []string {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", input, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg complains about %s: %v: %s", input, err, &stderr)
	}
	var all []string
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, strings.TrimSpace(line[strings.LastIndex(line, ",")+1:]))
		}
	}
	return all
}

// soundOK decodes the sound, which ffmpeg must do without complaint, and returns how long it is.
func soundOK(t testing.TB, input string) float64 {
	t.Helper()
	cmd := exec.Command("ffmpeg", "-v", "error", "-i", input, "-map", "0:a", "-f", "s16le", "-ac", "1", "-ar", "8000", "-")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg complains about the sound of %s: %v: %s", input, err, &stderr)
	}
	return float64(len(out)) / 16000
}

func talkingClip(t testing.TB, size string, seconds int, more ...string) *clip {
	t.Helper()
	args := []string{"-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=25", "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", strconv.Itoa(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac"}
	return makeClip(t, append(args, more...)...)
}

func playlistOf(t testing.TB, s *shelf, from, to time.Time, shows ...ward.Codec) ingest.Playback {
	t.Helper()
	p, err := s.lib.Playback(t.Context(), inst, s.src, from, to, time.Now(), shows...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var extinf = regexp.MustCompile(`#EXTINF:([0-9.]+),`)

func lengthOf(t testing.TB, playlist []byte) (pieces int, seconds float64) {
	t.Helper()
	for _, m := range extinf.FindAllSubmatch(playlist, -1) {
		d, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		pieces++
		seconds += d
	}
	return pieces, seconds
}

// TestPlaybackShowsEveryPictureOverGapsAndNewParameters plays recordings of
// several files, with a gap, new parameters within a connection and pictures
// out of order, by ffmpeg: every picture is shown, in order, and nothing is
// complained about.
func TestPlaybackShowsEveryPictureOverGapsAndNewParameters(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	start := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	small := session{codec: ward.H264, clip: talkingClip(t, "320x240", 12)}
	end := s.record(start, 5, small)
	large := session{codec: ward.H264, clip: talkingClip(t, "640x360", 8, "-bf", "2")}
	last := s.record(end.Add(3*time.Second), 5, small, large)
	segs := s.segments()
	for _, g := range segs {
		if g.Start.Equal(end.Add(15 * time.Second)) {
			e := ward.RecordingEvent{Source: s.src, InstitutionID: inst, At: g.Start, Kind: ward.ParamsChanged}
			if err := s.store.AddRecordingEvent(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := playlistOf(t, s, start, last)
	text := string(p.Playlist)
	if !p.Ended || p.Video != ward.H264 || !strings.Contains(text, "#EXT-X-ENDLIST") || !strings.Contains(text, "PLAYLIST-TYPE:VOD") {
		t.Errorf("the playlist is not over:\n%s", text)
	}
	if n := strings.Count(text, "#EXT-X-DISCONTINUITY\n"); n != 2 {
		t.Errorf("%d discontinuities, want one at the gap and one at the new parameters:\n%s", n, text)
	}
	if n := strings.Count(text, "#EXT-X-MAP:"); n != len(segs) {
		t.Errorf("%d maps of %d recordings", n, len(segs))
	}
	for _, date := range []time.Time{start, end.Add(3 * time.Second)} {
		if !strings.Contains(text, "#EXT-X-PROGRAM-DATE-TIME:"+date.Format("2006-01-02T15:04:05.000Z")) {
			t.Errorf("the stretch from %s is not dated:\n%s", date, text)
		}
	}
	pieces, seconds := lengthOf(t, p.Playlist)
	if want := last.Sub(start).Seconds() - 3; seconds < want-.1 || seconds > want+.1 || pieces < 8 {
		t.Errorf("%d pieces of %.3f s in all, want %.3f", pieces, seconds, want)
	}
	url := s.serve(start, last)
	// ffmpeg scales what comes after the new parameters to the size before: its hashes differ.
	if got, want := hashes(t, url), s.pictures(); len(got) != len(want) || !slices.Equal(got[:600], want[:600]) {
		t.Errorf("%d pictures are shown of %d, or others", len(got), len(want))
	}
	changed := end.Add(15 * time.Second)
	if got, want := hashes(t, s.serve(changed, last)), s.pictures()[600:]; !slices.Equal(got, want) {
		t.Errorf("with the new parameters %d pictures are shown of %d, or others", len(got), len(want))
	}
	if d := soundOK(t, url); d < seconds-1 {
		t.Errorf("%.1f s of sound in %.1f s", d, seconds)
	}
	// A part begins with the piece that shows its beginning.
	from := start.Add(7 * time.Second)
	part := playlistOf(t, s, from, from.Add(4*time.Second))
	if n, d := lengthOf(t, part.Playlist); n > 3 || d < 4 {
		t.Errorf("%d pieces of %.1f s for 4 s:\n%s", n, d, part.Playlist)
	}
	if !bytes.Contains(part.Playlist, []byte("#EXT-X-START:TIME-OFFSET=")) {
		t.Errorf("no place to begin:\n%s", part.Playlist)
	}
}

// TestPlaybackGrowsWithTheFileBeingWritten follows a live camera.
func TestPlaybackGrowsWithTheFileBeingWritten(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	addCamera(t, r.store, camera("cam-1", serve(t, h264Clip(t)).url))
	s := &shelf{t: t, store: r.store, spool: r.spool, src: src("cam-1")}
	s.lib = &ingest.Library{Store: r.store, Spool: r.spool, Objects: newObjects(t)}
	from := time.Now()
	var first ingest.Playback
	until(t, "the file being written is played", 20*time.Second, func() bool {
		p, err := s.lib.Playback(t.Context(), inst, s.src, from, time.Time{}, time.Now())
		first = p
		return err == nil
	})
	if first.Ended || bytes.Contains(first.Playlist, []byte("ENDLIST")) || !bytes.Contains(first.Playlist, []byte("PLAYLIST-TYPE:EVENT")) {
		t.Errorf("not a playlist that grows:\n%s", first.Playlist)
	}
	entries := func(p ingest.Playback) []string {
		return slices.DeleteFunc(strings.Split(string(p.Playlist), "\n"), func(l string) bool { return !strings.HasPrefix(l, "playback/") })
	}
	until(t, "it grows over the end of a file", 30*time.Second, func() bool {
		p := playlistOf(t, s, from, time.Time{})
		if was := entries(first); !slices.Equal(was, entries(p)[:len(was)]) {
			t.Fatalf("the beginning changed:\n%s\nwas\n%s", p.Playlist, first.Playlist)
		}
		return strings.Count(string(p.Playlist), "EXT-X-MAP") >= 3
	})
	if got := hashes(t, s.serve(from, time.Now())); len(got) < 25*4 {
		t.Errorf("%d pictures", len(got))
	}
	if _, err := s.lib.Playback(t.Context(), "hospital-2", s.src, from, time.Time{}, time.Now()); ward.KindOf(err) != ward.NotFound {
		t.Errorf("another institution plays it: %v", err)
	}
	for _, name := range entries(first) {
		if p, err := s.lib.Piece(t.Context(), "hospital-2", s.src, strings.TrimPrefix(name, "playback/")); ward.KindOf(err) != ward.NotFound {
			t.Errorf("another institution reads %s: %v, %v", name, p, err)
		}
	}
}

// TestClipIsExactToThePicture cuts at every kind of moment and compares the
// pictures that ffmpeg shows with those that were recorded.
func TestClipIsExactToThePicture(t *testing.T) {
	t.Parallel()
	for name, more := range map[string][]string{"in order": nil, "reordered": {"-bf", "2"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			start := time.Now().Add(-time.Minute).UTC().Truncate(time.Microsecond)
			s.record(start, 5, session{codec: ward.H264, clip: talkingClip(t, "320x240", 12, more...)})
			all := s.pictures()
			walls := s.walls(t, len(all))
			for _, c := range []struct{ first, last int }{{0, 10}, {7, 30}, {49, 50}, {50, 51}, {60, 61}, {33, 260}, {120, 130}, {99, 299}} {
				file, info := s.clip(t, walls[c.first], walls[c.last])
				if !info.From.Equal(walls[c.first]) || info.To.Sub(walls[c.last]).Abs() > time.Millisecond {
					t.Errorf("%d to %d: the clip says %s to %s, want %s to %s", c.first, c.last, info.From, info.To, walls[c.first], walls[c.last])
				}
				if got, want := hashes(t, file), all[c.first:c.last]; !slices.Equal(got, want) {
					t.Errorf("%d to %d: %d pictures are shown, want %d, or others; the first is %d", c.first, c.last, len(got), len(want), slices.Index(all, got[0]))
				}
				want := walls[c.last].Sub(walls[c.first]).Seconds()
				if d := soundOK(t, file); d < want-.03 || d > want+.03 {
					t.Errorf("%d to %d: %.3f s of sound, want %.3f", c.first, c.last, d, want)
				}
				// Within a picture and told in milliseconds: the picture on screen is the first.
				file, _ = s.clip(t, walls[c.first].Add(17*time.Millisecond), walls[c.last].Truncate(time.Millisecond))
				if got := hashes(t, file); len(got) != c.last-c.first || got[0] != all[c.first] {
					t.Errorf("%d to %d, from within: %d pictures", c.first, c.last, len(got))
				}
			}
		})
	}
}

// walls steps through the recording picture by picture.
func (s *shelf) walls(t testing.TB, n int) []time.Time {
	t.Helper()
	at, err := s.lib.Frame(t.Context(), inst, s.src, s.segments()[0].Start, 0)
	if err != nil { // the first picture is shown a little after it came
		at, err = s.lib.Frame(t.Context(), inst, s.src, s.segments()[0].Start, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	walls := []time.Time{at}
	for len(walls) < n {
		if at, err = s.lib.Frame(t.Context(), inst, s.src, at, 1); err != nil {
			t.Fatalf("after %d pictures: %v", len(walls), err)
		}
		if !at.After(walls[len(walls)-1]) {
			t.Fatalf("picture %d is shown at %s, the one before at %s", len(walls), at, walls[len(walls)-1])
		}
		back, err := s.lib.Frame(t.Context(), inst, s.src, at, -1)
		if err != nil || !back.Equal(walls[len(walls)-1]) {
			t.Fatalf("back from picture %d: %s, %v, want %s", len(walls), back, err, walls[len(walls)-1])
		}
		walls = append(walls, at)
	}
	if _, err := s.lib.Frame(t.Context(), inst, s.src, at, 1); ward.KindOf(err) != ward.NotFound {
		t.Errorf("after the last picture: %v", err)
	}
	return walls
}

func (s *shelf) clip(t testing.TB, from, to time.Time) (string, ingest.ClipInfo) {
	t.Helper()
	var b bytes.Buffer
	info, err := s.lib.Clip(t.Context(), &b, inst, s.src, from, to)
	if err != nil {
		t.Fatal(err)
	}
	return writeTemp(t, fmt.Sprintf("clip-%d.mp4", from.UnixNano()), b.Bytes()), info
}

// TestClipKeepsNewParameters: what was recorded after the camera's
// parameters changed is in the clip, with a sample description of its own.
func TestClipKeepsNewParameters(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	start := time.Now().Add(-time.Minute).UTC()
	end := s.record(start, 60, session{codec: ward.H264, clip: talkingClip(t, "320x240", 4)}, session{codec: ward.H264, clip: talkingClip(t, "640x360", 4)})
	file, info := s.clip(t, start.Add(2*time.Second), end.Add(-2*time.Second))
	if len(info.Segments) != 2 || !info.Complete {
		t.Errorf("got %+v", info)
	}
	if n := bytes.Count(readAll(t, file), []byte("avcC")); n != 2 {
		t.Errorf("%d sample descriptions, want 2", n)
	}
	got := hashes(t, file)
	want := append(slices.Clone(s.shown[0][50:]), s.shown[1][:50]...)
	if len(got) != len(want) || got[0] != want[0] || !slices.Equal(got[:50], want[:50]) {
		t.Errorf("%d pictures, want %d", len(got), len(want))
	}
}

func writeTemp(t testing.TB, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func readAll(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
