//go:build cgo && vision

package worker

import (
	"image"

	"gocv.io/x/gocv"
)

const (
	// tileFrom is the longest side, in pixels, from which a second look at
	// overlapping tiles finds faces (down to about 60 pixels) that one pass misses.
	tileFrom    = 960
	tileOverlap = .125 // of half the longest side
	tileEdge    = 2    // pixels; a box at an inner edge is half a face
)

// tiles covers the picture with two by two, or two, overlapping squares.
func tiles(w, h int) []image.Rectangle {
	side := min(int(float64(max(w, h))/2*(1+tileOverlap)), max(w, h))
	starts := func(length int) []int {
		if length <= side {
			return []int{0}
		}
		return []int{0, length - side}
	}
	var ts []image.Rectangle
	for _, y := range starts(h) {
		for _, x := range starts(w) {
			ts = append(ts, image.Rect(x, y, min(x+side, w), min(y+side, h)))
		}
	}
	return ts
}

// tiled adds what the tiles show to the candidates of the whole picture.
func (b *blaze) tiled(pic gocv.Mat, fs []found) ([]found, error) {
	w, h := pic.Cols(), pic.Rows()
	for _, t := range tiles(w, h) {
		more, err := b.candidates(pic, t)
		if err != nil {
			return nil, err
		}
		for _, f := range more {
			r := f.box
			cut := t.Min.X > 0 && r.x < float64(t.Min.X+tileEdge) || t.Min.Y > 0 && r.y < float64(t.Min.Y+tileEdge) ||
				t.Max.X < w && r.x+r.w > float64(t.Max.X-tileEdge) || t.Max.Y < h && r.y+r.h > float64(t.Max.Y-tileEdge)
			if !cut {
				fs = append(fs, f)
			}
		}
	}
	return fs, nil
}
