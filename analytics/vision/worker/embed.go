//go:build cgo && vision

package worker

import (
	"fmt"
	"math"

	"gocv.io/x/gocv"

	"wardwatch/ward"
)

const embedSize = 112

// embedTemplate is where the five points of a face come to lie in the
// 112x112 crop: eye centres, nose tip, mouth corners, image-left first. It is
// fitted to the mesh's points so that the crop agrees with ArcFace's template.
func embedTemplate() []pt {
	return []pt{{38.185, 53.387}, {74.654, 53.321}, {55.296, 76.959}, {41.191, 91.665}, {71.674, 91.841}}
}

func five(p []point) []pt {
	return []pt{
		mid(p[33].flat(), p[133].flat()), mid(p[362].flat(), p[263].flat()),
		p[1].flat(), p[61].flat(), p[291].flat(),
	}
}

// align cuts the 112x112 crop that is embedded; the caller closes it.
func align(pic gocv.Mat, p []point) (gocv.Mat, error) {
	return warp(pic, similarity(five(p), embedTemplate()), embedSize, gocv.BorderConstant)
}

// embed returns the unit-length template of an aligned crop.
func embed(n *net, crop gocv.Mat) (ward.Template, error) {
	outs, err := n.run(crop, scaling{factor: 1 / 128., mean: 127.5, rgb: true})
	if err != nil {
		return nil, err
	}
	t := ward.Fuse([]ward.Template{outs[0]})
	if t == nil || math.IsNaN(float64(t[0])) {
		return nil, fmt.Errorf("embedding of %d values has no length", len(outs[0]))
	}
	return t, nil
}

// quality returns the variance of the Laplacian and the mean of the crop's grey levels.
func quality(crop gocv.Mat) (sharp, bright float64, err error) {
	grey, lap := gocv.NewMat(), gocv.NewMat()
	defer grey.Close()
	defer lap.Close()
	if err := gocv.CvtColor(crop, &grey, gocv.ColorBGRToGray); err != nil {
		return 0, 0, err
	}
	if err := gocv.Laplacian(grey, &lap, gocv.MatTypeCV64F, 1, 1, 0, gocv.BorderDefault); err != nil {
		return 0, 0, err
	}
	mean, dev := gocv.NewMat(), gocv.NewMat()
	defer mean.Close()
	defer dev.Close()
	if err := gocv.MeanStdDev(lap, &mean, &dev); err != nil {
		return 0, 0, err
	}
	d := dev.GetDoubleAt(0, 0)
	return d * d, grey.Mean().Val1, nil
}
