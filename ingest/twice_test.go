package ingest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"wardwatch/ward"
)

// TestAClockThatWasSetHidesNothing records, sets the server's clock by an
// hour and records on: everything plays in the order of recording, is in the
// clip, and the time that is there twice is told.
func TestAClockThatWasSetHidesNothing(t *testing.T) {
	t.Parallel()
	film := makeClip(t, "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-bf", "0", "-pix_fmt", "yuv420p")
	for name, c := range map[string]struct {
		set   time.Duration // between the two recordings of 4 s each
		twice time.Duration // what is there twice
	}{
		"back by an hour":    {-time.Hour, 0},
		"back by 5.5 s":      {-5500 * time.Millisecond, 2500 * time.Millisecond},
		"back by 3.9 s":      {-3900 * time.Millisecond, 3900 * time.Millisecond},
		"forward by an hour": {time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShelf(t)
			begin := time.Now().Add(-3 * time.Hour).Truncate(time.Second).UTC()
			end := s.record(begin, 2, session{codec: ward.H264, clip: film})
			again := s.record(end.Add(c.set), 2, session{codec: ward.H264, clip: film})
			first, last := begin, again
			if end.Add(c.set).Before(begin) {
				first = end.Add(c.set)
			}
			if end.After(again) {
				last = end
			}
			want := s.pictures()
			if got := s.piecewise(first, last); !slices.Equal(got, want) {
				t.Errorf("%d pictures are played, want %d in the order of recording", len(got), len(want))
			}
			// ffmpeg reads all as one file, and of that it leaves out the first
			// group of pictures after decode times went back.
			if got := hashes(t, s.serve(first, last)); c.set > 0 && !slices.Equal(got, want) || len(got) < len(want)-10 {
				t.Errorf("ffmpeg shows %d pictures, want %d", len(got), len(want))
			}
			tl, err := s.lib.Timeline(t.Context(), inst, s.src, first, last)
			if err != nil {
				t.Fatal(err)
			}
			var twice time.Duration
			for _, o := range tl.Overlaps {
				twice += o.To.Sub(o.From)
			}
			if len(tl.Segments) != len(s.segments()) || twice != c.twice || tl.Recorded != 8*time.Second-twice {
				t.Errorf("%d rows, %s recorded, twice: %v, want %s", len(tl.Segments), tl.Recorded, tl.Overlaps, c.twice)
			}
			if c.set.Abs() > time.Minute { // the longest clip is ten
				for _, at := range []time.Time{begin, end.Add(c.set)} {
					if _, err := s.lib.KeyFrameBefore(t.Context(), inst, s.src, at.Add(time.Second)); err != nil {
						t.Error(err)
					}
				}
				return
			}
			file := filepath.Join(t.TempDir(), "clip.mp4")
			f, err := os.Create(file)
			if err != nil {
				t.Fatal(err)
			}
			info, err := s.lib.Clip(t.Context(), f, inst, s.src, first, last)
			if err != nil || f.Close() != nil {
				t.Fatal(err)
			}
			if got := hashes(t, file); !slices.Equal(got, want) || !info.Overlap || !info.Complete || !info.From.Equal(first) || !info.To.Equal(last) {
				t.Errorf("the clip shows %d pictures, want %d: %+v", len(got), len(want), info)
			}
			// A step from one picture to the next stays in what was recorded last.
			at := end.Add(c.set).Add(500 * time.Millisecond)
			for step := range 20 {
				got, err := s.lib.Frame(t.Context(), inst, s.src, at, step)
				if err != nil || !got.Equal(at.Add(time.Duration(step)*100*time.Millisecond)) {
					t.Errorf("%d pictures on from %s is %s, %v", step, at, got, err)
				}
			}
		})
	}
}

var played = regexp.MustCompile(`(?m)^#EXT-X-MAP:URI="playback/(.*)"$|^playback/(.*)$`)

// piecewise decodes what a playlist plays as a player does that begins anew
// with each map, and returns a hash of each picture.
func (s *shelf) piecewise(from, to time.Time) []string {
	s.t.Helper()
	var all []string
	var init bytes.Buffer
	for _, m := range played.FindAllStringSubmatch(string(playlistOf(s.t, s, from, to).Playlist), -1) {
		p, err := s.lib.Piece(s.t.Context(), inst, s.src, m[1]+m[2])
		if err != nil {
			s.t.Fatal(err)
		}
		if m[1] != "" {
			init.Reset()
		}
		file := bytes.NewBuffer(bytes.Clone(init.Bytes()))
		if m[1] != "" {
			file = &init
		}
		if _, err := p.WriteTo(file); err != nil || p.Close() != nil {
			s.t.Fatal(err)
		}
		if m[1] != "" {
			continue
		}
		name := filepath.Join(s.t.TempDir(), "piece.mp4")
		if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, hashes(s.t, name)...)
	}
	return all
}
