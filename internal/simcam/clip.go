package simcam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
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
	intra   bool  // every picture is a key frame, as in MJPEG
	samples []sample
	isKey   func(au [][]byte) bool
	media   mediaOf
}

// mediaOf makes a track's description and RTP encoder for one camera.
type mediaOf func(pt uint8) (*description.Media, encoder, error)

type encoder = func(au [][]byte) ([]*rtp.Packet, error)

type sample struct {
	pts, dts int64 // 90 kHz from the first picture
	key      bool
	au       [][]byte
}

// ReadClip reads an MPEG-TS file with H.264 or H.265 video and at most one
// AAC or Opus track, or a row of JPEG pictures (*.mjpeg, at 25 a second).
// tone adds what neither can carry: with PCMU or PCMA a G.711 track with a
// 440 Hz tone, with G726 a hum in a codec that nobody records.
func ReadClip(path string, tone ward.Codec) (*Clip, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read clip: %w", err)
	}
	read := parse
	if filepath.Ext(path) == ".mjpeg" {
		read = pictures
	}
	c, err := read(b)
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
			t.isKey, t.media = h264.IsRandomAccess, t.h264
			r.OnDataH264(ts, t.take)
		case *mpegts.CodecH265:
			t := add(true, tsClock)
			t.isKey, t.media = h265.IsRandomAccess, t.h265
			r.OnDataH265(ts, t.take)
		case *mpegts.CodecMPEG4Audio:
			t := add(false, k.SampleRate)
			t.media = aac(k)
			r.OnDataMPEG4Audio(ts, func(pts int64, aus [][]byte) error {
				for i, au := range aus {
					t.hear(pts+int64(i)*1024*tsClock/int64(k.SampleRate), au)
				}
				return nil
			})
		case *mpegts.CodecOpus:
			t := add(false, opusRate)
			t.media = opusMedia(k)
			r.OnDataOpus(ts, func(pts int64, packets [][]byte) error {
				for _, p := range packets {
					t.hear(pts, p)
					pts += opus.PacketDuration2(p) * tsClock / opusRate
				}
				return nil
			})
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

// take keeps an access unit of video.
func (t *clipTrack) take(pts, dts int64, au [][]byte) error {
	own := make([][]byte, 0, len(au))
	for _, n := range au {
		own = append(own, bytes.Clone(n))
	}
	t.samples = append(t.samples, sample{pts, dts, t.isKey(own), own})
	return nil
}

// hear keeps a packet of sound.
func (t *clipTrack) hear(pts int64, packet []byte) {
	t.samples = append(t.samples, sample{pts, pts, true, [][]byte{bytes.Clone(packet)}})
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
