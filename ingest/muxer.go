package ingest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"
)

const (
	// partLength is how long a part is at least; the next picture ends it.
	partLength = 200 * time.Millisecond
	// leastSegment keeps a stream of key frames from making a segment of each.
	leastSegment = time.Second
	// mostSegment ends a segment without a key frame: what the playlist
	// announces as the longest.
	mostSegment = 6 * time.Second
	// keepFor is the media time that a playlist goes back: three target
	// durations (RFC 8216 §6.2.2).
	keepFor = 3 * mostSegment
	// partsFor is how long a finished segment's parts are listed and kept.
	partsFor = 2
	// mostMuxed bounds what a muxer holds, in bytes: keepFor at 21 Mbit/s.
	mostMuxed = 64 << 20
)

// muxer makes LL-HLS of one stream, in memory: parts of about 200 ms and
// segments of one group of pictures. The cached group makes the first segment,
// so that a player need not wait for a key frame.
type muxer struct {
	name  string // in the addresses of its files; new for every muxer
	video Track
	audio Track // ID 0: none
	began time.Time

	// These belong to run.
	base    int64        // DTS of the first picture
	flac    *flacEncoder // of G.711
	sounded int64        // samples that it has coded
	cached  bool         // the last picture was of the cached group
	frames  map[int]*frames
	partSeq uint32
	held    int // bytes in segments
	pending int // bytes that wait to be in a part

	mu       sync.Mutex // guards the rest
	init     []byte
	segments []*hlsSegment // the last one is being made
	first    int64         // number of segments[0]
	longest  time.Duration // of the parts
	ended    bool
	changed  chan struct{} // closed and replaced with every new part
	asked    time.Time     // when something was last asked for
}

// hlsSegment is a segment and its parts.
type hlsSegment struct {
	date     time.Time // arrival of its first picture
	length   time.Duration
	parts    []hlsPart
	complete bool
}

type hlsPart struct {
	data   []byte
	length time.Duration
	key    bool // begins with a key frame
}

// frames are the samples of a track that wait to be in a part.
type frames struct {
	Track

	waiting *fmp4.Sample // its duration is not known yet
	dts     int64        // of waiting, from base
	samples []*fmp4.Sample
	from    int64
	ticks   int64 // of samples
}

// newMuxer describes what is muxed of the stream: H.264, and AAC, Opus or
// G.711, the latter as FLAC.
func newMuxer(s *Stream, now time.Time) *muxer {
	// Nobody guesses the names of files that are not shown to them.
	secret := make([]byte, 8)
	_, _ = rand.Read(secret) // never fails
	m := &muxer{name: hex.EncodeToString(secret), began: now, frames: map[int]*frames{}, changed: make(chan struct{}), asked: now}
	// Numbers go on rising when a muxer follows another one.
	m.first = now.Unix()
	for _, t := range s.Tracks() {
		switch {
		case t.Video() && m.video.ID == 0:
			m.video = t
		case !t.Video():
			m.audio = t
		}
	}
	return m
}

// run muxes until ctx or the stream ends.
func (m *muxer) run(ctx context.Context, s *Stream) error {
	defer m.end()
	r := s.Subscribe(viewerDepth, true)
	defer r.Close()
	for {
		u, err := r.Next(ctx)
		if err != nil {
			return nil // the stream or the last viewer is gone
		}
		if err := m.take(u); err != nil {
			return fmt.Errorf("mux live stream of %s: %w", s.Source(), err)
		}
	}
}

func (m *muxer) take(u Unit) error {
	if m.pending += u.size(); m.held+m.pending > mostMuxed {
		return fmt.Errorf("%d bytes are more than a live playlist may hold", m.held+m.pending)
	}
	if u.Track == m.video.ID {
		changed := m.video.adopt(u.AU)
		switch {
		case m.frames[m.video.ID] == nil && !u.Key:
			return nil
		case m.frames[m.video.ID] == nil:
			if err := m.begin(u); err != nil {
				return err
			}
		case changed:
			return fmt.Errorf("its pictures have new parameters") // players begin again
		}
	}
	f := m.frames[u.Track]
	if f == nil {
		return nil
	}
	if u.Track == m.audio.ID {
		m.sound(f, u)
		return nil
	}
	b, err := h264.AVCC(u.AU).Marshal()
	if err != nil {
		return err
	}
	f.push(&fmp4.Sample{PTSOffset: int32(max(min(u.PTS-u.DTS, math.MaxInt32), math.MinInt32)), IsNonSyncSample: !u.Key, Payload: b}, u.DTS-m.base) //nolint:gosec // just bounded
	return m.cut(u)
}

// begin makes the init segment with the first key frame.
func (m *muxer) begin(u Unit) error {
	in := fmp4.Init{Tracks: []*fmp4.InitTrack{{ID: m.video.ID, TimeScale: uint32(m.video.ClockRate), Codec: &mp4.CodecH264{SPS: m.video.SPS, PPS: m.video.PPS}}}} //nolint:gosec // positive
	m.frames[m.video.ID] = &frames{Track: m.video}
	codec := m.soundEntry()
	if codec != nil {
		in.Tracks = append(in.Tracks, &fmp4.InitTrack{ID: m.audio.ID, TimeScale: uint32(m.audio.ClockRate), Codec: codec}) //nolint:gosec // positive
		m.frames[m.audio.ID] = &frames{Track: m.audio}
	}
	var b seekablebuffer.Buffer
	if err := in.Marshal(&b); err != nil {
		return fmt.Errorf("write init segment: %w", err)
	}
	m.base = u.DTS
	m.mu.Lock()
	defer m.mu.Unlock()
	m.init = b.Bytes()
	if m.flac != nil {
		m.init = exchange(m.init, pcmEntryKind, flacEntry)
	}
	m.segments = []*hlsSegment{{date: u.Arrived}}
	return nil
}

// push queues a sample; it settles the duration of the one before it.
func (f *frames) push(s *fmp4.Sample, dts int64) {
	if f.waiting != nil {
		f.waiting.Duration = uint32(max(min(dts-f.dts, math.MaxInt32), 0)) //nolint:gosec // just bounded
		if len(f.samples) == 0 {
			f.from = f.dts
		}
		f.samples = append(f.samples, f.waiting)
		f.ticks += int64(f.waiting.Duration)
	}
	f.waiting, f.dts = s, dts
}

// cut ends the part, and the segment, where it is time for it before next.
func (m *muxer) cut(next Unit) error {
	v := m.frames[m.video.ID]
	if len(v.samples) == 0 {
		return nil
	}
	length := v.span(v.ticks)
	now := m.segments[len(m.segments)-1] // only run changes it
	whole := now.length + length
	live := !next.Arrived.Before(m.began)
	// The first segment is short: until it is whole, no player begins.
	over := whole >= leastSegment && (next.Key || len(m.segments) == 1) || whole >= mostSegment || m.cached && live
	m.cached = !live
	if !over && length < partLength && !next.Key {
		return nil
	}
	p, err := m.part(length)
	if err != nil {
		return err
	}
	m.publish(p, over, next.Arrived)
	return nil
}

// part takes the samples that have a duration.
func (m *muxer) part(length time.Duration) (hlsPart, error) {
	p := hlsPart{length: length, key: !m.frames[m.video.ID].samples[0].IsNonSyncSample}
	m.partSeq++
	out := fmp4.Part{SequenceNumber: m.partSeq}
	for _, id := range []int{m.video.ID, m.audio.ID} {
		f := m.frames[id]
		if f == nil || len(f.samples) == 0 {
			continue
		}
		out.Tracks = append(out.Tracks, &fmp4.PartTrack{ID: id, BaseTime: uint64(max(f.from, 0)), Samples: f.samples}) //nolint:gosec // not negative
		f.samples, f.ticks = nil, 0
	}
	var b seekablebuffer.Buffer
	if err := out.Marshal(&b); err != nil {
		return p, fmt.Errorf("write part: %w", err)
	}
	p.data, m.pending = b.Bytes(), 0
	return p, nil
}

// publish adds the part; with over it is the last one of its segment, and
// the next one begins at date.
func (m *muxer) publish(p hlsPart, over bool, date time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.segments[len(m.segments)-1]
	s.parts = append(s.parts, p)
	s.length += p.length
	m.longest = max(m.longest, p.length)
	if over {
		s.complete = true
		m.segments = append(m.segments, &hlsSegment{date: date})
		m.forget()
	}
	m.held = 0
	for _, s := range m.segments {
		for _, p := range s.parts {
			m.held += len(p.data)
		}
	}
	close(m.changed)
	m.changed = make(chan struct{})
}

// forget drops what no playlist lists any more; called locked.
func (m *muxer) forget() {
	if n := len(m.segments) - 2 - partsFor; n >= 0 { // its parts become one
		s := m.segments[n]
		s.parts = []hlsPart{{data: s.data(), length: s.length, key: len(s.parts) > 0 && s.parts[0].key}}
	}
	var whole time.Duration
	for i, s := range slices.Backward(m.segments) {
		if whole += s.length; whole > keepFor+mostSegment {
			m.first += int64(i)
			m.segments = slices.Clone(m.segments[i:])
			return
		}
	}
}

// data is the segment's parts joined.
func (s *hlsSegment) data() []byte {
	all := make([][]byte, 0, len(s.parts))
	for _, p := range s.parts {
		all = append(all, p.data)
	}
	return bytes.Join(all, nil)
}

func (m *muxer) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	close(m.changed)
	m.changed = make(chan struct{})
}
