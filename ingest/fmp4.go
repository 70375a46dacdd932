package ingest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/g711"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4/seekablebuffer"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

// A recording is ftyp, moov, one uuid box with a header, then fragments of
// prft, moof, mdat. The prft box (ISO/IEC 14496-12 §8.16.5) dates the first
// picture of its fragment with the server clock.

// headerUUID marks our uuid box: random, made once.
var headerUUID = [16]byte{0x6b, 0x1f, 0x0e, 0x52, 0x93, 0x4d, 0x4c, 0x0b, 0xa8, 0x71, 0x2e, 0x5a, 0xd0, 0x47, 0xc6, 0x19}

// checkedVersion is the header's version since every fragment has a check.
const checkedVersion = 2

// header makes a recording say what it is of, without the catalogue.
type header struct {
	V             int                `json:"v"`
	Source        ward.Source        `json:"source"`
	InstitutionID ward.InstitutionID `json:"institution_id"`
	Start         time.Time          `json:"start"`
	Codec         ward.Codec         `json:"codec"`
	Clock         ward.Clock         `json:"clock"`
	CameraOffset  time.Duration      `json:"camera_offset_ns"`
	Audio         ward.Codec         `json:"audio,omitempty"`
	Life          string             `json:"life,omitempty"`
	Mono          time.Duration      `json:"mono_ns,omitempty"`
	KeepUntil     time.Time          `json:"keep_until,omitzero"`
	Origin        ward.Origin        `json:"origin,omitempty"`
	Sync          ward.ClockSync     `json:"sync,omitempty"`
	ClockError    time.Duration      `json:"clock_error_ns,omitempty"`
}

// initSegment returns the beginning of a recording.
func initSegment(h header, tracks []Track, key Unit) ([]byte, error) {
	in := fmp4.Init{}
	for _, t := range tracks {
		c, err := sampleEntry(t, key)
		if err != nil {
			return nil, err
		}
		in.Tracks = append(in.Tracks, &fmp4.InitTrack{ID: t.ID, TimeScale: uint32(t.ClockRate), Codec: c}) //nolint:gosec // a clock rate is positive
	}
	var b seekablebuffer.Buffer
	if err := in.Marshal(&b); err != nil {
		return nil, fmt.Errorf("write init segment: %w", err)
	}
	moov := b.Bytes()
	for _, t := range tracks {
		switch {
		case t.Codec == ward.VP8:
			// VP8's sample entry differs from VP9's in its name only ("VP Codec
			// ISO Media File Format Binding" §3); mediacommon knows VP9's.
			moov = exchange(moov, "vp09", named("vp08"))
		case t.Codec == ward.H265 && t.alone(key.AU):
			moov = exchange(moov, "hev1", named("hvc1"))
		case t.flac():
			moov = exchange(moov, pcmEntryKind, flacEntry)
		}
	}
	body, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("write recording header: %w", err)
	}
	moov = binary.BigEndian.AppendUint32(moov, uint32(8+16+len(body))) //nolint:gosec // a few hundred bytes
	moov = append(moov, "uuid"...)
	moov = append(moov, headerUUID[:]...)
	return append(moov, body...), nil
}

// sampleEntry describes a track; key is the first picture, which tells the
// size of VP8 and JPEG.
func sampleEntry(t Track, key Unit) (mp4.Codec, error) {
	switch t.Codec {
	case ward.H264:
		return &mp4.CodecH264{SPS: t.SPS, PPS: t.PPS}, nil
	case ward.H265:
		return &mp4.CodecH265{VPS: t.VPS, SPS: t.SPS, PPS: t.PPS}, nil
	case ward.VP8:
		w, h, ok := vp8Size(key.AU)
		if !ok {
			return nil, fmt.Errorf("track %d: no VP8 key frame", t.ID)
		}
		return &mp4.CodecVP9{Width: w, Height: h, BitDepth: 8, ChromaSubsampling: 1}, nil
	case ward.MJPEG:
		w, h, ok := jpegSize(first(key.AU))
		if !ok {
			return nil, fmt.Errorf("track %d: no JPEG picture", t.ID)
		}
		return &mp4.CodecMJPEG{Width: w, Height: h}, nil
	case ward.AAC:
		var c mpeg4audio.AudioSpecificConfig
		if err := c.Unmarshal(t.Config); err != nil {
			return nil, fmt.Errorf("track %d: read AAC configuration: %w", t.ID, err)
		}
		return &mp4.CodecMPEG4Audio{Config: c}, nil
	case ward.Opus:
		return &mp4.CodecOpus{ChannelCount: max(t.Channels, 1)}, nil
	case ward.PCMU, ward.PCMA:
		return &mp4.CodecLPCM{BitDepth: 16, SampleRate: t.ClockRate, ChannelCount: max(t.Channels, 1)}, nil
	case ward.NoCodec:
	}
	return nil, fmt.Errorf("track %d: codec %q cannot be recorded", t.ID, t.Codec)
}

// vp8Size reads the size from a key frame's header (RFC 6386 §9.1).
func vp8Size(au [][]byte) (w, h int, ok bool) {
	if len(au) == 0 || len(au[0]) < 10 || au[0][0]&1 != 0 || !bytes.Equal(au[0][3:6], []byte{0x9d, 0x01, 0x2a}) {
		return 0, 0, false
	}
	w, h = int(binary.LittleEndian.Uint16(au[0][6:])&0x3fff), int(binary.LittleEndian.Uint16(au[0][8:])&0x3fff)
	return w, h, w > 0 && h > 0
}

// jpegSize reads the size from a picture's frame header (ITU-T T.81 B.2.2).
func jpegSize(b []byte) (w, h int, ok bool) {
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xd8 {
		return 0, 0, false
	}
	for b = b[2:]; len(b) >= 4 && b[0] == 0xff; {
		n := 2 + int(binary.BigEndian.Uint16(b[2:]))
		if kind := b[1]; kind >= 0xc0 && kind <= 0xc2 && len(b) >= 9 {
			h, w = int(binary.BigEndian.Uint16(b[5:])), int(binary.BigEndian.Uint16(b[7:]))
			return w, h, w > 0 && h > 0
		}
		if n > len(b) {
			break
		}
		b = b[n:]
	}
	return 0, 0, false
}

// alone says whether the key frame au of an H.265 track has no parameter
// sets but the track's, one of each. Its sample entry then has them all and
// may be called hvc1, which Safari insists on.
func (t Track) alone(au [][]byte) bool {
	var seen [naluPPS + 1]int
	for _, n := range au {
		seen[t.nalu(n)]++
	}
	return len(t.VPS) > 0 && seen[naluVPS] <= 1 && seen[naluSPS] <= 1 && seen[naluPPS] <= 1
}

// flac says whether the track is recorded as FLAC.
func (t Track) flac() bool { return t.Codec == ward.PCMU || t.Codec == ward.PCMA }

// named renames a sample entry.
func named(kind string) func([]byte) []byte {
	return func(entry []byte) []byte {
		e := bytes.Clone(entry)
		copy(e[4:], kind)
		return e
	}
}

// expand returns the 16-bit samples of G.711, which the encoder had: for
// every byte there is one.
func expand(c ward.Codec, b []byte) []int16 {
	var wide []byte // the highest byte first
	if c == ward.PCMU {
		var m g711.Mulaw
		m.Unmarshal(b)
		wide = m
	} else {
		var a g711.Alaw
		a.Unmarshal(b)
		wide = a
	}
	samples := make([]int16, len(b))
	for i := range samples {
		samples[i] = int16(binary.BigEndian.Uint16(wide[2*i:])) //nolint:gosec // two's complement
	}
	return samples
}

// appendPRFT appends a box that says: the sample of track at media time
// (decode time, in its timescale) arrived at wall.
func appendPRFT(b []byte, track int, wall time.Time, media int64) []byte {
	b = binary.BigEndian.AppendUint32(b, 32)
	b = append(b, "prft"...)
	b = append(b, 1, 0, 0, 8)                           // version 1; the relation is consistent in the track
	b = binary.BigEndian.AppendUint32(b, uint32(track)) //nolint:gosec // from 1
	b = binary.BigEndian.AppendUint64(b, rtsp.NTP(wall))
	return binary.BigEndian.AppendUint64(b, uint64(media)) //nolint:gosec // not negative
}

// readPRFT is the reverse, for a box of 32 bytes.
func readPRFT(b []byte) (wall time.Time, media int64) {
	return rtsp.FromNTP(binary.BigEndian.Uint64(b[16:])), int64(binary.BigEndian.Uint64(b[24:])) //nolint:gosec // what we wrote
}
