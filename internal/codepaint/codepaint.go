// Package codepaint paints bar codes as a camera would see them, for tests.
package codepaint

import (
	"math"
	"math/rand/v2"
	"testing"

	"wardwatch/internal/barcode"
)

// The size of every picture, in pixels.
const (
	Wide = 1280
	High = 720
)

// View is how the camera sees the code.
type View struct {
	Size  float64 // pixels across, quiet zone included
	Turn  float64 // degrees in the picture's plane
	Lean  float64 // perspective: how much smaller the far edge is, 0 to .5
	Blur  int     // radius of a box blur in pixels, twice
	Dim   float64 // share of the light that is missing, 0 to .9
	Noise float64 // standard deviation in grey levels
}

// QR paints text as a QR code on a grey wall.
func QR(t testing.TB, text string, v View) []byte {
	t.Helper()
	m, err := barcode.QR(text)
	if err != nil {
		t.Fatal(err)
	}
	return v.paint(m, 1)
}

// Bars paints text as Code 128, a third as high as wide.
func Bars(t testing.TB, text string, v View) []byte {
	t.Helper()
	row, err := barcode.Code128(text)
	if err != nil {
		t.Fatal(err)
	}
	quiet := make([]bool, 10, 20+len(row))
	return v.paint([][]bool{append(append(quiet, row...), make([]bool, 10)...)}, 1./3)
}

// paint projects the card into the picture.
func (v View) paint(card [][]bool, shape float64) []byte {
	pic := make([]byte, Wide*High)
	sin, cos := math.Sincos(v.Turn * math.Pi / 180)
	for y := range High {
		for x := range Wide {
			level := 120 + 20*math.Sin(float64(x)/90) // the wall
			dx, dy := (float64(x)-Wide/2)/v.Size, (float64(y)-High/2)/v.Size
			a, b := dx*cos+dy*sin, dy*cos-dx*sin
			depth := 1 + v.Lean*a // one side is farther away
			a, b = a*depth, b*depth/shape
			if a >= -.5 && a < .5 && b >= -.5 && b < .5 {
				level = 235
				row := card[min(int((b+.5)*float64(len(card))), len(card)-1)]
				if row[min(int((a+.5)*float64(len(row))), len(row)-1)] {
					level = 25
				}
			}
			pic[y*Wide+x] = byte(level * (1 - v.Dim))
		}
	}
	for range 2 {
		pic = blur(blur(pic, v.Blur, 1, Wide), v.Blur, Wide, High)
	}
	if v.Noise > 0 {
		r := rand.New(rand.NewPCG(7, 7))
		for i, p := range pic {
			pic[i] = byte(max(0, min(255, float64(p)+r.NormFloat64()*v.Noise)))
		}
	}
	return pic
}

// blur averages over 2r+1 pixels that lie step apart; a line has n of them.
func blur(pic []byte, r, step, n int) []byte {
	if r == 0 {
		return pic
	}
	out := make([]byte, len(pic))
	for i := range pic {
		at := i / step % n
		sum, count := 0, 0
		for k := -min(r, at); k <= min(r, n-1-at); k++ {
			sum += int(pic[i+k*step])
			count++
		}
		out[i] = byte(sum / count)
	}
	return out
}
