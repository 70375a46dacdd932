package ingest

import (
	"bytes"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"wardwatch/ward"
)

// Track is one elementary stream of a Stream.
type Track struct {
	ID        int // from 1, unique in the stream
	Codec     ward.Codec
	ClockRate int    // Hz, of PTS and DTS
	Channels  int    // audio only
	VPS       []byte // H.265, without start code
	SPS       []byte // H.264 and H.265; empty until known
	PPS       []byte
	Config    []byte // AAC: AudioSpecificConfig
}

// Video says whether the track holds pictures.
func (t Track) Video() bool {
	switch t.Codec {
	case ward.H264, ward.H265, ward.VP8, ward.MJPEG:
		return true
	case ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
		return false
	}
	return false
}

// AnnexB returns the unit's NAL units with start codes. A random access
// point that came without parameter sets gets the track's in front, so that
// a decoder can begin with it. Other codecs are returned as they are.
func (t Track) AnnexB(u Unit) []byte {
	if t.Codec != ward.H264 && t.Codec != ward.H265 {
		return bytes.Join(u.AU, nil)
	}
	if !u.Key || len(t.SPS) == 0 || slices.ContainsFunc(u.AU, func(n []byte) bool { return t.nalu(n) == naluSPS }) {
		return AnnexB(u.AU)
	}
	sets := make([][]byte, 0, 3+len(u.AU))
	for _, set := range [][]byte{t.VPS, t.SPS, t.PPS} {
		if len(set) > 0 {
			sets = append(sets, set)
		}
	}
	return AnnexB(append(sets, u.AU...))
}

// AnnexB joins NAL units with four-byte start codes.
func AnnexB(au [][]byte) []byte {
	n := 0
	for _, nalu := range au {
		n += 4 + len(nalu)
	}
	b := make([]byte, 0, n)
	for _, nalu := range au {
		b = append(b, 0, 0, 0, 1)
		b = append(b, nalu...)
	}
	return b
}

// naluKind is what ingest needs to know of a NAL unit.
type naluKind int

const (
	naluOther naluKind = iota
	naluVPS
	naluSPS
	naluPPS
)

func (t Track) nalu(n []byte) naluKind {
	if len(n) == 0 {
		return naluOther
	}
	if t.Codec == ward.H264 {
		switch h264.NALUType(n[0] & 0x1f) { //nolint:exhaustive // only parameter sets matter
		case h264.NALUTypeSPS:
			return naluSPS
		case h264.NALUTypePPS:
			return naluPPS
		}
		return naluOther
	}
	switch h265.NALUType(n[0] >> 1 & 0x3f) { //nolint:exhaustive // only parameter sets matter
	case h265.NALUType_VPS_NUT:
		return naluVPS
	case h265.NALUType_SPS_NUT:
		return naluSPS
	case h265.NALUType_PPS_NUT:
		return naluPPS
	}
	return naluOther
}

// adopt takes the parameter sets that au carries and says whether any
// differs from the track's. The first of each kind counts.
func (t *Track) adopt(au [][]byte) (changed bool) {
	if t.Codec != ward.H264 && t.Codec != ward.H265 {
		return false
	}
	var seen [naluPPS + 1]bool
	for _, n := range au {
		kind := t.nalu(n)
		if kind == naluOther || seen[kind] {
			continue
		}
		seen[kind] = true
		set := map[naluKind]*[]byte{naluVPS: &t.VPS, naluSPS: &t.SPS, naluPPS: &t.PPS}[kind]
		if !bytes.Equal(*set, n) {
			*set, changed = bytes.Clone(n), true // n would keep all of its unit
		}
	}
	return changed
}

// IsKey says whether an access unit of the track is a random access point.
func (t Track) IsKey(au [][]byte) bool {
	switch t.Codec {
	case ward.H264:
		return h264.IsRandomAccess(au)
	case ward.H265:
		return h265.IsRandomAccess(au)
	case ward.VP8:
		// RFC 6386 §9.1: bit 0 of the first byte is 0 in a key frame.
		return len(au) > 0 && len(au[0]) > 0 && au[0][0]&1 == 0
	case ward.MJPEG, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
		return true
	}
	return false
}
