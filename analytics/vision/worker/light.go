//go:build cgo && vision

package worker

import (
	"image"
	"math"

	"gocv.io/x/gocv"

	"wardwatch/ward"
)

const (
	aroundWide = 96  // pixels to which the picture is scaled before its surroundings are measured
	aroundGrow = 1.3 // side of the box that is left out over the face's, for hair and neck
	aroundMin  = 100 // pixels: of fewer nothing is said
)

// linear turns a pixel's value into light, both 0 to 255 (sRGB, IEC 61966-2-1).
func linear() (t [256]float64) {
	for i := range t {
		if v := float64(i) / 255; v <= .04045 {
			t[i] = 255 * v / 12.92
		} else {
			t[i] = 255 * math.Pow((v+.055)/1.055, 2.4)
		}
	}
	return t
}

// light measures what light comes from the skin of a face, by its aligned
// crop, and from what surrounds it; nil when too little of that is to be seen.
func light(pic, crop gocv.Mat, box rect) (*ward.Light, error) {
	table := linear()
	var skin, around mean
	b := crop.ToBytes()
	// Cheeks, bridge of the nose and forehead: see covering.
	for _, r := range []image.Rectangle{image.Rect(28, 64, 46, 80), image.Rect(66, 64, 84, 80), image.Rect(49, 40, 63, 58), image.Rect(42, 26, 70, 40)} {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				skin.add(b[3*(y*embedSize+x):], &table)
			}
		}
	}
	small := gocv.NewMat()
	defer small.Close()
	w, h := aroundWide, max(1, aroundWide*pic.Rows()/pic.Cols())
	if err := gocv.Resize(pic, &small, image.Pt(w, h), 0, 0, gocv.InterpolationArea); err != nil {
		return nil, err
	}
	scale := float64(w) / float64(pic.Cols())
	cx, cy := (box.x+box.w/2)*scale, (box.y+box.h/2)*scale
	b = small.ToBytes()
	for y := range h {
		for x := range w {
			if math.Abs(float64(x)-cx) > box.w*scale*aroundGrow/2 || math.Abs(float64(y)-cy) > box.h*scale*aroundGrow/2 {
				around.add(b[3*(y*w+x):], &table)
			}
		}
	}
	if around.n < aroundMin {
		return nil, nil //nolint:nilnil // a face that fills the picture has no surroundings
	}
	return &ward.Light{Skin: skin.rgb(), Around: around.rgb()}, nil
}

// mean is the mean light of pixels.
type mean struct {
	sum [3]float64 // of red, green and blue
	n   int
}

func (m *mean) add(bgr []byte, linear *[256]float64) {
	for c := range m.sum {
		m.sum[c] += linear[bgr[2-c]]
	}
	m.n++
}

func (m *mean) rgb() (out ward.RGB) {
	for c := range out {
		out[c] = float32(m.sum[c] / float64(m.n))
	}
	return out
}
