//go:build cgo && vision

package worker

import (
	"image"

	"gocv.io/x/gocv"

	"wardwatch/analytics/vision"
)

// grey scales the picture to what is measured of it.
func grey(pic gocv.Mat) ([]byte, error) {
	small, flat := gocv.NewMat(), gocv.NewMat()
	defer small.Close()
	defer flat.Close()
	if err := gocv.Resize(pic, &small, image.Pt(vision.MeasuredWide, vision.MeasuredHigh), 0, 0, gocv.InterpolationArea); err != nil {
		return nil, err
	}
	if err := gocv.CvtColor(small, &flat, gocv.ColorBGRToGray); err != nil {
		return nil, err
	}
	return flat.ToBytes(), nil
}
