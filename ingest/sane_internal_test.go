package ingest

import (
	"math/rand/v2"
	"testing"

	"wardwatch/ward"
)

func TestRealSlicesArePicturesAndNoiseIsNot(t *testing.T) {
	for name, tc := range map[string]struct {
		codec ward.Codec
		au    []byte
		want  look
	}{
		"H.264 IDR":           {ward.H264, []byte{0x65, 0x88, 0x84, 0x00, 0x33}, lookPicture},
		"H.264 P":             {ward.H264, []byte{0x41, 0x9a, 0x24, 0x6c}, lookPicture},
		"H.264 SEI":           {ward.H264, []byte{0x06, 0x05, 0xff}, lookNoPicture},
		"H.264 forbidden bit": {ward.H264, []byte{0xe5, 0x88, 0x84, 0x00}, lookGarbage},
		"H.264 IDR of type P": {ward.H264, []byte{0x65, 0x9a, 0x24, 0x6c}, lookGarbage},
		"H.264 cut":           {ward.H264, []byte{0x65}, lookGarbage},
		"H.265 IDR":           {ward.H265, []byte{0x26, 0x01, 0xaf, 0x08}, lookPicture},
		"H.265 P":             {ward.H265, []byte{0x02, 0x01, 0xd0, 0x09}, lookPicture},
		"H.265 layer 5":       {ward.H265, []byte{0x26, 0x29, 0xaf, 0x08}, lookGarbage},
		"H.265 VPS":           {ward.H265, []byte{0x40, 0x01, 0x0c}, lookNoPicture},
	} {
		if got := (Track{Codec: tc.codec}).look([][]byte{tc.au}); got != tc.want {
			t.Errorf("%s: got %d, want %d", name, got, tc.want)
		}
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for _, codec := range []ward.Codec{ward.H264, ward.H265} {
		const n = 100_000
		keys := 0
		for range n {
			b := make([]byte, 200)
			for i := range b {
				b[i] = byte(dice.Uint32())
			}
			if tr := (Track{Codec: codec}); tr.IsKey([][]byte{b}) && tr.look([][]byte{b}) == lookPicture {
				keys++
			}
		}
		if keys > n/200 {
			t.Errorf("%s: %d of %d random units pass for key frames", codec, keys, n)
		}
	}
}
