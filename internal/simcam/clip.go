package simcam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	"github.com/pion/rtp"

	"wardwatch/ward"
)

// tsClock is the clock of MPEG-TS, ticks a second.
const tsClock = 90000

// Clip is coded media in memory. Cameras share it; nothing writes to it
// after ReadClip.
type Clip struct {
	Length time.Duration // of the video; every track loops at it
	tracks []clipTrack
}

type clipTrack struct {
	video   bool
	clock   int64 // of RTP, ticks a second
	samples []sample
	// media makes the track's description and encoder for one camera.
	media func(pt uint8) (*description.Media, func([][]byte) ([]*rtp.Packet, error), error)
}

type sample struct {
	pts, dts int64 // 90 kHz from the first picture
	au       [][]byte
}

// ReadClip reads an MPEG-TS file with H.264 or H.265 video and at most one
// AAC track. tone, when PCMU or PCMA, adds a G.711 track with a 440 Hz tone,
// since MPEG-TS cannot carry G.711.
func ReadClip(path string, tone ward.Codec) (*Clip, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read clip: %w", err)
	}
	c, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("read clip %s: %w", path, err)
	}
	if tone != ward.NoCodec {
		t, err := toneTrack(tone, c.Length)
		if err != nil {
			return nil, err
		}
		c.tracks = append(c.tracks, t)
	}
	return c, nil
}

func parse(b []byte) (*Clip, error) {
	r := &mpegts.Reader{R: bytes.NewReader(b)}
	if err := r.Initialize(); err != nil {
		return nil, err
	}
	tracks := make([]*clipTrack, 0, 2)
	add := func(video bool, clock int) *clipTrack {
		t := &clipTrack{video: video, clock: int64(clock)}
		tracks = append(tracks, t)
		return t
	}
	for _, ts := range r.Tracks() {
		switch k := ts.Codec.(type) {
		case *mpegts.CodecH264:
			t := add(true, tsClock)
			r.OnDataH264(ts, t.take)
			t.media = t.h264
		case *mpegts.CodecH265:
			t := add(true, tsClock)
			r.OnDataH265(ts, t.take)
			t.media = t.h265
		case *mpegts.CodecMPEG4Audio:
			t := add(false, k.SampleRate)
			r.OnDataMPEG4Audio(ts, func(pts int64, aus [][]byte) error {
				for i, au := range aus {
					at := pts + int64(i)*1024*tsClock/int64(k.SampleRate)
					t.samples = append(t.samples, sample{at, at, [][]byte{bytes.Clone(au)}})
				}
				return nil
			})
			t.media = func(pt uint8) (*description.Media, func([][]byte) ([]*rtp.Packet, error), error) {
				f := &format.MPEG4Audio{PayloadTyp: pt, Config: &k.Config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
				e, err := f.CreateEncoder()
				if err != nil {
					return nil, nil, err
				}
				return &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{f}}, e.Encode, nil
			}
		}
	}
	for {
		if err := r.Read(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	return assemble(tracks)
}

// assemble moves every track to the origin of the first picture and finds
// the clip's length: the pictures' span plus one mean frame.
func assemble(tracks []*clipTrack) (*Clip, error) {
	c := &Clip{}
	origin, length := int64(0), int64(0)
	for _, t := range tracks {
		if n := int64(len(t.samples)); t.video && n >= 2 {
			origin = t.samples[0].dts
			length = (t.samples[n-1].dts - origin) * n / (n - 1)
		}
	}
	if length == 0 {
		return nil, errors.New("no H.264 or H.265 video in it")
	}
	for _, t := range tracks {
		kept := t.samples[:0]
		for _, s := range t.samples {
			s.pts, s.dts = s.pts-origin, s.dts-origin
			if s.dts >= 0 && s.dts < length {
				kept = append(kept, s)
			}
		}
		t.samples = kept
		c.tracks = append(c.tracks, *t)
	}
	c.Length = time.Duration(length) * time.Second / tsClock
	return c, nil
}

func (t *clipTrack) take(pts, dts int64, au [][]byte) error {
	own := make([][]byte, 0, len(au))
	for _, n := range au {
		own = append(own, bytes.Clone(n))
	}
	t.samples = append(t.samples, sample{pts, dts, own})
	return nil
}

// find returns the first NAL unit that is says yes to.
func (t *clipTrack) find(is func(nalu []byte) bool) []byte {
	for _, s := range t.samples {
		for _, n := range s.au {
			if len(n) > 0 && is(n) {
				return n
			}
		}
	}
	return nil
}

func (t *clipTrack) h264(pt uint8) (*description.Media, func([][]byte) ([]*rtp.Packet, error), error) {
	kind := func(k h264.NALUType) []byte {
		return t.find(func(n []byte) bool { return h264.NALUType(n[0]&0x1f) == k })
	}
	f := &format.H264{PayloadTyp: pt, SPS: kind(h264.NALUTypeSPS), PPS: kind(h264.NALUTypePPS), PacketizationMode: 1}
	e, err := f.CreateEncoder()
	if err != nil {
		return nil, nil, err
	}
	return &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}, e.Encode, nil
}

func (t *clipTrack) h265(pt uint8) (*description.Media, func([][]byte) ([]*rtp.Packet, error), error) {
	kind := func(k h265.NALUType) []byte {
		return t.find(func(n []byte) bool { return h265.NALUType(n[0]>>1&0x3f) == k })
	}
	f := &format.H265{PayloadTyp: pt, VPS: kind(h265.NALUType_VPS_NUT), SPS: kind(h265.NALUType_SPS_NUT), PPS: kind(h265.NALUType_PPS_NUT)}
	e, err := f.CreateEncoder()
	if err != nil {
		return nil, nil, err
	}
	return &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{f}}, e.Encode, nil
}
