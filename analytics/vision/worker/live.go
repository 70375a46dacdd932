//go:build cgo && vision

package worker

import (
	"image"
	"math"

	"gocv.io/x/gocv"
)

const (
	liveSize = 128
	liveGrow = 2.7 // side of the crop over the face box
)

// live returns the passive liveness model's opinion, 0 to 1. It lets most
// full-frame replays through, so it may only lower trust.
func live(n *net, pic gocv.Mat, box rect) (float64, error) {
	part := pic.Region(around(box, liveGrow, pic.Cols(), pic.Rows()))
	defer part.Close()
	in := gocv.NewMat()
	defer in.Close()
	if err := gocv.Resize(part, &in, image.Pt(liveSize, liveSize), 0, 0, gocv.InterpolationLinear); err != nil {
		return 0, err
	}
	outs, err := n.run(in, scaling{factor: 1})
	if err != nil {
		return 0, err
	}
	top := float64(outs[0][0])
	for _, v := range outs[0] {
		top = max(top, float64(v))
	}
	var sum float64
	for _, v := range outs[0] {
		sum += math.Exp(float64(v) - top)
	}
	return math.Exp(float64(outs[0][0])-top) / sum, nil
}

// around grows the box as far as the picture allows, and shifts it inside.
func around(b rect, grow float64, width, height int) image.Rectangle {
	w, h := float64(width-1), float64(height-1)
	s := min(h/b.h, w/b.w, grow)
	x := min(max(b.x+b.w/2-b.w*s/2, 0), w-b.w*s)
	y := min(max(b.y+b.h/2-b.h*s/2, 0), h-b.h*s)
	r := image.Rect(int(x), int(y), int(x+b.w*s)+1, int(y+b.h*s)+1)
	return r.Intersect(image.Rect(0, 0, width, height))
}
