package ingest_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"wardwatch/ward"
)

// give commits a copy of a recording as if the device had stored it at start
// and gave it now.
func (s *shelf) give(of ward.Segment, start time.Time) ward.Segment {
	s.t.Helper()
	name, _ := fileOf(s.t, s.spool, of)
	body, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	g := of
	g.ID, g.Seq, g.Key, g.Origin = ward.NewID[ward.SegmentID](start), 0, "", ward.FromDevice
	g.Start, g.End = start, start.Add(of.End.Sub(of.Start))
	if g, err = s.store.CommitSegment(s.t.Context(), g); err != nil {
		s.t.Fatal(err)
	}
	f, err := s.spool.Create(g.Source, g.Start, g.Seq)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.Write(body); err != nil {
		s.t.Fatal(err)
	}
	if _, err := f.Finish(); err != nil {
		s.t.Fatal(err)
	}
	return g
}

// TestAGrowingPlaylistIsOnlyAddedTo: what a device gives for a gap is not put
// into the list that a player has, also when that one ends; who begins then sees it.
func TestAGrowingPlaylistIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	start := time.Now().Add(-2 * time.Minute).UTC().Truncate(time.Millisecond)
	gap := s.record(start, 60, session{codec: ward.H264, clip: talkingClip(t, "320x240", 4)})
	end := s.record(gap.Add(6*time.Second), 60, session{codec: ward.H264, clip: talkingClip(t, "320x240", 4)})
	begun := time.Now()
	until := begun.Add(20 * time.Second)
	entries := func(from, to, now time.Time) string {
		t.Helper()
		p, err := s.lib.Playback(t.Context(), inst, s.src, from, to, now)
		if err != nil {
			t.Fatal(err)
		}
		_, list, _ := strings.Cut(string(p.Playlist), "#EXT-X-WARDWATCH-CODEC")
		return list
	}
	before, ending := entries(start, time.Time{}, begun), entries(start, until, begun)
	s.give(s.segments()[0], gap.Add(time.Second))
	s.record(end.Add(time.Second), 60, session{codec: ward.H264, clip: talkingClip(t, "320x240", 4)})
	after := entries(start, time.Time{}, time.Now())
	if !strings.HasPrefix(after, before) || len(after) == len(before) {
		t.Errorf("a growing list was\n%s\nand is\n%s", before, after)
	}
	if over := entries(start, until, until.Add(time.Second)); !strings.HasPrefix(over, ending) || !strings.Contains(over, "ENDLIST") {
		t.Errorf("a growing list was\n%s\nand ends as\n%s", ending, over)
	}
	fresh := entries(start.Add(-time.Millisecond), time.Time{}, time.Now())
	if strings.Count(fresh, "EXT-X-MAP") != 4 || !strings.Contains(fresh, "ISCONTINUITY") {
		t.Errorf("who begins now sees\n%s", fresh)
	}
	if late := entries(start, time.Time{}, begun.Add(time.Hour)); strings.Count(late, "EXT-X-MAP") != 4 {
		t.Errorf("an hour later one sees\n%s", late)
	}
	if shown := hashes(t, s.serve(start, end.Add(time.Minute))); len(shown) != 400 {
		t.Errorf("ffmpeg shows %d pictures of 400", len(shown))
	}
}

// TestAClipSaysWhatTheDeviceGave: of a clip over a gap that was filled.
func TestAClipSaysWhatTheDeviceGave(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	start := time.Now().Add(-2 * time.Minute).UTC().Truncate(time.Millisecond)
	gap := s.record(start, 60, session{codec: ward.H264, clip: talkingClip(t, "320x240", 4)})
	end := s.record(gap.Add(6*time.Second), 60, session{codec: ward.H264, clip: talkingClip(t, "320x240", 4)})
	g := s.give(s.segments()[0], gap.Add(time.Second))
	for _, c := range []struct {
		from, to time.Time
		want     time.Duration
	}{
		{start, end, 4 * time.Second},
		{start, g.Start.Add(time.Second), time.Second},
		{start, start.Add(3 * time.Second), 0},
	} {
		var b bytes.Buffer
		info, err := s.lib.Clip(t.Context(), &b, inst, s.src, c.from, c.to)
		if off := info.Filled - c.want; err != nil || off.Abs() > 50*time.Millisecond {
			t.Errorf("%s to %s: %s filled, want %s, %v", c.from, c.to, info.Filled, c.want, err)
		}
	}
}
