package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/pion/rtp"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

const (
	// maxBadSound is how many more packets of sound may be unreadable than
	// readable before that is told: a second or two.
	maxBadSound = 50
	// comfortNoise is the payload type of silence (RFC 3551 6), which is not recorded.
	comfortNoise = 13
)

// tap turns the RTP packets of one medium into units.
type tap struct {
	media    *description.Media
	format   format.Format
	track    Track
	pictures *rtsp.Pictures                      // H.264 and H.265
	decode   func(*rtp.Packet) ([][]byte, error) // the others; keeps the payload

	// The rest belongs to the client's handlers, which run one at a time.
	started bool
	ssrc    uint32
	kind    uint8  // payload type
	next    uint16 // the expected sequence number
	lost    bool   // since the last unit
	keyed   bool   // a key frame came
	changed bool   // another sender, since the last unit
	garbled bool   // a unit was garbage: none is believed before a sane key frame
	bad     int    // packets that cannot be read, less those that can
	arrival arrival
	times   *times
	clock   cameraClock
}

// handler writes the medium's units to the session's stream.
func (t *tap) handler(s *session) rtsp.Handler {
	var rest func()
	if t.pictures != nil {
		t.pictures.Buffers, rest = s.buffers, t.pictures.Rest
	}
	return rtsp.Handler{
		Rest: rest,
		RTP: func(b []byte, at, after time.Time) {
			var p rtsp.Packet
			if err := p.Parse(b); err != nil {
				s.told.stats.garbage.Add(1)
				return
			}
			if s.told.replay != nil && t.track.Video() {
				s.told.replay.packet(b, p.Timestamp)
			}
			t.packet(s, &p, at, after)
		},
		RTCP: func(b []byte, _ time.Time) {
			if r, ok := rtsp.FindReport(b); ok && (!t.started || r.SSRC == t.ssrc) {
				t.clock.report(r)
				if s.told.replay != nil && t.track.Video() {
					s.told.replay.report(r)
				}
			}
		},
	}
}

func (t *tap) packet(s *session, p *rtsp.Packet, at, after time.Time) {
	if !t.ours(s, p) {
		return
	}
	s.arrived(at)
	s.told.stats.packets.Add(1)
	s.told.stats.bytes.Add(uint64(len(p.Payload)))
	gap := t.count(s, p)
	var err error
	if t.pictures != nil {
		err = t.pictures.Push(p, gap, func(au [][]byte, ts uint32, broken bool) {
			t.lost = t.lost || broken
			t.unit(s, au, ts, at, after)
		})
	} else {
		err = t.frame(s, p, at, after)
	}
	if err == nil {
		t.bad = max(t.bad-1, 0)
		return
	}
	t.lost = true
	s.told.stats.garbage.Add(1)
	if t.bad++; t.bad == maxBadSound && !t.track.Video() {
		s.tell(ward.AudioDropped, 0, fmt.Sprintf("%s cannot be read: %v", t.format.Codec(), err))
	}
}

// frame handles a packet of a codec other than H.264 and H.265.
func (t *tap) frame(s *session, p *rtsp.Packet, at, after time.Time) error {
	au, err := t.decode(&rtp.Packet{
		Header:  rtp.Header{Version: 2, Marker: p.Marker, PayloadType: p.Type, SequenceNumber: p.Sequence, Timestamp: p.Timestamp, SSRC: p.SSRC},
		Payload: bytes.Clone(p.Payload),
	})
	switch {
	case errors.Is(err, rtpmpeg4audio.ErrMorePacketsNeeded), errors.Is(err, rtpmjpeg.ErrMorePacketsNeeded), errors.Is(err, rtpmjpeg.ErrNonStartingPacketAndNoPrevious):
		return nil
	case err != nil:
		return err
	}
	if len(au) > 0 && len(au[0]) > 0 {
		t.unit(s, au, p.Timestamp, at, after)
	}
	return nil
}

// ours says whether the packet belongs to the track, and notes another
// sender. Cameras change their SSRC when the encoder restarts, and some their
// payload type: the recording goes on.
func (t *tap) ours(s *session, p *rtsp.Packet) bool {
	if !t.started {
		t.ssrc, t.kind = p.SSRC, p.Type
		return t.carries(p.Type)
	}
	if p.SSRC == t.ssrc && p.Type == t.kind {
		return true
	}
	if p.Type != t.kind && !t.carries(p.Type) {
		return false
	}
	if p.Type != t.kind {
		s.tell(ward.SenderChanged, 0, fmt.Sprintf("%s: payload type %d after %d", t.format.Codec(), p.Type, t.kind))
	} else {
		s.tell(ward.SenderChanged, 0, fmt.Sprintf("%s: SSRC %08x after %08x", t.format.Codec(), p.SSRC, t.ssrc))
	}
	if p.SSRC != t.ssrc {
		t.started, t.changed = false, true
		t.clock.forget()
		t.lost = t.lost || t.pictures != nil && t.pictures.Reset()
	}
	t.ssrc, t.kind = p.SSRC, p.Type
	return true
}

// carries says whether packets of this payload type may hold the track: it
// is the track's, or one of the same codec, or one that the camera did not announce.
func (t *tap) carries(kind uint8) bool {
	if kind == comfortNoise && !t.track.Video() {
		return false
	}
	for _, f := range t.media.Formats {
		if f.PayloadType() == kind {
			return f.Codec() == t.format.Codec()
		}
	}
	return true
}

// count notes packets that are missing in the sequence. A camera that does
// not count at all has lost none.
func (t *tap) count(s *session, p *rtsp.Packet) (gap bool) {
	if t.started && p.Sequence != t.next && p.Sequence != t.next-1 {
		gap, t.lost = true, true
		if n := p.Sequence - t.next; n < 1<<15 {
			s.told.stats.lost.Add(uint64(n))
		}
	}
	t.started, t.next = true, p.Sequence+1
	return gap
}

func (t *tap) unit(s *session, au [][]byte, ts uint32, at, after time.Time) {
	u := Unit{Track: t.track.ID, Arrived: t.arrival.of(t.track, ts, at, after), AU: au, Key: t.track.IsKey(au)}
	if t.track.Video() {
		seen := t.track.look(au)
		t.garbled = seen == lookGarbage || t.garbled && (!u.Key || seen != lookPicture)
		if t.garbled {
			t.lost = true
			s.told.stats.garbage.Add(1)
			return
		}
		if u.Key {
			t.track.adopt(au)
		}
		if t.lost || t.changed && !u.Key {
			u.Lost = ward.CauseLoss
		}
		if seen == lookPicture {
			s.lastUnit.set(s, at)
		}
		if t.keyed = t.keyed || u.Key; !t.keyed {
			return // nothing before the first key frame can be shown
		}
		if seen == lookPicture {
			s.firstUnit.first(s, at)
			s.told.stats.frames.Add(1)
		}
		t.clock.unit(s, ts, t.track.ClockRate, u.Arrived)
	}
	if t.changed {
		t.times.anew()
	}
	t.lost, t.changed = false, false
	u.PTS, u.DTS = t.times.of(s, t.track, u, ts)
	if s.told.replay != nil && t.track.Video() {
		s.told.replay.unit(t.track, ts, u.PTS)
	}
	s.Stream.Write(u)
}
