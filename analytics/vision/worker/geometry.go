//go:build cgo && vision

package worker

import (
	"math"
	"sort"

	"gocv.io/x/gocv"
)

// pt is a point in pixels.
type pt struct{ x, y float64 }

func (p pt) to(q pt) float64 { return math.Hypot(q.x-p.x, q.y-p.y) }
func mid(p, q pt) pt         { return pt{(p.x + q.x) / 2, (p.y + q.y) / 2} }

// rect is a box in pixels: corner and size.
type rect struct{ x, y, w, h float64 }

func (r rect) iou(o rect) float64 {
	w := min(r.x+r.w, o.x+o.w) - max(r.x, o.x)
	h := min(r.y+r.h, o.y+o.h) - max(r.y, o.y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return w * h / (r.w*r.h + o.w*o.h - w*h)
}

// affine is the upper two rows of a transform: x' = a x + b y + c, y' = d x + e y + f.
type affine struct{ a, b, c, d, e, f float64 }

func (t affine) apply(p pt) pt {
	return pt{t.a*p.x + t.b*p.y + t.c, t.d*p.x + t.e*p.y + t.f}
}

// mat returns the transform as OpenCV wants it; the caller closes it.
func (t affine) mat() gocv.Mat {
	m := gocv.NewMatWithSize(2, 3, gocv.MatTypeCV64F)
	for i, v := range []float64{t.a, t.b, t.c, t.d, t.e, t.f} {
		m.SetDoubleAt(i/3, i%3, v)
	}
	return m
}

// square maps the square with the given centre, side and angle (radians)
// onto one of size x size, and back.
func square(centre pt, side, angle, size float64) (to, back affine) {
	s, k := math.Sincos(angle)
	g, h := size/side, side/size
	to = affine{a: k * g, b: s * g, d: -s * g, e: k * g}
	o := to.apply(centre)
	to.c, to.f = size/2-o.x, size/2-o.y
	back = affine{a: k * h, b: -s * h, d: s * h, e: k * h}
	o = back.apply(pt{size / 2, size / 2})
	back.c, back.f = centre.x-o.x, centre.y-o.y
	return to, back
}

// similarity is the least-squares rotation, scale and shift of src onto dst.
func similarity(src, dst []pt) affine {
	var ms, md pt
	n := float64(len(src))
	for i := range src {
		ms.x, ms.y = ms.x+src[i].x/n, ms.y+src[i].y/n
		md.x, md.y = md.x+dst[i].x/n, md.y+dst[i].y/n
	}
	var a, b, q float64
	for i := range src {
		sx, sy := src[i].x-ms.x, src[i].y-ms.y
		dx, dy := dst[i].x-md.x, dst[i].y-md.y
		a += sx*dx + sy*dy
		b += sx*dy - sy*dx
		q += sx*sx + sy*sy
	}
	a, b = a/q, b/q
	return affine{a: a, b: -b, c: md.x - a*ms.x + b*ms.y, d: b, e: a, f: md.y - b*ms.x - a*ms.y}
}

// suppress returns the indices of the boxes that survive greedy non-maximum
// suppression, best first, each with those it stands for (itself included).
func suppress(boxes []rect, scores []float64, iou float64) [][]int {
	order := make([]int, len(boxes))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return scores[order[i]] > scores[order[j]] })
	var groups [][]int
	for len(order) > 0 {
		group, rest := []int{order[0]}, order[:0:0]
		for _, i := range order[1:] {
			if boxes[i].iou(boxes[order[0]]) > iou {
				group = append(group, i)
			} else {
				rest = append(rest, i)
			}
		}
		groups, order = append(groups, group), rest
	}
	return groups
}
