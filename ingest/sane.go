package ingest

import (
	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"wardwatch/ward"
)

// look is what the headers of an access unit say.
type look int

const (
	lookNoPicture look = iota // nothing wrong, and no slice of a picture
	lookPicture
	lookGarbage // a slice header that no encoder writes
)

// look reads the slice headers of an access unit: random bytes from a broken
// camera are NAL units of some type, and must not count as pictures.
func (t Track) look(au [][]byte) look {
	seen := lookNoPicture
	for _, n := range au {
		var slice, sane bool
		switch t.Codec {
		case ward.H264:
			slice, sane = sliceH264(n)
		case ward.H265:
			slice, sane = sliceH265(n)
		case ward.MJPEG, ward.VP8, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
			return lookPicture // their decoders check more
		}
		if slice && !sane {
			return lookGarbage
		}
		if slice {
			seen = lookPicture
		}
	}
	return seen
}

// sliceH264 checks ITU-T H.264 7.3.1 and 7.3.3 as far as the parameter set's
// id: forbidden bit, reference flag, slice type, range of the id.
func sliceH264(n []byte) (slice, sane bool) {
	if len(n) == 0 {
		return false, false
	}
	kind := h264.NALUType(n[0] & 0x1f)
	if kind != h264.NALUTypeNonIDR && kind != h264.NALUTypeIDR {
		return false, false
	}
	first, pos := head(n, 1)
	_, err := bits.ReadGolombUnsigned(first, &pos) // first_mb_in_slice
	if err != nil {
		return true, false
	}
	sliceType, err := bits.ReadGolombUnsigned(first, &pos)
	if err != nil || sliceType > 9 {
		return true, false
	}
	set, err := bits.ReadGolombUnsigned(first, &pos)
	if err != nil || set > 255 || n[0]&0x80 != 0 {
		return true, false
	}
	if kind == h264.NALUTypeIDR { // I or SI, and others refer to it
		return true, n[0]&0x60 != 0 && (sliceType%5 == 2 || sliceType%5 == 4)
	}
	return true, true
}

// sliceH265 checks ITU-T H.265 7.3.1.2 and the first fields of 7.3.6.1.
func sliceH265(n []byte) (slice, sane bool) {
	if len(n) < 3 || n[0]>>1&0x3f >= 32 {
		return false, false
	}
	kind := n[0] >> 1 & 0x3f
	first, pos := head(n, 2)
	pos++ // first_slice_segment_in_pic_flag
	if kind >= 16 && kind <= 23 {
		pos++ // no_output_of_prior_pics_flag
	}
	set, err := bits.ReadGolombUnsigned(first, &pos)
	layer := n[0]&1<<5 | n[1]>>3
	return true, err == nil && set <= 63 && n[0]&0x80 == 0 && layer == 0 && n[1]&7 != 0
}

// head is the first bytes after a NAL unit's header, without emulation
// prevention: enough for the fields that are read here.
func head(n []byte, header int) ([]byte, int) {
	return h264.EmulationPreventionRemove(n[header:min(len(n), header+32)]), 0
}
