package simcam

import (
	"bytes"
	"errors"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	"github.com/pion/rtp"
)

const (
	opusRate = 48000
	// jpegRate is how many pictures a second a file of JPEG pictures has,
	// which does not say so itself.
	jpegRate = 25
)

func video(f format.Format) *description.Media {
	return &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}
}

func sound(f format.Format) *description.Media {
	return &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{f}}
}

func (t *clipTrack) h264(pt uint8) (*description.Media, encoder, error) {
	kind := func(k h264.NALUType) []byte {
		return t.find(func(n []byte) bool { return h264.NALUType(n[0]&0x1f) == k })
	}
	f := &format.H264{PayloadTyp: pt, SPS: kind(h264.NALUTypeSPS), PPS: kind(h264.NALUTypePPS), PacketizationMode: 1}
	e, err := f.CreateEncoder()
	if err != nil {
		return nil, nil, err
	}
	return video(f), e.Encode, nil
}

func (t *clipTrack) h265(pt uint8) (*description.Media, encoder, error) {
	kind := func(k h265.NALUType) []byte {
		return t.find(func(n []byte) bool { return h265.NALUType(n[0]>>1&0x3f) == k })
	}
	f := &format.H265{PayloadTyp: pt, VPS: kind(h265.NALUType_VPS_NUT), SPS: kind(h265.NALUType_SPS_NUT), PPS: kind(h265.NALUType_PPS_NUT)}
	e, err := f.CreateEncoder()
	if err != nil {
		return nil, nil, err
	}
	return video(f), e.Encode, nil
}

func aac(k *mpegts.CodecMPEG4Audio) mediaOf {
	return func(pt uint8) (*description.Media, encoder, error) {
		f := &format.MPEG4Audio{PayloadTyp: pt, Config: &k.Config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
		e, err := f.CreateEncoder()
		if err != nil {
			return nil, nil, err
		}
		return sound(f), e.Encode, nil
	}
}

func opusMedia(k *mpegts.CodecOpus) mediaOf {
	return func(pt uint8) (*description.Media, encoder, error) {
		f := &format.Opus{PayloadTyp: pt, ChannelCount: k.ChannelCount}
		e, err := f.CreateEncoder()
		if err != nil {
			return nil, nil, err
		}
		encode := func(au [][]byte) ([]*rtp.Packet, error) {
			p, err := e.Encode(au[0])
			return []*rtp.Packet{p}, err
		}
		return sound(f), encode, nil
	}
}

// pictures takes a file apart that is one JPEG picture after the other.
func pictures(b []byte) (*Clip, error) {
	t := clipTrack{video: true, intra: true, clock: tsClock, media: func(uint8) (*description.Media, encoder, error) {
		f := &format.MJPEG{}
		e, err := f.CreateEncoder()
		if err != nil {
			return nil, nil, err
		}
		return video(f), func(au [][]byte) ([]*rtp.Packet, error) { return e.Encode(au[0]) }, nil
	}}
	begin, end := []byte{0xff, 0xd8}, []byte{0xff, 0xd9} // inside a scan, 0xff is followed by 0
	for bytes.HasPrefix(b, begin) {
		n := bytes.Index(b, end)
		if n < 0 {
			break
		}
		at := int64(len(t.samples)) * tsClock / jpegRate
		t.samples = append(t.samples, sample{at, at, true, [][]byte{b[:n+len(end)]}})
		b = b[n+len(end):]
	}
	if len(t.samples) == 0 {
		return nil, errors.New("no JPEG pictures in it")
	}
	return &Clip{Length: time.Duration(len(t.samples)) * time.Second / jpegRate, tracks: []clipTrack{t}}, nil
}
