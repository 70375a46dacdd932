package rounds

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pion/webrtc/v4"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	videoTrack = 1 // track ids in the stream
	audioTrack = 2
	audioWait  = 1500 * time.Millisecond // for an offered microphone, after the first picture
)

// join waits for the bedside's tracks, makes the stream and begins to read.
func (s *session) join(ctx context.Context) (*ingest.Stream, error) {
	wait := time.NewTimer(joinTimeout)
	defer wait.Stop()
	var video, audio *webrtc.TrackRemote
	for video == nil || audio == nil && s.offer.audio {
		select {
		case t := <-s.tracks:
			switch {
			case t.Kind() == webrtc.RTPCodecTypeVideo && video == nil:
				video = t
				wait.Reset(audioWait)
			case t.Kind() == webrtc.RTPCodecTypeAudio && audio == nil:
				audio = t
			}
			continue
		case <-wait.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if video == nil {
			return nil, errNoJoin
		}
		break // no microphone: pictures never wait for sound
	}
	tracks, err := tracksOf(video, audio)
	if err != nil {
		return nil, err
	}
	stream := ingest.NewStream(ward.Source{Kind: ward.FromVisit, ID: string(s.visit.ID)}, s.visit.InstitutionID, tracks)
	s.mu.Lock()
	s.stream, s.videoSSRC, s.codec = stream, video.SSRC(), video.Codec().RTPCodecCapability
	s.mu.Unlock()
	began := time.Now()
	s.spawn(func() { s.readVideo(video, stream, tracks[0], began) })
	if audio != nil {
		s.spawn(func() { s.readAudio(audio, stream, began) })
	}
	s.askKey()
	return stream, nil
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

// readVideo forwards packets to the calls as they come and writes whole
// pictures to the stream until the connection closes.
func (s *session) readVideo(t *webrtc.TrackRemote, stream *ingest.Stream, track ingest.Track, began time.Time) {
	whole := newPictures(track.Codec)
	line := timeline{rate: 90000}
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			s.end(errCut)
			return
		}
		s.relay(p, true)
		whole.push(p)
		for pic, ok := whole.next(); ok; pic, ok = whole.next() {
			now := time.Now()
			pts := line.at(pic.ts, now.Sub(began))
			u := ingest.Unit{Track: videoTrack, PTS: pts, DTS: pts, Arrived: now, AU: pic.au, Key: track.IsKey(pic.au)}
			if pic.lost {
				u.Lost = ward.CauseLoss
				if !u.Key {
					s.askKey()
				}
			}
			stream.Write(u)
			select {
			case s.seen <- struct{}{}:
			default:
			}
		}
	}
}

func (s *session) readAudio(t *webrtc.TrackRemote, stream *ingest.Stream, began time.Time) {
	opus := strings.EqualFold(t.Codec().MimeType, webrtc.MimeTypeOpus)
	line := timeline{rate: 48000}
	last := int64(-1)
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return // the video reader tells
		}
		s.relay(p, false)
		now := time.Now()
		pts := line.at(p.Timestamp, now.Sub(began))
		if !opus || len(p.Payload) == 0 || pts <= last { // a late packet would go back in time
			continue
		}
		last = pts
		stream.Write(ingest.Unit{Track: audioTrack, PTS: pts, DTS: pts, Arrived: now, AU: [][]byte{p.Payload}, Key: true})
	}
}

// watchSilence ends the session when no picture comes for 10 s.
func (s *session) watchSilence(ctx context.Context) {
	t := time.NewTimer(silence)
	defer t.Stop()
	for {
		select {
		case <-s.seen:
			t.Reset(silence)
		case <-t.C:
			s.end(errSilent)
			return
		case <-ctx.Done():
			return
		}
	}
}

// lookEvery is the least time between two pictures that are looked at in
// full: about 60 ms of one core each.
const (
	lookEvery  = 120 * time.Millisecond
	lookSeldom = 500 * time.Millisecond // instead, when behind by more than lagSome
	lagSome    = 400 * time.Millisecond
	lagMax     = 1500 * time.Millisecond // behind by more, pictures up to the next key frame are skipped
	lookDepth  = 300                     // units
	eyesGrace  = 15 * time.Second        // without any picture analysed though pictures come
)

// watch feeds the pictures to an Eye and hands what it saw to the protocol.
func (s *session) watch(ctx context.Context, stream *ingest.Stream) {
	video, _ := stream.Video()
	eye := s.e.NewEye(video.Codec)
	defer eye.Close()
	r := stream.Subscribe(lookDepth, true)
	defer r.Close()
	var still stillness
	var full, good time.Time
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
		if behind = behind && !u.Key || !u.Key && time.Since(u.Arrived) > lagMax; behind {
			s.askKey()
			continue
		}
		video, _ = stream.Video()
		wanted := u.Arrived.Sub(full) >= lookEvery
		if time.Since(u.Arrived) > lagSome { // the workers are busy: look less often, and catch up
			wanted = u.Arrived.Sub(full) >= lookSeldom
		}
		seen, ok, err := eye.See(ctx, video.AnnexB(u), u.Key, wanted)
		switch {
		case errors.Is(err, context.Canceled):
			return
		case err != nil:
			s.e.Log.WarnContext(ctx, "look at a bedside", "visit", s.visit.ID, "error", err)
			s.askKey()
		case ok && wanted:
			full, good = u.Arrived, u.Arrived
			s.offerLook(look{at: u.Arrived, seen: seen, frozen: still.see(u.Arrived, seen)})
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
