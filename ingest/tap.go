package ingest

import (
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	"github.com/pion/rtp"

	"wardwatch/ward"
)

// tap turns the RTP packets of one media into units.
type tap struct {
	media  *description.Media
	format format.Format
	track  Track
	decode func(*rtp.Packet) ([][]byte, error)

	// The rest belongs to the client's reading goroutine.
	started bool
	next    uint16 // the expected sequence number
	lost    bool   // since the last unit
	garbled bool   // a unit was garbage: none is believed before a sane key frame
	times   *times
	clock   senderClock // safe for concurrent use
}

// choose picks the first video and the first audio that can be recorded;
// video comes first. Audio that cannot is left out with a warning.
func (s *session) choose(desc *description.Session) []*tap {
	var video, audio *tap
	for _, m := range desc.Medias {
		if m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			t, err := newTap(m, f)
			switch {
			case err != nil:
				s.log.Warn("track ignored", "codec", f.Codec(), "error", err)
			case t.track.Video() && video == nil:
				video = t
			case !t.track.Video() && audio == nil:
				audio = t
			}
		}
	}
	var taps []*tap
	if video != nil {
		taps = append(taps, video)
		if audio != nil {
			taps = append(taps, audio)
		}
	}
	return taps
}

var errNotRecordable = errors.New("this codec cannot be recorded")

func newTap(m *description.Media, f format.Format) (*tap, error) {
	t := &tap{media: m, format: f, track: Track{ClockRate: f.ClockRate()}}
	switch f := f.(type) {
	case *format.H264:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		t.decode = d.Decode
		t.track.Codec, t.track.SPS, t.track.PPS = ward.H264, f.SPS, f.PPS
	case *format.H265:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		t.decode = d.Decode
		t.track.Codec, t.track.VPS, t.track.SPS, t.track.PPS = ward.H265, f.VPS, f.SPS, f.PPS
	case *format.MPEG4Audio:
		if f.Config == nil {
			return nil, errNotRecordable
		}
		config, err := f.Config.Marshal()
		if err != nil {
			return nil, err
		}
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		t.decode = d.Decode
		t.track.Codec, t.track.Config, t.track.Channels = ward.AAC, config, f.Config.ChannelCount
	case *format.Opus:
		d, err := f.CreateDecoder()
		if err != nil {
			return nil, err
		}
		t.decode = whole(d.Decode)
		t.track.Codec, t.track.Channels = ward.Opus, max(f.ChannelCount, 1)
	case *format.G711:
		t.decode = func(p *rtp.Packet) ([][]byte, error) { return [][]byte{p.Payload}, nil }
		t.track.Codec, t.track.Channels = ward.PCMA, max(f.ChannelCount, 1)
		if f.MULaw {
			t.track.Codec = ward.PCMU
		}
	default:
		return nil, errNotRecordable
	}
	t.times = newTimes(t.track)
	return t, nil
}

func whole(decode func(*rtp.Packet) ([]byte, error)) func(*rtp.Packet) ([][]byte, error) {
	return func(p *rtp.Packet) ([][]byte, error) {
		b, err := decode(p)
		return [][]byte{b}, err
	}
}

// listen writes the media's units to the stream.
func (t *tap) listen(s *session, stream *Stream) {
	s.client.OnPacketRTCP(t.media, t.clock.report)
	s.client.OnPacketRTP(t.media, t.format, func(p *rtp.Packet) {
		now := time.Now()
		s.lastPacket.Store(now.UnixMicro())
		s.told.stats.packets.Add(1)
		s.told.stats.bytes.Add(uint64(len(p.Payload)))
		t.count(s, p)
		pts, ok := s.client.PacketPTS2(t.media, p)
		au, err := t.decode(p)
		if err != nil {
			if !waiting(err) {
				t.lost = true
				s.told.stats.garbage.Add(1)
			}
			return
		}
		if !ok || len(au) == 0 {
			return
		}
		if at, ok := t.clock.at(p, t.track.ClockRate); ok && t.track.Video() {
			stream.SetClock(at.Sub(now))
		}
		t.write(s, stream, Unit{Track: t.track.ID, PTS: pts, Arrived: now, AU: au})
	})
}

// count notes packets that are missing in the sequence.
func (t *tap) count(s *session, p *rtp.Packet) {
	if t.started && p.SequenceNumber != t.next {
		t.lost = true
		if n := p.SequenceNumber - t.next; n < 1<<15 {
			s.told.stats.lost.Add(uint64(n))
		}
	}
	t.started, t.next = true, p.SequenceNumber+1
}

// waiting says whether err means only that a unit is not complete yet.
func waiting(err error) bool {
	return errors.Is(err, rtph264.ErrMorePacketsNeeded) || errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious) ||
		errors.Is(err, rtph265.ErrMorePacketsNeeded) || errors.Is(err, rtph265.ErrNonStartingPacketAndNoPrevious) ||
		errors.Is(err, rtpmpeg4audio.ErrMorePacketsNeeded)
}

func (t *tap) write(s *session, stream *Stream, u Unit) {
	u.Key = t.track.IsKey(u.AU)
	if t.track.Video() {
		seen := t.track.look(u.AU)
		t.garbled = seen == lookGarbage || t.garbled && (!u.Key || seen != lookPicture)
		if t.garbled {
			t.lost = true
			s.told.stats.garbage.Add(1)
			return
		}
		if u.Key {
			t.track.adopt(u.AU)
		}
		if t.lost {
			u.Lost = ward.CauseLoss
		}
		if seen == lookPicture {
			s.lastUnit.Store(u.Arrived.UnixMicro())
			s.firstUnit.CompareAndSwap(0, u.Arrived.UnixMicro())
			s.told.stats.frames.Add(1)
		}
	}
	t.lost = false
	u.PTS, u.DTS = t.times.of(t.track, u)
	stream.Write(u)
}
