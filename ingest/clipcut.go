package ingest

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"

	"wardwatch/ward"
)

// pictureSlack is how much of a picture's time may be lost where times are
// told in milliseconds: a moment that is less than this before a picture
// means that picture.
const pictureSlack = time.Millisecond

// picture is a picture of a recording and when it is shown.
type picture struct {
	sample

	wall time.Time
}

func (p picture) shown() int64 { return p.dts + int64(p.cts) }

// pictures returns the pictures of an index in the order of decoding.
func (x *index) pictures(v indexedTrack, c mediaClock) []picture {
	var all []picture
	for _, p := range x.parts {
		for _, r := range p.runs {
			if r.track != v.id {
				continue
			}
			for _, s := range r.samples {
				all = append(all, picture{s, c.wall(v, s.dts+int64(s.cts))})
			}
		}
	}
	return all
}

// cut says which pictures a clip shows of a recording.
type cut struct {
	pictures    []picture // from the key frame that the first one needs, as far as the last one, in the order of decoding
	first, last picture   // as they are shown
}

// cutOf cuts [from, to): from the picture on screen at from, or the first one
// after it, until the last one before to. ok is false when there is none.
func cutOf(all []picture, from, to time.Time) (c cut, ok bool) {
	key := slices.IndexFunc(all, func(p picture) bool { return p.key })
	if key < 0 {
		return c, false
	}
	all = all[key:]
	from, to = from.Add(pictureSlack), to.Add(-pictureSlack)
	if first, ok := shownAt(all, from); ok {
		c.first = first
	} else if c.first, ok = nextShown(all, math.MinInt64); !ok {
		return c, false
	}
	if !c.first.wall.Before(to) {
		return c, false
	}
	if c.last, ok = shownAt(all, to.Add(-1)); !ok {
		return c, false
	}
	begin, end := 0, 0
	for i, p := range all {
		if p.key && p.shown() <= c.first.shown() {
			begin = i
		}
		if p.shown() >= c.first.shown() && p.shown() <= c.last.shown() {
			end = i + 1
		}
	}
	c.pictures = all[begin:end]
	return c, true
}

// shownAt returns the picture on screen at a moment: the latest one that is not after it.
func shownAt(all []picture, at time.Time) (p picture, ok bool) {
	for _, q := range all {
		if !q.wall.After(at) && (!ok || q.shown() >= p.shown()) {
			p, ok = q, true
		}
	}
	return p, ok
}

// nextShown returns the picture that is shown next after media time t.
func nextShown(all []picture, t int64) (p picture, ok bool) {
	for _, q := range all {
		if q.shown() > t && (!ok || q.shown() < p.shown()) {
			p, ok = q, true
		}
	}
	return p, ok
}

// clip gathers the samples of several recordings into one time line.
type clip struct {
	codec     ward.Codec
	video     clipTrack
	audio     clipTrack
	stretches []Stretch
	given     []Stretch // of them, what the device gave afterwards
	begin     int64     // media time of the first picture that is shown, in the video's ticks
	end       int64     // and when the last one ends
}

// add appends what rec holds of [from, to) and says whether that was
// anything. Pictures of another coding than the clip's cannot follow in the
// same track and are left out.
func (c *clip) add(x *index, rec *recording, from, to time.Time) bool {
	v, ok := x.video()
	if !ok || !c.video.takes(v) {
		return false
	}
	clock := rec.clock()
	shown, ok := cutOf(x.pictures(v, clock), from, to)
	if !ok || stale(shown, v, clock, from) {
		return false
	}
	base, origin := c.video.end, shown.pictures[0].dts // this recording's place in the clip
	heard := origin                                    // sound goes on while the last reordered pictures of the recording before are shown
	if len(c.video.samples) == 0 {
		c.codec = x.header.Codec
		c.begin, heard = shown.first.shown()-origin, shown.first.shown()
	}
	c.video.adopt(v)
	for _, p := range shown.pictures {
		c.video.add(rec, p.sample)
	}
	stop := shown.last.shown() + int64(shown.last.duration)
	c.end = base + stop - origin
	have := Stretch{From: shown.first.wall, To: clock.wall(v, stop)}
	if c.stretches = append(c.stretches, have); rec.given() {
		c.given = append(c.given, have)
	}
	for _, t := range x.tracks {
		if !t.video && t.playable() && c.audio.takes(t) {
			c.sound(x, rec, t, soundCut{v: v, from: heard, to: stop, origin: origin, base: base})
		}
	}
	return true
}

// stale says whether all that would be shown is a picture from before a
// recording's end that is long over: it was on screen, but nothing came
// after it.
func stale(shown cut, v indexedTrack, clock mediaClock, from time.Time) bool {
	return !clock.wall(v, shown.last.shown()+int64(shown.last.duration)).After(from)
}

// soundCut says which sound belongs to a cut, in the video's ticks.
type soundCut struct {
	v            indexedTrack
	from, to     int64 // of the recording
	origin, base int64 // media time origin of the recording is base in the clip
}

// sound appends the sound of [from, to) and, at the clip's beginning, the
// frame before it, without which a decoder cannot begin cleanly.
func (c *clip) sound(x *index, rec *recording, t indexedTrack, cut soundCut) {
	ticks := func(n int64) int64 { return n * int64(t.timescale) / int64(cut.v.timescale) }
	var all []sample
	for _, p := range x.parts {
		for _, r := range p.runs {
			if r.track == t.id {
				all = append(all, r.samples...)
			}
		}
	}
	begin := slices.IndexFunc(all, func(s sample) bool { return s.dts+int64(s.duration) > ticks(cut.from) })
	if begin < 0 {
		return
	}
	if begin > 0 && len(c.audio.samples) == 0 {
		begin--
	}
	c.audio.adopt(t)
	for _, s := range all[begin:] {
		if s.dts >= ticks(cut.to) {
			break
		}
		c.audio.at = append(c.audio.at, ticks(cut.base-cut.origin)+s.dts)
		c.audio.add(rec, s)
	}
}

// clipTrack is a track of a clip.
type clipTrack struct {
	indexedTrack

	entries [][]byte // the sample entries, each once
	entry   int      // the one of the samples that are added now
	samples []clipSample
	at      []int64 // where each sample begins, audio only
	end     int64   // of the samples so far
	bytes   int64
}

type clipSample struct {
	sample

	entry int // from 0
	rec   *recording
	sets  []byte // parameter sets to be put in front; see clip.repeatSets
}

// takes says whether samples of t may follow in the track.
func (t *clipTrack) takes(other indexedTrack) bool {
	return t.format == "" || t.format == other.format && t.timescale == other.timescale
}

// adopt makes t's sample entry the one of what follows.
func (t *clipTrack) adopt(other indexedTrack) {
	if t.format == "" {
		t.indexedTrack = other
	}
	t.entry = slices.IndexFunc(t.entries, func(e []byte) bool { return bytes.Equal(e, other.entry) })
	if t.entry < 0 {
		t.entry = len(t.entries)
		t.entries = append(t.entries, other.entry)
	}
}

func (t *clipTrack) add(rec *recording, s sample) {
	t.end += int64(s.duration)
	t.bytes += int64(s.size)
	t.samples = append(t.samples, clipSample{sample: s, entry: t.entry, rec: rec})
}

// space makes each sound last until the next one begins.
func (t *clipTrack) space() {
	if len(t.samples) == 0 {
		return
	}
	for i := range t.samples[1:] {
		t.samples[i].duration = clampU32(max(t.at[i+1]-t.at[i], 1))
	}
}

// repeatSets puts the parameter sets of its description in front of each key
// frame that does not bring them, when the clip has several descriptions:
// Chromium takes the sets of the first description only and would decode what
// follows the change with them (seen with version 156). The pictures
// themselves stay as they were recorded.
func (c *clip) repeatSets() error {
	track := Track{Codec: c.codec}
	if len(c.video.entries) < 2 || c.codec != ward.H264 && c.codec != ward.H265 {
		return nil
	}
	for i := range c.video.samples {
		s := &c.video.samples[i]
		if !s.key {
			continue
		}
		own, err := bringsSets(track, s)
		if err != nil {
			return err
		}
		if own {
			continue
		}
		for _, n := range (indexedTrack{entry: c.video.entries[s.entry]}).parameterSets() {
			s.sets = append(append(s.sets, numbers(int64(len(n)))...), n...)
		}
		s.size += uint32(len(s.sets)) //nolint:gosec // a few dozen bytes
	}
	return nil
}

// bringsSets says whether a picture has its sequence's parameters in front.
func bringsSets(track Track, s *clipSample) (bool, error) {
	var head [5]byte // the length of a NAL unit and the first byte of it
	for at := int64(0); at+5 <= int64(s.size); {
		if _, err := s.rec.ReadAt(head[:], s.offset+at); err != nil {
			return false, fmt.Errorf("write clip: %w", err)
		}
		if track.nalu(head[4:]) == naluSPS {
			return true, nil
		}
		at += 4 + int64(be32(head[:]))
	}
	return false, nil
}
