package ingest

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/ward"
)

const (
	// maxCachedGOP bounds what is in memory of the cached group of pictures, in
	// bytes: 8 MB is 10 s at 6 Mbit/s. A longer one is not cached; a new viewer
	// then waits for a key frame.
	maxCachedGOP = 8 << 20
	// maxCachedUnits bounds it by number, wherever its units are.
	maxCachedUnits = 3000
)

// Unit is one access unit of a track: one coded picture, or one or more
// audio frames.
type Unit struct {
	Track    int        // Track.ID
	PTS, DTS int64      // in Track.ClockRate, rising, from an arbitrary origin
	Arrived  time.Time  // server clock, when the last packet of the unit came (with monotonic reading)
	AU       [][]byte   // NAL units without start codes; VP8: one frame; audio: one frame each. Shared: never modified.
	Key      bool       // random access point
	Lost     ward.Cause // why units before this one are missing: CauseLoss, CauseSlow or empty

	number uint64 // in the stream, from 1
}

func (u Unit) size() int {
	n := 0
	for _, b := range u.AU {
		n += len(b)
	}
	return n
}

// Stream fans the units of one source out to its readers. It is safe for
// concurrent use; one goroutine at a time writes.
type Stream struct {
	src  ward.Source
	inst ward.InstitutionID
	done chan struct{}
	took chan struct{} // see Taken

	watched atomic.Int32 // readers that want units as soon as they come

	mu      sync.Mutex // guards the rest
	tracks  []Track    // copied on change
	video   int        // id of the video track, 0 when there is none
	readers []*Reader
	taken   bool       // took is closed
	number  uint64     // of the last unit
	gop     []keptUnit // from the last key frame on, without holes in their numbers
	bytes   int        // of gop, in memory
	disk    *onDisk    // where those units of gop are that are not in memory
	order   order
	closed  bool
	clock   ward.Clock
	offset  time.Duration
}

// NewStream returns an open stream of the given tracks; at most one of them
// is video.
func NewStream(src ward.Source, inst ward.InstitutionID, tracks []Track) *Stream {
	s := &Stream{
		src: src, inst: inst, done: make(chan struct{}), took: make(chan struct{}), tracks: slices.Clone(tracks), clock: ward.ServerClock,
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

// Taken is closed when the first reader has subscribed. One that subscribes
// afterwards from the key frame gets nothing that the first does not get.
func (s *Stream) Taken() <-chan struct{} { return s.took }

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
	s.number++
	u.number = s.number
	size := u.size()
	if u.Track == s.video {
		s.order.see(u)
	}
	if u.Track == s.video && u.Key {
		s.adopt(u)
		s.forget()
	}
	if u.Track == s.video && u.Key || len(s.gop) > 0 {
		s.cache(u, size)
	}
	for _, r := range s.readers {
		r.offer(u, size, u.Track == s.video)
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
func (s *Stream) cache(u Unit, size int) {
	s.bytes += size
	if s.bytes > maxCachedGOP || len(s.gop) == maxCachedUnits {
		s.forget()
		return
	}
	s.gop = append(s.gop, keptUnit{Unit: u})
}

// forget drops the group of pictures; called locked.
func (s *Stream) forget() {
	clear(s.gop)
	s.gop, s.bytes, s.disk = s.gop[:0], 0, nil
}

// Subscribe returns a reader that holds at most depth units (at least 1) and
// 8 MB, or one larger unit.
// With fromKey it begins with the group of pictures seen last, if that is
// cached, else with the next key frame; without, with the next unit.
func (s *Stream) Subscribe(depth int, fromKey bool) *Reader {
	r := s.subscribe(depth, readerBytes, fromKey)
	s.watched.Add(1)
	r.prompt.Store(true)
	return r
}

// Follow is Subscribe for a reader that does not need units as soon as they
// come: a camera with no other readers is then read in larger pieces, and its
// units come up to 160 ms later.
func (s *Stream) Follow(depth int, fromKey bool) *Reader {
	return s.subscribe(depth, readerBytes, fromKey)
}

// subscribe is Subscribe for a ring of at most so many bytes, and a reader
// that need not have units as soon as they come.
func (s *Stream) subscribe(depth, most int, fromKey bool) *Reader {
	r := &Reader{s: s, depth: max(depth, 1), most: most, wake: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fromKey {
		r.backlog, r.disk = slices.Clone(s.gop), s.disk
		r.skip = len(r.backlog) == 0 && s.video != 0
	}
	if s.closed {
		r.closed = true
		return r
	}
	s.readers = append(s.readers, r)
	if !s.taken {
		s.taken = true
		close(s.took)
	}
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
	s.closed, s.gop, s.disk = true, nil, nil
	close(s.done)
	for _, r := range s.readers {
		r.closed = true
		r.rouse()
	}
	s.readers = nil
}

// Readers counts the subscriptions.
func (s *Stream) Readers() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.readers)
}
