package ingest

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"wardwatch/ward"
)

// maxCachedGOP bounds the cached group of pictures, in bytes: 8 MB is 10 s at
// 6 Mbit/s. A longer one is not cached; a new viewer then waits for a key frame.
const maxCachedGOP = 8 << 20

// Unit is one access unit of a track: one coded picture, or one or more
// audio frames.
type Unit struct {
	Track    int        // Track.ID
	PTS, DTS int64      // in Track.ClockRate, rising, from an arbitrary origin
	Arrived  time.Time  // server clock, when the last packet of the unit came (with monotonic reading)
	AU       [][]byte   // NAL units without start codes; VP8: one frame; audio: one frame each. Shared: never modified.
	Key      bool       // random access point
	Lost     ward.Cause // why units before this one are missing: CauseLoss, CauseSlow or empty
}

// Stream fans the units of one source out to its readers. It is safe for
// concurrent use; one goroutine at a time writes.
type Stream struct {
	src  ward.Source
	inst ward.InstitutionID
	done chan struct{}

	mu      sync.Mutex // guards the rest
	tracks  []Track    // copied on change
	video   int        // id of the video track, 0 when there is none
	readers map[*Reader]struct{}
	gop     []Unit // from the last key frame on; appended to, never changed
	bytes   int    // of gop
	closed  bool
	clock   ward.Clock
	offset  time.Duration
}

// NewStream returns an open stream of the given tracks; at most one of them
// is video.
func NewStream(src ward.Source, inst ward.InstitutionID, tracks []Track) *Stream {
	s := &Stream{
		src: src, inst: inst, done: make(chan struct{}), tracks: slices.Clone(tracks),
		readers: map[*Reader]struct{}{}, clock: ward.ServerClock,
	}
	for _, t := range tracks {
		if t.Video() {
			s.video = t.ID
			break
		}
	}
	return s
}

// Source says what the stream is of.
func (s *Stream) Source() ward.Source { return s.src }

// Institution is where the stream's source belongs.
func (s *Stream) Institution() ward.InstitutionID { return s.inst }

// Done is closed when the stream is.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Tracks returns the tracks with the parameter sets seen last. The result is
// shared and never modified.
func (s *Stream) Tracks() []Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tracks
}

// Video returns the video track.
func (s *Stream) Video() (Track, bool) { return videoOf(s.Tracks()) }

func videoOf(tracks []Track) (Track, bool) {
	for _, t := range tracks {
		if t.Video() {
			return t, true
		}
	}
	return Track{}, false
}

// SetClock records that the source told its own time, which differs from the
// server's by offset (source minus server).
func (s *Stream) SetClock(offset time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock, s.offset = ward.CameraClock, offset
}

// Clock returns whose clock is known, and the source's offset if it is.
func (s *Stream) Clock() (ward.Clock, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock, s.offset
}

// Write hands u to every reader. It never blocks: a reader whose ring is
// full loses the unit, and counts it.
func (s *Stream) Write(u Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if u.Track == s.video && u.Key {
		s.adopt(u)
		s.gop, s.bytes = nil, 0
	}
	if u.Track == s.video && u.Key || len(s.gop) > 0 {
		s.cache(u)
	}
	for r := range s.readers {
		r.offer(u, u.Track == s.video)
	}
}

// adopt updates the parameter sets; called locked.
func (s *Stream) adopt(u Unit) {
	i := slices.IndexFunc(s.tracks, func(t Track) bool { return t.ID == s.video })
	if t := s.tracks[i]; t.adopt(u.AU) {
		s.tracks = slices.Clone(s.tracks)
		s.tracks[i] = t
	}
}

// cache appends u to the group of pictures; called locked.
func (s *Stream) cache(u Unit) {
	for _, b := range u.AU {
		s.bytes += len(b)
	}
	if s.bytes > maxCachedGOP {
		s.gop = nil
		return
	}
	s.gop = append(s.gop, u)
}

// Subscribe returns a reader that holds at most depth units (at least 1).
// With fromKey it begins with the group of pictures seen last, if that is
// cached, else with the next key frame; without, with the next unit.
func (s *Stream) Subscribe(depth int, fromKey bool) *Reader {
	r := &Reader{s: s, ring: make(chan Unit, max(depth, 1))}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fromKey {
		r.backlog = slices.Clip(s.gop)
		r.skip = len(r.backlog) == 0 && s.video != 0
	}
	if s.closed {
		close(r.ring)
		return r
	}
	s.readers[r] = struct{}{}
	return r
}

// Close ends the stream; its readers get what they hold, then io.EOF. It may
// be called more than once.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed, s.gop = true, nil
	close(s.done)
	for r := range s.readers {
		close(r.ring)
	}
	clear(s.readers)
}

// Reader is one consumer's view of a Stream. One goroutine uses it.
type Reader struct {
	s       *Stream
	backlog []Unit
	ring    chan Unit

	// The rest is guarded by s.mu.
	dropped uint64
	skip    bool       // until the next key frame
	lost    ward.Cause // to be told with the next video unit
}

// offer queues u or drops it; called with s.mu held. After a dropped picture
// the pictures up to the next key frame are dropped too: they could not be decoded.
func (r *Reader) offer(u Unit, video bool) {
	if r.skip && (!video || !u.Key) {
		if r.lost != "" {
			r.dropped++
		}
		return
	}
	if video && u.Lost == "" {
		u.Lost = r.lost
	}
	select {
	case r.ring <- u:
		if video {
			r.skip, r.lost = false, ""
		}
	default:
		r.dropped++
		if video {
			r.skip, r.lost = true, ward.CauseSlow
		}
	}
}

// Next waits for the next unit. It returns io.EOF after Stream.Close or
// Reader.Close, and ctx's error when ctx ends.
func (r *Reader) Next(ctx context.Context) (Unit, error) {
	if len(r.backlog) > 0 {
		u := r.backlog[0]
		r.backlog = r.backlog[1:]
		return u, nil
	}
	select {
	case u, ok := <-r.ring:
		if !ok {
			return Unit{}, io.EOF
		}
		return u, nil
	case <-ctx.Done():
		return Unit{}, ctx.Err()
	}
}

// Dropped counts the units that this reader was too slow for.
func (r *Reader) Dropped() uint64 {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.dropped
}

// Close ends the subscription.
func (r *Reader) Close() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if _, ok := r.s.readers[r]; ok {
		delete(r.s.readers, r)
		close(r.ring)
	}
}

// Readers counts the subscriptions.
func (s *Stream) Readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.readers)
}
