package ingest

import (
	"errors"
	"fmt"
	"time"

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
// next one of its track tells its duration. The bytes of a sample are the
// unit's own until then; there is no copy of them.
type segmentFile struct {
	header

	file   *spool.File
	clock  steady
	tell   func([]written) // called with the pictures of each fragment that is on the disk; may be nil
	begun  time.Time       // arrival of the first picture
	tracks []*trackFile
	video  *trackFile
	base   int64 // DTS of the first picture, in the video's timescale
	seq    uint32
	seed   uint32    // of the next fragment's check
	media  int64     // sum of the durations of the pictures on disk
	born   time.Time // arrival of the first picture not on disk
	held   int       // bytes of samples not on disk
	chunks []ward.Chunk

	signature ward.CameraSignature // that its pictures carried so far
}

type trackFile struct {
	Track

	encoder *flacEncoder // of a track that is recorded as FLAC
	sound   int64        // samples that the encoder had
	waiting pending      // its duration is not known yet
	waits   bool         // there is one waiting
	dts     int64        // of waiting, from the beginning of the file
	arrived time.Time    // of waiting
	samples []pending
	from    int64 // dts of samples[0]
	date    time.Time
	last    uint32 // duration of the sample before waiting
}

// pending is a sample that is not on the disk.
type pending struct {
	au       [][]byte // shared with the unit
	size     int      // in the file
	number   uint64   // of the unit, video only
	duration uint32
	cts      int32
	key      bool
}

// beginSegment creates the file for a recording that begins with key.
func beginSegment(sp *spool.Spool, h header, clock steady, tracks []Track, key Unit, seq int64) (*segmentFile, error) {
	h.Start = clock.date(key.Arrived).Truncate(time.Microsecond)
	begin, err := initSegment(h, tracks, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errTracks, err)
	}
	f := &segmentFile{header: h, clock: clock, begun: key.Arrived, base: key.DTS, born: key.Arrived, seed: beginningSum(begin)}
	for _, t := range tracks {
		tf := &trackFile{Track: t}
		if t.flac() {
			tf.encoder = &flacEncoder{rate: t.ClockRate, channels: max(t.Channels, 1)}
		}
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
func (f *segmentFile) add(u Unit) {
	for _, t := range f.tracks {
		if t.ID != u.Track {
			continue
		}
		if t.Video() {
			s := pending{au: u.AU, size: t.stored(u.AU), number: u.number, cts: clamp32(u.PTS - u.DTS), key: u.Key}
			f.held += s.size
			t.push(s, u.DTS-f.base, u.Arrived)
			f.signature = signed(f.signature, t.Codec, u.AU)
			return
		}
		dts := u.DTS - f.base*int64(t.ClockRate)/int64(f.video.ClockRate)
		for i, frame := range u.AU {
			if dts >= 0 && len(frame) > 0 {
				f.held += t.listen(u.AU[i:i+1], dts, u.Arrived)
			}
			dts += frameLength(t.Track, frame)
		}
	}
}

// push gives the waiting sample its duration and makes s wait.
func (t *trackFile) push(s pending, dts int64, arrived time.Time) {
	if t.waits {
		dts = max(dts, t.dts+1) // a clock that steps back stands almost still
		t.settle(clampU32(dts - t.dts))
	}
	t.waiting, t.waits, t.dts, t.arrived = s, true, dts, arrived
}

// settle moves the waiting sample into the fragment.
func (t *trackFile) settle(duration uint32) {
	if len(t.samples) == 0 {
		t.from, t.date = t.dts, t.arrived
	}
	t.waiting.duration, t.last = duration, duration
	t.samples = append(t.samples, t.waiting)
	t.waiting, t.waits = pending{}, false
}

// due says whether the fragment should be written now that u, which begins
// the next one, is added.
func (f *segmentFile) due(u Unit) bool {
	if f.held > maxFragmentBytes {
		return true
	}
	for _, t := range f.tracks {
		if len(t.samples) >= maxRunSamples-1 {
			return true
		}
	}
	if u.Track != f.video.ID || len(f.video.samples) == 0 {
		return false
	}
	long := f.video.span(f.video.dts - f.video.from)
	return long >= fragmentLength || u.Key && long >= keyFragment || u.Arrived.Sub(f.born) >= maxFragmentWait
}

// flush writes the fragment. After an error the file is as it was before;
// f.born tells from when on the pictures are not on the disk.
func (f *segmentFile) flush() error {
	begin := f.file.Size
	var pictures []written
	empty := true
	for _, t := range f.tracks {
		empty = empty && len(t.samples) == 0
	}
	if empty {
		return nil
	}
	if err := f.file.Append(func(b []byte) []byte {
		b, pictures = f.appendFragment(b)
		return b
	}); err != nil {
		return err
	}
	f.seq++
	f.held, f.seed = 0, 0
	for _, t := range f.tracks {
		if t == f.video {
			if len(t.samples) > 0 && t.samples[0].key {
				f.chunks = append(f.chunks, ward.Chunk{At: t.span(t.from), Offset: begin})
			}
			for _, s := range t.samples {
				f.media += int64(s.duration)
			}
			if t.waits {
				f.born = t.arrived
			}
		}
		clear(t.samples) // their bytes are not needed any more
		t.samples = t.samples[:0]
	}
	if f.tell != nil {
		f.tell(pictures)
	}
	return nil
}

// end writes what waits, and returns when the recording ends: at next, the
// arrival of the picture that begins the next file, or when next is zero
// after the guessed duration of the last picture.
func (f *segmentFile) end(next time.Time, nextDTS int64) (time.Time, error) {
	v := f.video
	last := v.arrived
	if !v.waits {
		return f.clock.date(f.born), f.flush()
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
		return f.clock.date(f.born), err
	}
	if next.IsZero() {
		next = last.Add(v.span(d))
	}
	return f.clock.date(next), nil
}

// settleSound lets the sounds that wait last as long as those before them.
func (f *segmentFile) settleSound() {
	for _, t := range f.tracks {
		if t != f.video && t.waits {
			t.settle(t.last)
		}
	}
}
