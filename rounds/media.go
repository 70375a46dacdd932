package rounds

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	videoTrack = 1 // track ids in the stream
	audioTrack = 2
	audioWait  = 1500 * time.Millisecond // for an offered microphone, after the first picture
)

// join waits for the bedside's tracks and begins to read them.
func (s *session) join(ctx context.Context) (tracks []ingest.Track, read func(), err error) {
	s.mu.Lock()
	l := s.line
	s.mu.Unlock()
	video, audio, err := l.media(ctx.Done())
	if c := context.Cause(ctx); c != nil {
		err = c
	}
	if err != nil {
		return nil, nil, err
	}
	if tracks, err = tracksOf(video, audio); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	s.media, s.videoSSRC, s.codec = tracks, video.SSRC(), video.Codec().RTPCodecCapability
	s.mu.Unlock()
	return tracks, func() { s.read(l, video, audio) }, nil
}

// read reads a line's tracks until it closes.
func (s *session) read(l *line, video, audio *webrtc.TrackRemote) {
	s.spawn(func() { s.readVideo(l, video) })
	if audio != nil {
		s.spawn(func() { s.readAudio(l, audio) })
	}
	s.askKey()
}

// now is the stream that media belong to at this moment, if any; current
// says whether l is still the session's line.
func (s *session) now(l *line) (stream *ingest.Stream, began time.Time, current bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.line != l {
		return nil, began, false
	}
	return s.stream, s.streamBegan, true
}

func tracksOf(video, audio *webrtc.TrackRemote) ([]ingest.Track, error) {
	v := ingest.Track{ID: videoTrack, ClockRate: 90000}
	switch m := video.Codec().MimeType; {
	case strings.EqualFold(m, webrtc.MimeTypeH264):
		v.Codec = ward.H264
	case strings.EqualFold(m, webrtc.MimeTypeVP8):
		v.Codec = ward.VP8
	default:
		return nil, fmt.Errorf("bedside video codec %q", m)
	}
	tracks := []ingest.Track{v}
	if audio != nil && strings.EqualFold(audio.Codec().MimeType, webrtc.MimeTypeOpus) {
		tracks = append(tracks, ingest.Track{ID: audioTrack, Codec: ward.Opus, ClockRate: 48000, Channels: 2})
	}
	return tracks, nil
}

// timeline turns 32-bit RTP times of one track into a rising PTS that
// counts from the session's beginning, so that tracks agree roughly.
type timeline struct {
	rate    int
	last    uint32
	pts     int64
	started bool
}

func (t *timeline) at(ts uint32, sinceBegin time.Duration) int64 {
	if !t.started {
		t.started = true
		t.pts = int64(sinceBegin) * int64(t.rate) / int64(time.Second)
	} else {
		t.pts += int64(int32(ts - t.last))
	}
	t.last = ts
	return t.pts
}

// heldMost bounds the packets that wait for the end of their picture.
const heldMost = 64

// readVideo forwards packets to the calls as they come and writes whole
// pictures to the stream until the connection closes. A picture is put
// together once its last packet is forwarded, so that none waits for that.
func (s *session) readVideo(l *line, t *webrtc.TrackRemote) {
	tracks := s.tracks()
	track := tracks[0]
	whole := newPictures(track.Codec)
	var line timeline
	var of *ingest.Stream
	var held []*rtp.Packet
	var newest uint16
	begun := false
	ready := func() (picture, bool) {
		for {
			if pic, ok := whole.next(); ok || len(held) == 0 {
				return pic, ok
			}
			s.received.take(held[0].MarshalSize())
			whole.push(held[0])
			held = held[1:]
		}
	}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return // whoever waits for pictures tells
		}
		s.relay(p, true)
		late := begun && p.SequenceNumber-newest > math.MaxUint16/2 // it may be all that an earlier picture lacks
		if begun = true; !late {
			newest = p.SequenceNumber
		}
		if held = append(held, p); !p.Marker && !late && len(held) < heldMost {
			continue
		}
		for pic, ok := ready(); ok; pic, ok = ready() {
			now := time.Now()
			stream, began, current := s.now(l)
			if !current {
				return
			}
			if stream != nil && stream != of {
				of, line = stream, timeline{rate: 90000}
			}
			s.received.picture(pic, now)
			select {
			case s.seen <- struct{}{}:
			default:
			}
			if stream == nil {
				continue
			}
			pts := line.at(pic.ts, now.Sub(began))
			u := ingest.Unit{Track: videoTrack, PTS: pts, DTS: pts, Arrived: now, AU: pic.au, Key: track.IsKey(pic.au)}
			if pic.lost {
				u.Lost = ward.CauseLoss
				if !u.Key {
					s.askKey()
				}
			}
			stream.Write(u)
		}
	}
}

func (s *session) tracks() []ingest.Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.media
}

func (s *session) readAudio(l *line, t *webrtc.TrackRemote) {
	tracks := s.tracks()
	opus := strings.EqualFold(t.Codec().MimeType, webrtc.MimeTypeOpus) && len(tracks) > 1
	var line timeline
	var of *ingest.Stream
	last := int64(-1)
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		s.relay(p, false)
		stream, began, current := s.now(l)
		if !current {
			return
		}
		if !opus || len(p.Payload) == 0 || stream == nil {
			continue
		}
		if stream != of {
			of, line, last = stream, timeline{rate: 48000}, -1
		}
		now := time.Now()
		pts := line.at(p.Timestamp, now.Sub(began))
		if pts <= last { // a late packet would go back in time
			continue
		}
		last = pts
		stream.Write(ingest.Unit{Track: audioTrack, PTS: pts, DTS: pts, Arrived: now, AU: [][]byte{p.Payload}, Key: true})
	}
}

// lookEvery is the least time between two pictures that are looked at in
// full: about 60 ms of one core each.
const (
	lookEvery  = 120 * time.Millisecond
	lookSeldom = 500 * time.Millisecond // instead, when behind by more than lagSome
	lagSome    = 400 * time.Millisecond
	lagMax     = 1500 * time.Millisecond // behind by more, pictures up to the next younger key frame are skipped
	lookDepth  = 300                     // units
	warnEvery  = 10 * time.Second        // a bedside that sends what is no picture shall not fill the log
	eyesGrace  = 15 * time.Second        // without any picture analysed though pictures come
)

// watch feeds the pictures to an Eye and hands what it saw to the protocol.
// It begins when the recording does: what is looked at is recorded.
func (s *session) watch(ctx context.Context, stream *ingest.Stream, number int, recorded <-chan struct{}) {
	select {
	case <-stream.Taken():
	case <-recorded: // it failed at once
	case <-stream.Done():
	case <-ctx.Done():
	}
	video, _ := stream.Video()
	eye := s.e.NewEye(video.Codec)
	defer eye.Close()
	given := coded{codec: video.Codec}
	r := stream.Subscribe(lookDepth, true)
	defer r.Close()
	var full, good, warned time.Time
	behind := false
	for {
		u, err := r.Next(ctx)
		if err != nil {
			return
		}
		if u.Track != videoTrack {
			continue
		}
		if good.IsZero() {
			good = u.Arrived
		}
		if behind = time.Since(u.Arrived) > lagMax || behind && !u.Key; behind {
			s.askKey()
			continue
		}
		video, _ = stream.Video()
		wanted := u.Arrived.Sub(full) >= lookEvery
		if time.Since(u.Arrived) > lagSome { // the workers are busy: look less often, and catch up
			wanted = u.Arrived.Sub(full) >= lookSeldom
		}
		sum := given.see(u.AU, u.Key)
		seen, ok, err := eye.See(ctx, video.AnnexB(u), u.Key, wanted)
		switch {
		case errors.Is(err, context.Canceled):
			return
		case err != nil:
			if time.Since(warned) > warnEvery {
				warned = time.Now()
				s.e.Log.WarnContext(ctx, "look at a bedside", "visit", s.visit.ID, "error", err)
			}
			s.askKey()
		case ok && wanted:
			full, good = u.Arrived, u.Arrived
			s.received.see(seen)
			s.offerLook(look{at: u.Arrived, seen: seen, stream: number, coded: sum})
		}
		if u.Arrived.Sub(good) > eyesGrace {
			s.end(errNoEyes)
			return
		}
	}
}

// offerLook queues l; when the protocol is busy the oldest look gives way.
func (s *session) offerLook(l look) {
	for {
		select {
		case s.looks <- l:
			return
		default:
		}
		select {
		case <-s.looks:
		default:
		}
	}
}
