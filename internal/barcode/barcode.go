// Package barcode reads QR codes and Code 128 from a grey picture. It must
// know nothing of cameras, wards or what a code means. Pictures are hostile:
// what is read is bounded, and a picture that breaks the reader has no code.
package barcode

import (
	"unicode"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/oned"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// The bounds of what is read.
const (
	Most      = 2       // codes of one picture: one of each kind
	MaxText   = 128     // bytes of a code; a longer one is none of ours
	maxPixels = 4 << 20 // of a picture
	minSide   = 32
)

// Read returns the text of the QR code and of the Code 128 in a picture of 8
// bits a pixel, row by row; none is no error. About 60 ms for 1280x720.
func Read(grey []byte, width, height int) []string {
	if width < minSide || height < minSide || width*height > maxPixels || len(grey) != width*height {
		return nil
	}
	var out []string
	for _, r := range []gozxing.Reader{qrcode.NewQRCodeReader(), oned.NewCode128Reader()} {
		if text, ok := one(r, grey, width, height); ok {
			out = append(out, text)
		}
	}
	return out
}

func one(r gozxing.Reader, grey []byte, width, height int) (text string, ok bool) {
	defer func() {
		if recover() != nil { // a reader that indexes where a damaged code says
			text, ok = "", false
		}
	}()
	source, err := gozxing.NewPlanarYUVLuminanceSource(grey, width, height, 0, 0, width, height, false)
	if err != nil {
		return "", false
	}
	for _, b := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		picture, err := gozxing.NewBinaryBitmap(b)
		if err != nil {
			return "", false
		}
		got, err := r.Decode(picture, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
		if err == nil && Plain(got.GetText()) {
			return got.GetText(), true
		}
	}
	return "", false
}

// Plain says whether text is one that Read may return: short, of printable characters.
func Plain(text string) bool {
	if text == "" || len(text) > MaxText || !utf8.ValidString(text) {
		return false
	}
	for _, c := range text {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// QR draws text as a QR code with a quiet zone of four modules, error
// correction M (15 %): row by row, true is dark.
func QR(text string) ([][]bool, error) {
	m, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0, map[gozxing.EncodeHintType]any{
		gozxing.EncodeHintType_ERROR_CORRECTION: "M", gozxing.EncodeHintType_MARGIN: 4,
	})
	if err != nil {
		return nil, err
	}
	return rows(m), nil
}

// Code128 draws text as one row of Code 128 with its quiet zones.
func Code128(text string) ([]bool, error) {
	m, err := oned.NewCode128Writer().Encode(text, gozxing.BarcodeFormat_CODE_128, 0, 1, nil)
	if err != nil {
		return nil, err
	}
	return rows(m)[0], nil
}

func rows(m *gozxing.BitMatrix) [][]bool {
	out := make([][]bool, m.GetHeight())
	for y := range out {
		out[y] = make([]bool, m.GetWidth())
		for x := range out[y] {
			out[y][x] = m.Get(x, y)
		}
	}
	return out
}
