package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/pmp4"

	"wardwatch/ward"
)

// MaxClip is the longest clip.
const MaxClip = 10 * time.Minute

// maxClipBytes bounds a clip: an MP4 with 32-bit offsets holds 4 GB.
const maxClipBytes = 1 << 30

// maxHole is how much two recordings may be apart and still count as one
// stretch: the jitter of arrival.
const maxHole = 200 * time.Millisecond

// ClipInfo says what is in a clip.
type ClipInfo struct {
	From     time.Time // of the first picture: at or before the wanted beginning where that is recorded
	To       time.Time // end of the last picture
	Complete bool      // nothing is missing between the wanted beginning and end
	Missing  []Stretch // what is not in the clip, within the wanted stretch
	Segments []ward.SegmentID
	Codec    ward.Codec
}

// Stretch is a time without recording. Cause is empty where it is not known
// (yet): the future, or what was recorded last and is not on the disk.
type Stretch struct {
	From, To time.Time
	Cause    ward.Cause
}

// Clip writes a progressive MP4 (moov first, seekable) of what was recorded
// of src, while it was inst's, from the key frame at or before from until to. Nothing is coded
// again. Stretches that are missing are left out, so that the pictures
// around them follow each other; ClipInfo lists them. When to is in the
// future the clip ends with what is on the disk.
//
// Errors: ward.Invalid "clip.too_long" or "clip.range"; ward.NotFound
// "clip.nothing" when nothing of the stretch is recorded. Before the first
// byte is written every error is returned without having written.
func (l *Library) Clip(ctx context.Context, w io.Writer, inst ward.InstitutionID, src ward.Source, from, to time.Time) (ClipInfo, error) {
	info := ClipInfo{}
	switch {
	case !from.Before(to):
		return info, &ward.Error{Kind: ward.Invalid, Code: "clip.range", ZH: "片段的结束时间应晚于开始时间。", EN: "A clip must end after it begins."}
	case to.Sub(from) > MaxClip:
		return info, tooLong()
	}
	recs, err := l.find(ctx, inst, src, from, to)
	if err != nil {
		return info, fmt.Errorf("clip of %s: %w", src, err)
	}
	defer closeAll(recs)
	var c clip
	for _, rec := range recs {
		x, ok, err := rec.index(inst)
		if err != nil {
			return info, fmt.Errorf("clip of %s: %w", src, err)
		}
		if ok && c.add(x, rec, from, to) && rec.segment.ID != "" {
			info.Segments = append(info.Segments, rec.segment.ID)
		}
	}
	if len(c.video.samples) == 0 {
		return info, &ward.Error{Kind: ward.NotFound, Code: "clip.nothing", ZH: "这段时间没有录像。", EN: "Nothing was recorded at that time."}
	}
	if c.video.bytes+c.audio.bytes > maxClipBytes {
		return info, tooLong()
	}
	gaps, err := l.gaps(ctx, inst, src, from, to)
	if err != nil {
		return info, fmt.Errorf("clip of %s: %w", src, err)
	}
	info.From, info.To, info.Codec = c.stretches[0].From, c.stretches[len(c.stretches)-1].To, c.codec
	info.Missing = missingOf(c.stretches, gaps, from, to)
	info.Complete = len(info.Missing) == 0
	return info, c.write(w)
}

func tooLong() error {
	return &ward.Error{Kind: ward.Invalid, Code: "clip.too_long", ZH: "片段最长 10 分钟、最大 1 GB，请分段下载。", EN: "A clip is at most 10 minutes long and 1 GB large; take it in parts."}
}

// missingOf returns what is not covered, with the causes of the gaps there.
func missingOf(have []Stretch, gaps []ward.Gap, from, to time.Time) []Stretch {
	var missing []Stretch
	at := from
	for _, h := range append(have, Stretch{From: to, To: to}) {
		if h.From.Sub(at) > maxHole {
			missing = append(missing, Stretch{From: at, To: h.From})
		}
		if h.To.After(at) {
			at = h.To
		}
	}
	for i, m := range missing {
		for _, g := range gaps {
			if g.From.Before(m.To) && (g.To.IsZero() || g.To.After(m.From)) {
				missing[i].Cause = g.Cause
			}
		}
	}
	for _, g := range gaps {
		if g.Cause == ward.CauseLoss || g.Cause == ward.CauseSlow { // inside a recording
			missing = append(missing, Stretch{From: later(g.From, from), To: earlier(g.To, to), Cause: g.Cause})
		}
	}
	return missing
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// clip gathers the samples of several recordings into one timeline.
type clip struct {
	codec     ward.Codec
	video     clipTrack
	audio     clipTrack
	stretches []Stretch
}

type clipTrack struct {
	codec   mp4.Codec
	scale   uint32
	samples []*pmp4.Sample
	at      []int64 // where each sample begins, audio only
	end     int64   // of the samples so far, in scale
	bytes   int64
}

// add appends what rec holds of [from, to) and says whether that was
// anything. Recordings whose pictures are coded with other parameters than
// the clip's cannot follow in the same track and are left out.
func (c *clip) add(x *index, rec io.ReaderAt, from, to time.Time) bool {
	v, ok := x.video()
	if !ok || c.video.codec != nil && (!reflect.DeepEqual(c.video.codec, v.codec) || c.video.scale != v.timescale) {
		return false
	}
	pictures, walls := x.pictures(v, from, to)
	if len(pictures) == 0 {
		return false
	}
	c.codec, c.video.codec, c.video.scale = x.header.Codec, v.codec, v.timescale
	begin, offset := pictures[0].dts, c.video.end
	for _, s := range pictures {
		c.video.add(rec, s)
	}
	last := pictures[len(pictures)-1]
	stop := last.dts + int64(last.duration)
	c.stretches = append(c.stretches, Stretch{From: walls[0], To: walls[len(walls)-1].Add(v.span(int64(last.duration)))})
	for _, t := range x.tracks {
		if t.codec.IsVideo() || !playable(t.codec) || c.audio.codec != nil && (!reflect.DeepEqual(c.audio.codec, t.codec) || c.audio.scale != t.timescale) {
			continue
		}
		c.audio.codec, c.audio.scale = t.codec, t.timescale
		to := func(ticks int64) int64 { return ticks * int64(t.timescale) / int64(v.timescale) }
		for _, p := range x.parts {
			for _, r := range p.runs {
				for _, s := range r.samples {
					if r.track == t.id && s.dts >= to(begin) && s.dts < to(stop) {
						c.audio.at = append(c.audio.at, s.dts-to(begin)+to(offset))
						c.audio.add(rec, s)
					}
				}
			}
		}
	}
	return true
}

// playable says whether browsers play a sound track of an MP4 file: linear
// samples would stop them from playing the pictures.
func playable(c mp4.Codec) bool {
	switch c.(type) {
	case *mp4.CodecMPEG4Audio, *mp4.CodecOpus:
		return true
	}
	return false
}

// pictures returns the samples of the video in [from, to), with their times,
// beginning with the key frame at or before from, else with the first after it.
func (x *index) pictures(v indexedTrack, from, to time.Time) (all []sample, walls []time.Time) {
	for _, p := range x.parts {
		for _, r := range p.runs {
			for _, s := range r.samples {
				if r.track != v.id {
					continue
				}
				wall := p.wall.Add(v.span(s.dts - p.media))
				if !wall.Before(to) {
					return trim(all, walls, from)
				}
				if s.key && !wall.After(from) {
					all, walls = all[:0], walls[:0] // a better beginning
				}
				if s.key || len(all) > 0 {
					all, walls = append(all, s), append(walls, wall)
				}
			}
		}
	}
	return trim(all, walls, from)
}

// trim drops everything when all of it was before from.
func trim(all []sample, walls []time.Time, from time.Time) ([]sample, []time.Time) {
	if len(walls) == 0 || walls[len(walls)-1].Before(from.Add(-time.Second)) {
		return nil, nil
	}
	return all, walls
}

func (t *clipTrack) add(rec io.ReaderAt, s sample) {
	t.end += int64(s.duration)
	t.bytes += int64(s.size)
	t.samples = append(t.samples, &pmp4.Sample{
		Duration: s.duration, PTSOffset: s.cts, IsNonSyncSample: !s.key, PayloadSize: s.size,
		GetPayload: func() ([]byte, error) {
			b := make([]byte, s.size)
			_, err := rec.ReadAt(b, s.offset)
			return b, err
		},
	})
}

// write writes the file.
func (c *clip) write(w io.Writer) error {
	first := c.video.samples[0].PTSOffset
	p := pmp4.Presentation{Tracks: []*pmp4.Track{{ID: 1, TimeScale: c.video.scale, TimeOffset: -first, Codec: c.video.codec, Samples: c.video.samples}}}
	if len(c.audio.samples) > 0 {
		c.audio.space()
		p.Tracks = append(p.Tracks, &pmp4.Track{ID: 2, TimeScale: c.audio.scale, TimeOffset: clamp32(c.audio.at[0]), Codec: c.audio.codec, Samples: c.audio.samples})
	}
	if c.codec == ward.VP8 {
		w = &vp8Writer{w: w}
	}
	if err := p.Marshal(w); err != nil {
		return fmt.Errorf("write clip: %w", err)
	}
	return nil
}

// space makes each sound last until the next one begins.
func (t *clipTrack) space() {
	for i := range t.samples[1:] {
		t.samples[i].Duration = clampU32(max(t.at[i+1]-t.at[i], 1))
	}
}

// vp8Writer renames the sample entry, as initSegment does.
type vp8Writer struct {
	w    io.Writer
	done bool
}

func (v *vp8Writer) Write(b []byte) (int, error) {
	if !v.done {
		v.done = true
		b = bytes.Replace(b, []byte("vp09"), []byte("vp08"), 1)
	}
	return v.w.Write(b)
}
