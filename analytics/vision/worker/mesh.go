//go:build cgo && vision

package worker

import (
	"image"
	"image/color"
	"math"

	"gocv.io/x/gocv"
)

// mesh is MediaPipe's face mesh: 468 points of one face.
type mesh struct{ net *net }

const (
	meshSize  = 192
	meshPoint = 468
	meshGrow  = 1.5 // side of the square over the face box
	meshFlag  = .5  // below, the model says that this is no face
)

// point is a mesh point; z grows away from the camera, in pixels.
type point struct{ x, y, z float64 }

func (p point) flat() pt { return pt{p.x, p.y} }

// points returns the mesh of a face in pixels of the picture and how sure the
// model is of the face, 0 to 1, or ok=false when it does not take it for one.
func (m *mesh) points(pic gocv.Mat, f found) (ps []point, sure float64, ok bool, err error) {
	side := meshGrow * max(f.box.w, f.box.h)
	angle := math.Atan2(f.eyes[1].y-f.eyes[0].y, f.eyes[1].x-f.eyes[0].x)
	to, back := square(pt{f.box.x + f.box.w/2, f.box.y + f.box.h/2}, side, angle, meshSize)
	in, err := warp(pic, to, meshSize, gocv.BorderReplicate)
	if err != nil {
		return nil, 0, false, err
	}
	defer in.Close()
	outs, err := m.net.run(in, scaling{factor: 1 / 255., rgb: true})
	if err != nil {
		return nil, 0, false, err
	}
	if len(outs[0]) < 3*meshPoint || len(outs[1]) < 1 {
		return nil, 0, false, nil
	}
	if sure = sigmoid(float64(outs[1][0])); sure <= meshFlag {
		return nil, sure, false, nil
	}
	ps = make([]point, meshPoint)
	for i := range ps {
		p := back.apply(pt{float64(outs[0][3*i]), float64(outs[0][3*i+1])})
		ps[i] = point{p.x, p.y, float64(outs[0][3*i+2]) * side / meshSize}
	}
	return ps, sure, true, nil
}

// warp cuts a square out of the picture; the caller closes it.
func warp(pic gocv.Mat, to affine, size int, border gocv.BorderType) (gocv.Mat, error) {
	m := to.mat()
	defer m.Close()
	out := gocv.NewMat()
	err := gocv.WarpAffineWithParams(pic, &out, m, image.Pt(size, size), gocv.InterpolationLinear, border, color.RGBA{})
	if err != nil {
		out.Close()
		return gocv.Mat{}, err
	}
	return out, nil
}

// yaw is in degrees, positive when the nose points to the image's right.
func yaw(p []point) float64 { return slope(p[33], p[263]) }

// pitch is in degrees, positive when the head is down; about +5 at rest.
func pitch(p []point) float64 { return slope(p[10], p[152]) }

func slope(a, b point) float64 {
	return math.Atan2(b.z-a.z, math.Hypot(b.x-a.x, b.y-a.y)) * 180 / math.Pi
}

// mouth is the opening of the lips over their width.
func mouth(p []point) float64 {
	return p[13].flat().to(p[14].flat()) / p[78].flat().to(p[308].flat())
}

// eyes is the mean eye aspect ratio (Soukupová and Čech, 2016).
func eyes(p []point) float64 {
	ratio := func(i [6]int) float64 {
		d := func(a, b int) float64 { return p[i[a]].flat().to(p[i[b]].flat()) }
		return (d(1, 5) + d(2, 4)) / (2 * d(0, 3))
	}
	return (ratio([6]int{33, 160, 158, 133, 153, 144}) + ratio([6]int{362, 385, 387, 263, 373, 380})) / 2
}
