package ingest

import (
	"bytes"
	"slices"
	"testing"

	"wardwatch/ward"
)

// sei is an SEI message of user_data_unregistered behind another message.
func sei(header []byte, uuid [16]byte, more int) []byte {
	b := append(slices.Clone(header), 1, 2, 0xaa, 0xbb, userDataUnregistered)
	for size := 16 + more; ; size -= 255 {
		if size < 255 {
			b = append(b, byte(size))
			break
		}
		b = append(b, 0xff)
	}
	b = append(b, uuid[:]...)
	return append(append(b, bytes.Repeat([]byte{0x77}, more)...), 0x80)
}

func TestSignatureOfACamera(t *testing.T) {
	slice264, slice265 := []byte{0x65, 0x88, 0x80, 0x10}, []byte{0x26, 0x01, 0xaf, 0x08}
	other := [16]byte([]byte("another encoder!"))
	for name, tc := range map[string]struct {
		codec ward.Codec
		au    [][]byte
		want  ward.CameraSignature
	}{
		"ONVIF in H.264":           {ward.H264, [][]byte{sei([]byte{6}, onvifSigning, 900), slice264}, ward.SignatureONVIF},
		"ONVIF in H.265, prefix":   {ward.H265, [][]byte{sei([]byte{39 << 1, 1}, onvifSigning, 8), slice265}, ward.SignatureONVIF},
		"ONVIF in H.265, suffix":   {ward.H265, [][]byte{slice265, sei([]byte{40 << 1, 1}, onvifSigning, 8)}, ward.SignatureONVIF},
		"Axis in H.264":            {ward.H264, [][]byte{sei([]byte{6}, axisSigning, 300), slice264}, ward.SignatureAxis},
		"behind another's message": {ward.H264, [][]byte{sei([]byte{6}, other, 20), sei([]byte{6}, axisSigning, 20), slice264}, ward.SignatureAxis},
		"another's message":        {ward.H264, [][]byte{sei([]byte{6}, other, 20), slice264}, ward.SignatureNone},
		"none":                     {ward.H264, [][]byte{slice264}, ward.SignatureNone},
		"in a slice, not an SEI":   {ward.H264, [][]byte{sei([]byte{0x65}, onvifSigning, 4)}, ward.SignatureNone},
		"cut off":                  {ward.H264, [][]byte{sei([]byte{6}, onvifSigning, 900)[:15]}, ward.SignatureNone},
		"a codec without SEI":      {ward.VP8, [][]byte{sei([]byte{6}, onvifSigning, 4)}, ward.SignatureUnseen},
	} {
		t.Run(name, func(t *testing.T) {
			if got := signed(ward.SignatureUnseen, tc.codec, tc.au); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	if got := signed(ward.SignatureONVIF, ward.H264, [][]byte{slice264}); got != ward.SignatureONVIF {
		t.Errorf("a later picture without one makes it %q", got)
	}
}

func FuzzSignature(f *testing.F) {
	f.Add(sei([]byte{6}, onvifSigning, 900), true)
	f.Add(sei([]byte{39 << 1, 1}, axisSigning, 3), false)
	f.Add(bytes.Repeat([]byte{0xff}, 70), true)
	f.Fuzz(func(t *testing.T, n []byte, avc bool) {
		codec := ward.H265
		if avc {
			codec = ward.H264
		}
		got := signed(ward.SignatureUnseen, codec, [][]byte{n})
		plain := bytes.Contains(n, onvifSigning[:]) || bytes.Contains(n, axisSigning[:])
		if got != ward.SignatureNone && !plain && !bytes.Contains(n, []byte{0, 0, 3}) {
			t.Errorf("%q of what has no UUID: %x", got, n)
		}
	})
}
