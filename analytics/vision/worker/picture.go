//go:build cgo && vision

package worker

import (
	"image"

	"gocv.io/x/gocv"
)

const (
	snapshotSide    = 1280 // pixels, longest side
	snapshotQuality = 85
)

// snapshot returns the picture as a JPEG, its longest side at most side
// pixels; 0 means snapshotSide, which it never exceeds.
func snapshot(pic gocv.Mat, side int) ([]byte, error) {
	if side <= 0 || side > snapshotSide {
		side = snapshotSide
	}
	small := pic
	if long := max(pic.Cols(), pic.Rows()); long > side {
		small = gocv.NewMat()
		defer small.Close()
		size := image.Pt(max(1, pic.Cols()*side/long), max(1, pic.Rows()*side/long))
		if err := gocv.Resize(pic, &small, size, 0, 0, gocv.InterpolationArea); err != nil {
			return nil, err
		}
	}
	buf, err := gocv.IMEncodeWithParams(gocv.JPEGFileExt, small, []int{gocv.IMWriteJpegQuality, snapshotQuality})
	if err != nil {
		return nil, err
	}
	defer buf.Close()
	return append([]byte(nil), buf.GetBytes()...), nil
}

// print64 is the difference hash: 9x8 grey pixels, one bit for each
// horizontal neighbour that is brighter.
func print64(pic gocv.Mat) (uint64, error) {
	small, grey := gocv.NewMat(), gocv.NewMat()
	defer small.Close()
	defer grey.Close()
	if err := gocv.Resize(pic, &small, image.Pt(9, 8), 0, 0, gocv.InterpolationArea); err != nil {
		return 0, err
	}
	if err := gocv.CvtColor(small, &grey, gocv.ColorBGRToGray); err != nil {
		return 0, err
	}
	var h uint64
	for y := range 8 {
		for x := range 8 {
			h <<= 1
			if grey.GetUCharAt(y, x) < grey.GetUCharAt(y, x+1) {
				h |= 1
			}
		}
	}
	return h, nil
}
