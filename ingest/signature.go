package ingest

import (
	"bytes"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"wardwatch/ward"
)

// The UUIDs of the SEI messages in which cameras sign their pictures: of the
// ONVIF Media Signing Specification, and of Axis's Signed Video framework
// ("Signed Video...0").
var (
	onvifSigning = [16]byte{0x00, 0x5b, 0xc9, 0x3f, 0x2d, 0x71, 0x5e, 0x95, 0xad, 0xa4, 0x79, 0x6f, 0x90, 0x87, 0x7a, 0x6f}
	axisSigning  = [16]byte([]byte("Signed Video...0"))
)

const (
	userDataUnregistered = 5  // payloadType, ITU-T H.264 D.1.1 and H.265 D.2.1
	maxMessages          = 64 // of one NAL unit that are looked at
)

// signed is what a recording that carried the signatures of form had, once
// it has the access unit too.
func signed(form ward.CameraSignature, codec ward.Codec, au [][]byte) ward.CameraSignature {
	if codec != ward.H264 && codec != ward.H265 || form == ward.SignatureONVIF || form == ward.SignatureAxis {
		return form
	}
	for _, n := range au {
		var header int
		switch {
		case codec == ward.H264 && len(n) > 1 && h264.NALUType(n[0]&0x1f) == h264.NALUTypeSEI:
			header = 1
		case codec == ward.H265 && len(n) > 2 && (h265.NALUType(n[0]>>1&0x3f) == h265.NALUType_PREFIX_SEI_NUT || h265.NALUType(n[0]>>1&0x3f) == h265.NALUType_SUFFIX_SEI_NUT):
			header = 2
		default:
			continue
		}
		if found := signatureIn(h264.EmulationPreventionRemove(n[header:])); found != ward.SignatureNone {
			return found
		}
	}
	return ward.SignatureNone
}

// signatureIn looks through the messages of an SEI (ITU-T H.264 7.3.2.3.1,
// the same in H.265 7.3.5). What it says is foreign: a length that leads
// beyond the end ends the search.
func signatureIn(b []byte) ward.CameraSignature {
	for range maxMessages {
		kind, rest := seiNumber(b)
		size, rest := seiNumber(rest)
		if size > len(rest) {
			break
		}
		if kind == userDataUnregistered && size >= 16 {
			switch {
			case bytes.Equal(rest[:16], onvifSigning[:]):
				return ward.SignatureONVIF
			case bytes.Equal(rest[:16], axisSigning[:]):
				return ward.SignatureAxis
			}
		}
		b = rest[size:]
	}
	return ward.SignatureNone
}

// seiNumber reads a payload's type or size: 0xff bytes and a last one, summed.
// What has no end is larger than anything.
func seiNumber(b []byte) (n int, rest []byte) {
	for i, v := range b {
		if n += int(v); v != 0xff {
			return n, b[i+1:]
		}
	}
	return 1 << 30, nil
}
