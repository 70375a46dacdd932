package ingest

import (
	"encoding/binary"
	"math"
	"slices"
)

// box returns an MP4 box of the parts.
func box(kind string, parts ...[]byte) []byte {
	n := 8
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n)
	b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // a clip is at most 1 GB
	b = append(b, kind...)
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// numbers returns big-endian 32-bit numbers.
func numbers(ns ...int64) []byte {
	b := make([]byte, 0, 4*len(ns))
	for _, n := range ns {
		b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // cut to 32 bits by the format
	}
	return b
}

// long returns big-endian 64-bit numbers.
func long(ns ...int64) []byte {
	b := make([]byte, 0, 8*len(ns))
	for _, n := range ns {
		b = binary.BigEndian.AppendUint64(b, uint64(n)) //nolint:gosec // two's complement
	}
	return b
}

// matrix leaves the picture as it is (ISO/IEC 14496-12 §6.2.2).
var matrix = []int64{0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000}

// clipRun is samples that follow each other in a recording's file and in the clip's.
type clipRun struct {
	first, n int
	entry    int
	size     int64
	offset   int64 // in the clip
	rec      *recording
	place    int    // of the recording in the plan
	from     int64  // in the recording
	sets     []byte // in front of the first sample
}

// runs groups the samples of a track by where they are.
func (t *clipTrack) runs() []clipRun {
	var all []clipRun
	for i, s := range t.samples {
		if len(all) > 0 {
			if r := &all[len(all)-1]; r.rec == s.rec && r.entry == s.entry && len(s.sets) == 0 && r.from+r.size-int64(len(r.sets)) == s.offset && r.n < maxRunSamples {
				r.n++
				r.size += int64(s.size)
				continue
			}
		}
		all = append(all, clipRun{first: i, n: 1, entry: s.entry, size: int64(s.size), rec: s.rec, from: s.offset, sets: s.sets})
	}
	return all
}

// lay plans the file: ftyp, moov, mdat. Pictures and sound of a fragment lie
// together.
func (c *clip) lay(p *ClipPlan) error {
	c.audio.space()
	if err := c.repeatSets(); err != nil {
		return err
	}
	video, audio := c.video.runs(), c.audio.runs()
	order := make([]*clipRun, 0, len(video)+len(audio))
	for i := range video {
		order = append(order, &video[i])
	}
	for i := range audio {
		order = append(order, &audio[i])
	}
	place := map[*recording]int{}
	for _, r := range order {
		if _, ok := place[r.rec]; !ok {
			place[r.rec] = len(place)
			p.places = append(p.places, r.rec.place)
		}
	}
	slices.SortStableFunc(order, func(a, b *clipRun) int {
		if a.rec != b.rec {
			return place[a.rec] - place[b.rec]
		}
		return int(a.from - b.from) // a segment is at most 2 GB
	})
	head := box("ftyp", []byte("mp42\x00\x00\x00\x00mp42isomiso4"))
	offset := int64(len(head)+8) + int64(len(c.moov(video, audio)))
	begin := offset
	for _, r := range order {
		r.offset = offset
		offset += r.size
	}
	if offset > math.MaxUint32 {
		return tooLong()
	}
	p.Size = offset
	p.head = slices.Concat(head, c.moov(video, audio), numbers(8+offset-begin), []byte("mdat"))
	for _, r := range order {
		run := *r
		run.place, run.rec = place[r.rec], nil
		p.runs = append(p.runs, run)
	}
	return nil
}

// moov describes the clip. The movie counts in the video's ticks, so that the
// edit lists are exact to a picture.
func (c *clip) moov(video, audio []clipRun) []byte {
	shown := c.end - c.begin
	parts := [][]byte{c.movieHeader(shown), c.track(1, &c.video, video, c.edits(nil), shown)}
	if len(c.audio.samples) > 0 {
		parts = append(parts, c.track(2, &c.audio, audio, c.edits(&c.audio), shown))
	}
	return box("moov", parts...)
}

func (c *clip) movieHeader(shown int64) []byte {
	return box("mvhd", numbers(1<<24), long(0, 0), numbers(int64(c.video.timescale)), long(shown),
		numbers(0x10000, 0x01000000, 0, 0), numbers(matrix...), numbers(0, 0, 0, 0, 0, 0, 3))
}

// edits returns the edit list of the video, or of the sound: what is decoded
// but not shown lies before the media time where it begins. Sound that begins
// later than the pictures has an empty edit in front.
func (c *clip) edits(sound *clipTrack) []byte {
	shown := c.end - c.begin
	if sound == nil {
		return box("elst", numbers(1<<24, 1), long(shown, c.begin), numbers(0x10000))
	}
	toVideo := func(n int64) int64 { return n * int64(c.video.timescale) / int64(sound.timescale) }
	toSound := func(n int64) int64 { return n * int64(sound.timescale) / int64(c.video.timescale) }
	late := toVideo(sound.at[0]) - c.begin
	if late <= 0 {
		return box("elst", numbers(1<<24, 1), long(shown, toSound(c.begin)-sound.at[0]), numbers(0x10000))
	}
	return box("elst", numbers(1<<24, 2), long(late, -1), numbers(0x10000), long(max(shown-late, 0), 0), numbers(0x10000))
}

func (c *clip) track(id int64, t *clipTrack, runs []clipRun, edits []byte, shown int64) []byte {
	w, h := t.size()
	volume, handler, name, media := int64(0x01000000), "soun", "SoundHandler", box("smhd", numbers(0, 0))
	if t.video {
		volume, handler, name, media = 0, "vide", "VideoHandler", box("vmhd", numbers(1, 0, 0))
	} else {
		w, h = 0, 0
	}
	length := int64(0)
	for _, s := range t.samples {
		length += int64(s.duration)
	}
	return box("trak",
		box("tkhd", numbers(1<<24|3), long(0, 0), numbers(id, 0), long(shown), numbers(0, 0, 0, volume), numbers(matrix...), numbers(int64(w)<<16, int64(h)<<16)),
		box("edts", edits),
		box("mdia",
			box("mdhd", numbers(1<<24), long(0, 0), numbers(int64(t.timescale)), long(length), numbers(0x55c40000)), // language "und"
			box("hdlr", numbers(0, 0), []byte(handler), numbers(0, 0, 0), []byte(name+"\x00")),
			box("minf", media,
				box("dinf", box("dref", numbers(0, 1), box("url ", numbers(1)))),
				box("stbl", t.tables(runs)...))))
}

// tables returns the sample tables (ISO/IEC 14496-12 §8.5 to §8.7).
func (t *clipTrack) tables(runs []clipRun) [][]byte {
	stsd := [][]byte{numbers(0, int64(len(t.entries)))}
	stsd = append(stsd, t.entries...)
	var stts, ctts, stss, stsz, stsc, stco []int64
	for i, s := range t.samples {
		stts, ctts = count(stts, int64(s.duration)), count(ctts, int64(s.cts))
		if s.key {
			stss = append(stss, int64(i+1))
		}
		stsz = append(stsz, int64(s.size))
	}
	for i, r := range runs {
		if n := len(stsc); n == 0 || stsc[n-2] != int64(r.n) || stsc[n-1] != int64(r.entry+1) {
			stsc = append(stsc, int64(i+1), int64(r.n), int64(r.entry+1))
		}
		stco = append(stco, r.offset)
	}
	all := [][]byte{box("stsd", stsd...), box("stts", numbers(0, int64(len(stts)/2)), numbers(stts...))}
	if len(ctts) > 2 || ctts[1] != 0 {
		all = append(all, box("ctts", numbers(1<<24, int64(len(ctts)/2)), numbers(ctts...)))
	}
	if len(stss) < len(t.samples) {
		all = append(all, box("stss", numbers(0, int64(len(stss))), numbers(stss...)))
	}
	return append(all,
		box("stsc", numbers(0, int64(len(stsc)/3)), numbers(stsc...)),
		box("stsz", numbers(0, 0, int64(len(stsz))), numbers(stsz...)),
		box("stco", numbers(0, int64(len(stco))), numbers(stco...)))
}

// count appends v to pairs of how often and what.
func count(pairs []int64, v int64) []int64 {
	if n := len(pairs); n > 0 && pairs[n-1] == v {
		pairs[n-2]++
		return pairs
	}
	return append(pairs, 1, v)
}
