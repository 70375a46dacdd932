//go:build cgo && vision

package worker

import (
	"image"
	"math"

	"gocv.io/x/gocv"
)

// cover is what may hide a face, 0 where nothing does; see ward.Face.
type cover struct{ mask, shade, uneven float64 }

// covering measures an aligned crop, where every face has its parts in the
// same places. The skin to compare with is the bridge of the nose: masks end
// below it, caps above.
func covering(crop gocv.Mat) (c cover, err error) {
	ycc := gocv.NewMat()
	defer ycc.Close()
	if err := gocv.CvtColor(crop, &ycc, gocv.ColorBGRToYCrCb); err != nil {
		return c, err
	}
	mean := func(x0, y0, x1, y1 int) gocv.Scalar {
		part := ycc.Region(image.Rect(x0, y0, x1, y1))
		defer part.Close()
		return part.Mean()
	}
	bridge, mouth := mean(49, 40, 63, 58), mean(40, 76, 72, 100)
	c.mask = math.Hypot(mouth.Val2-bridge.Val2, mouth.Val3-bridge.Val3)
	eyes := (mean(30, 46, 46, 60).Val1 + mean(66, 46, 82, 60).Val1) / 2
	cheeks := (mean(30, 66, 44, 76).Val1 + mean(68, 66, 82, 76).Val1) / 2
	c.shade = less(eyes, max(bridge.Val1, cheeks))
	left, right := mean(24, 36, 52, 100).Val1, mean(60, 36, 88, 100).Val1
	c.uneven = less(min(left, right), max(left, right))
	return c, nil
}

// less is how much less a is than b, 0 to 1.
func less(a, b float64) float64 { return max(0, 1-(a+1)/(b+1)) }

// shared is the part of f's box that the largest other face covers.
func shared(f found, all []found) float64 {
	most := 0.0
	for _, o := range all {
		w := min(f.box.x+f.box.w, o.box.x+o.box.w) - max(f.box.x, o.box.x)
		h := min(f.box.y+f.box.h, o.box.y+o.box.h) - max(f.box.y, o.box.y)
		if o != f && w > 0 && h > 0 {
			most = max(most, w*h/(f.box.w*f.box.h))
		}
	}
	return most
}
