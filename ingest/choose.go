package ingest

import (
	"errors"
	"fmt"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmjpeg"
	"github.com/pion/rtp"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

// videoCodecs names the video that a camera offers, recordable or not.
func videoCodecs(desc *description.Session) []string {
	var all []string
	for _, m := range desc.Medias {
		for _, f := range m.Formats {
			if m.Type == description.MediaTypeVideo {
				all = append(all, f.Codec())
			}
		}
	}
	return all
}

// choose picks the first video and the first sound that can be recorded.
// silent names the sounds that cannot.
func choose(desc *description.Session) (video, audio *tap, silent []string) {
	for _, m := range desc.Medias {
		if m.IsBackChannel {
			continue
		}
		for _, f := range m.Formats {
			t, err := newTap(m, f)
			switch {
			case err != nil && m.Type == description.MediaTypeAudio:
				silent = append(silent, f.Codec()+": "+err.Error())
			case err != nil:
			case t.track.Video() && video == nil:
				video = t
			case !t.track.Video() && audio == nil:
				audio = t
			}
		}
	}
	return video, audio, silent
}

// jpegHeader is the length of the header of a JPEG fragment (RFC 2435 3.1).
const jpegHeader = 8

var errNoPicture = errors.New("a fragment without a part of a picture")

var errNotRecordable = errors.New("this codec cannot be recorded")

func newTap(m *description.Media, f format.Format) (*tap, error) {
	t := &tap{media: m, format: f, track: Track{ClockRate: f.ClockRate()}}
	var err error
	switch f := f.(type) {
	case *format.H264:
		if f.PacketizationMode > 1 {
			err = errNotRecordable // interleaved
		}
		t.pictures = &rtsp.Pictures{}
		t.track.Codec, t.track.SPS, t.track.PPS = ward.H264, f.SPS, f.PPS
	case *format.H265:
		if f.MaxDONDiff != 0 {
			err = errNotRecordable // interleaved
		}
		t.pictures = &rtsp.Pictures{H265: true}
		t.track.Codec, t.track.VPS, t.track.SPS, t.track.PPS = ward.H265, f.VPS, f.SPS, f.PPS
	case *format.MJPEG:
		var d *rtpmjpeg.Decoder
		if d, err = f.CreateDecoder(); err == nil {
			t.decode = whole(func(p *rtp.Packet) ([]byte, error) {
				if len(p.Payload) <= jpegHeader { // the decoder would keep them without end
					return nil, errNoPicture
				}
				return d.Decode(p)
			})
		}
		t.track.Codec = ward.MJPEG
	default:
		err = t.sound(f)
	}
	if err != nil {
		return nil, err
	}
	if t.track.ClockRate <= 0 {
		return nil, fmt.Errorf("clock rate %d: %w", t.track.ClockRate, errNotRecordable)
	}
	t.times = newTimes(t.track)
	return t, nil
}

// sound prepares for a codec of sound.
func (t *tap) sound(f format.Format) error {
	switch f := f.(type) {
	case *format.MPEG4Audio:
		if f.Config == nil {
			return errNotRecordable
		}
		config, err := f.Config.Marshal()
		if err != nil {
			return err
		}
		d, err := f.CreateDecoder()
		if err != nil {
			return err
		}
		t.decode = d.Decode
		t.track.Codec, t.track.Config, t.track.Channels = ward.AAC, config, f.Config.ChannelCount
	case *format.Opus:
		d, err := f.CreateDecoder()
		if err != nil {
			return err
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
		return errNotRecordable
	}
	return nil
}

func whole(decode func(*rtp.Packet) ([]byte, error)) func(*rtp.Packet) ([][]byte, error) {
	return func(p *rtp.Packet) ([][]byte, error) {
		b, err := decode(p)
		return [][]byte{b}, err
	}
}
