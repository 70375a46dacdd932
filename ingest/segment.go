package ingest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"

	"wardwatch/storage/spool"
	"wardwatch/ward"
)

const (
	// fragmentLength is what a crash may cost.
	fragmentLength = time.Second
	// keyFragment is the least length of a fragment that ends before a key
	// frame, so that a stream of key frames does not make a fragment of each.
	keyFragment = fragmentLength / 2
	// maxFragmentWait and maxFragmentBytes end a fragment of a stream whose
	// media time stands still or is slow: what a crash costs, and what waits in
	// memory, is bounded by arrival and size too.
	maxFragmentWait  = 2 * fragmentLength
	maxFragmentBytes = 8 << 20
	// guessedFrame is the duration of a picture that nothing followed and
	// nothing preceded: 25 pictures a second.
	guessedFrame = 40 * time.Millisecond
)

// errTracks is the error of tracks that MP4 cannot describe.
var errTracks = errors.New("tracks cannot be recorded")

// segmentFile is a recording being written: samples gather in a fragment,
// each fragment goes to the disk with one write. A sample waits until the
// next one of its track tells its duration.
type segmentFile struct {
	file   *spool.File
	start  time.Time
	tracks []*trackFile
	video  *trackFile
	base   int64 // DTS of the first picture, in the video's timescale
	seq    uint32
	media  int64     // sum of the durations of the pictures on disk
	born   time.Time // arrival of the first picture not on disk
	held   int       // bytes of samples not on disk, about
}

type trackFile struct {
	Track

	waiting *fmp4.Sample // its duration is not known yet
	dts     int64        // of waiting, from the beginning of the file
	arrived time.Time    // of waiting
	samples []*fmp4.Sample
	from    int64 // dts of samples[0]
	date    time.Time
	last    uint32 // duration of the sample before waiting
}

// beginSegment creates the file for a recording that begins with key.
func beginSegment(sp *spool.Spool, h header, tracks []Track, key Unit, seq int64) (*segmentFile, error) {
	h.Start = key.Arrived.UTC().Truncate(time.Microsecond)
	begin, err := initSegment(h, tracks, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTracks, err)
	}
	f := &segmentFile{start: h.Start, base: key.DTS, born: h.Start}
	for _, t := range tracks {
		tf := &trackFile{Track: t}
		f.tracks = append(f.tracks, tf)
		if t.Video() {
			f.video = tf
		}
	}
	if f.file, err = sp.Create(h.Source, h.Start, seq); err != nil {
		return nil, err
	}
	if _, err := f.file.Write(begin); err != nil {
		return nil, discard(f.file, err)
	}
	return f, nil
}

func discard(f *spool.File, err error) error {
	if e := f.Discard(); e != nil {
		return fmt.Errorf("%w; then %w", err, e)
	}
	return err
}

// add queues the unit's samples. Sound from before the first picture is left out.
func (f *segmentFile) add(u Unit) error {
	for _, t := range f.tracks {
		if t.ID != u.Track {
			continue
		}
		if t.Video() {
			p, err := payload(t.Track, first(u.AU), u.AU)
			if err != nil {
				return err
			}
			f.held += len(p)
			s := &fmp4.Sample{PTSOffset: clamp32(u.PTS - u.DTS), IsNonSyncSample: !u.Key, Payload: p}
			t.push(s, u.DTS-f.base, u.Arrived)
			return nil
		}
		dts := u.DTS - f.base*int64(t.ClockRate)/int64(f.video.ClockRate)
		for _, frame := range u.AU {
			p, err := payload(t.Track, frame, nil)
			if err != nil {
				return err
			}
			if dts >= 0 {
				f.held += len(p)
				t.push(&fmp4.Sample{Payload: p}, dts, u.Arrived)
			}
			dts += frameLength(t.Track, frame)
		}
	}
	return nil
}

func first(au [][]byte) []byte {
	if len(au) == 0 {
		return nil
	}
	return au[0]
}

// frameLength is the duration of an audio frame in the track's timescale.
func frameLength(t Track, frame []byte) int64 {
	switch t.Codec {
	case ward.AAC:
		return 1024
	case ward.Opus:
		return opus.PacketDuration2(frame)
	case ward.PCMU, ward.PCMA:
		return int64(len(frame) / max(t.Channels, 1))
	case ward.H264, ward.H265, ward.VP8, ward.NoCodec:
	}
	return 0
}

// push gives the waiting sample its duration and makes s wait.
func (t *trackFile) push(s *fmp4.Sample, dts int64, arrived time.Time) {
	if t.waiting != nil {
		dts = max(dts, t.dts+1) // a clock that steps back stands almost still
		t.settle(clampU32(dts - t.dts))
	}
	t.waiting, t.dts, t.arrived = s, dts, arrived
}

// settle moves the waiting sample into the fragment.
func (t *trackFile) settle(duration uint32) {
	if len(t.samples) == 0 {
		t.from, t.date = t.dts, t.arrived
	}
	t.waiting.Duration, t.last = duration, duration
	t.samples = append(t.samples, t.waiting)
	t.waiting = nil
}

// due says whether the fragment should be written now that u, which begins
// the next one, is added.
func (f *segmentFile) due(u Unit) bool {
	if f.held > maxFragmentBytes {
		return true
	}
	if u.Track != f.video.ID || len(f.video.samples) == 0 {
		return false
	}
	long := f.video.span(f.video.dts - f.video.from)
	return long >= fragmentLength || u.Key && long >= keyFragment || u.Arrived.Sub(f.born) >= maxFragmentWait
}

func (t Track) span(ticks int64) time.Duration {
	return time.Duration(ticks) * time.Second / time.Duration(t.ClockRate)
}

func (t Track) ticks(d time.Duration) int64 {
	return int64(d) * int64(t.ClockRate) / int64(time.Second)
}

// flush writes the fragment. After an error the file is as it was before;
// f.born tells from when on the pictures are not on the disk.
func (f *segmentFile) flush() error {
	part := fmp4.Part{SequenceNumber: f.seq}
	for _, t := range f.tracks {
		if len(t.samples) > 0 {
			part.Tracks = append(part.Tracks, &fmp4.PartTrack{ID: t.ID, BaseTime: uint64(max(t.from, 0)), Samples: t.samples}) //nolint:gosec // not negative
		}
	}
	if len(part.Tracks) == 0 {
		return nil
	}
	var b seekablebuffer.Buffer
	if len(f.video.samples) > 0 {
		if _, err := b.Write(appendPRFT(nil, f.video.ID, f.video.date, f.video.from)); err != nil {
			return err
		}
	}
	if err := writePart(&b, &part); err != nil {
		return err
	}
	if _, err := f.file.Write(b.Bytes()); err != nil {
		return err
	}
	f.seq++
	f.held = 0
	for _, t := range f.tracks {
		if t == f.video {
			for _, s := range t.samples {
				f.media += int64(s.Duration)
			}
			if t.waiting != nil {
				f.born = t.arrived
			}
		}
		t.samples = nil
	}
	return nil
}

func writePart(b *seekablebuffer.Buffer, p *fmp4.Part) error {
	var part seekablebuffer.Buffer // a fragment's offsets count from its own moof
	if err := p.Marshal(&part); err != nil {
		return fmt.Errorf("write fragment: %w", err)
	}
	_, err := b.Write(part.Bytes())
	return err
}

// end writes what waits, and returns when the recording ends: at next, the
// arrival of the picture that begins the next file, or when next is zero
// after the guessed duration of the last picture.
func (f *segmentFile) end(next time.Time, nextDTS int64) (time.Time, error) {
	v := f.video
	last := v.arrived
	if v.waiting == nil {
		return f.born, f.flush()
	}
	d := int64(v.last)
	if d <= 0 || v.span(d) > fragmentLength {
		d = v.ticks(guessedFrame)
	}
	if !next.IsZero() {
		d = max(nextDTS-f.base-v.dts, 0)
	}
	v.settle(clampU32(d))
	f.settleSound()
	if err := f.flush(); err != nil {
		return f.born, err
	}
	if next.IsZero() {
		next = last.Add(v.span(d))
	}
	return next, nil
}

// settleSound lets the sounds that wait last as long as those before them.
func (f *segmentFile) settleSound() {
	for _, t := range f.tracks {
		if t != f.video && t.waiting != nil {
			t.settle(t.last)
		}
	}
}

func clampU32(v int64) uint32 { return uint32(min(max(v, 0), math.MaxUint32)) } //nolint:gosec // just clamped

func clamp32(v int64) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) } //nolint:gosec // just clamped
