package barcode_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wardwatch/internal/barcode"
	"wardwatch/internal/codepaint"
)

const text = "WW1.ABCDEFGH.60000000.12345678"

func TestReadsWhatACameraSees(t *testing.T) {
	for _, c := range []struct {
		name string
		v    codepaint.View
	}{
		{"straight", codepaint.View{Size: 300}},
		{"tilted", codepaint.View{Size: 320, Turn: 25, Lean: .25}},
		{"turned over", codepaint.View{Size: 300, Turn: 180}},
		{"blurred", codepaint.View{Size: 340, Turn: -15, Lean: .2, Blur: 2}},
		{"dim and noisy", codepaint.View{Size: 320, Turn: 10, Dim: .5, Noise: 12}},
	} {
		qr := codepaint.QR(t, text, c.v)
		if got := barcode.Read(qr, codepaint.Wide, codepaint.High); !slices.Contains(got, text) {
			t.Errorf("QR, %s: got %q", c.name, got)
		}
		// A card held near: bars are thinner than a QR code's squares.
		c.v.Size, c.v.Blur, c.v.Noise = 640, c.v.Blur/2, c.v.Noise/4
		if c.v.Turn != 180 {
			c.v.Turn = min(max(c.v.Turn, -15), 15)
		}
		bars := codepaint.Bars(t, "ZY20260017", c.v)
		if got := barcode.Read(bars, codepaint.Wide, codepaint.High); !slices.Contains(got, "ZY20260017") {
			t.Errorf("Code 128, %s: got %q", c.name, got)
		}
	}
}

func TestReadsNothingWhereNothingIs(t *testing.T) {
	noise := make([]byte, 640*480)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for name, got := range map[string][]string{
		"noise":           barcode.Read(noise, 640, 480),
		"grey":            barcode.Read(make([]byte, 640*480), 640, 480),
		"a wrong size":    barcode.Read(noise, 640, 481),
		"negative":        barcode.Read(nil, -1, -1),
		"tiny":            barcode.Read(noise[:100], 10, 10),
		"a long QR code":  barcode.Read(codepaint.QR(t, strings.Repeat("9", 200), codepaint.View{Size: 600}), codepaint.Wide, codepaint.High),
		"control letters": barcode.Read(codepaint.QR(t, "a\x1b[31mb", codepaint.View{Size: 400}), codepaint.Wide, codepaint.High),
	} {
		if len(got) > 0 {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("abc"), uint16(40), uint64(3))
	f.Fuzz(func(t *testing.T, b []byte, wide uint16, seed uint64) {
		w := int(wide%400) + 1
		pic := codepaint.QR(t, text, codepaint.View{Size: 300})[:w*200]
		r := rand.New(rand.NewPCG(seed, 1))
		for _, v := range b {
			pic[r.IntN(len(pic))] = v
		}
		for _, c := range barcode.Read(pic, w, 200) {
			if !barcode.Plain(c) {
				t.Fatalf("%q", c)
			}
		}
	})
}
