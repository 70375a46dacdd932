//go:build cgo && vision

package worker

import (
	"image"
	"math"

	"gocv.io/x/gocv"

	"wardwatch/ward"
)

// people is COCO-SSD: SSDLite on MobileNetV2, 300x300.
type people struct {
	net     *net
	anchors []anchor
}

type anchor struct{ cx, cy, w, h float64 } // fractions of the picture

const (
	peopleSize    = 300
	peopleClasses = 91
	peopleScore   = .3 // at .5 it misses people seen from behind; hold presence over frames
	peopleIoU     = .5
)

func newPeople(n *net) *people {
	p := &people{net: n}
	scale := func(layer int) float64 { return min(.2+.15*float64(layer), 1) }
	for layer, n := range []int{19, 10, 5, 3, 2, 1} {
		s := scale(layer)
		shapes := [][2]float64{{s, 1}, {s, 2}, {s, .5}, {s, 3}, {s, 1. / 3}, {math.Sqrt(s * scale(layer+1)), 1}}
		if layer == 0 {
			shapes = [][2]float64{{.1, 1}, {s, 2}, {s, .5}}
		}
		for _, c := range grid(nil, n, 1) {
			for _, sh := range shapes {
				r := math.Sqrt(sh[1])
				p.anchors = append(p.anchors, anchor{c.x, c.y, sh[0] * r, sh[0] / r})
			}
		}
	}
	return p
}

func (p *people) find(pic gocv.Mat) ([]ward.Person, error) {
	in := gocv.NewMat()
	defer in.Close()
	if err := gocv.Resize(pic, &in, image.Pt(peopleSize, peopleSize), 0, 0, gocv.InterpolationLinear); err != nil {
		return nil, err
	}
	outs, err := p.net.run(in, scaling{factor: 1 / 127.5, mean: 127.5, rgb: true})
	if err != nil {
		return nil, err
	}
	var boxes []rect
	var scores []float64
	for i, a := range p.anchors {
		if 4*i+4 > len(outs[0]) || peopleClasses*(i+1) > len(outs[1]) {
			break
		}
		classes := outs[1][peopleClasses*i : peopleClasses*(i+1)]
		if classes[1] < peopleScore || !bestIsPerson(classes) {
			continue
		}
		e := outs[0][4*i:]
		cy, cx := float64(e[0])/10*a.h+a.cy, float64(e[1])/10*a.w+a.cx
		h, w := math.Exp(float64(e[2])/5)*a.h, math.Exp(float64(e[3])/5)*a.w
		boxes = append(boxes, rect{cx - w/2, cy - h/2, w, h})
		scores = append(scores, float64(classes[1]))
	}
	found := []ward.Person{}
	for _, g := range suppress(boxes, scores, peopleIoU) {
		b := boxes[g[0]]
		found = append(found, ward.Person{Box: fraction(b, 1, 1), Score: float32(scores[g[0]])})
	}
	return found, nil
}

// bestIsPerson reports whether column 1 is the largest of 1..90 (0 is background).
func bestIsPerson(classes []float32) bool {
	for _, v := range classes[2:] {
		if v > classes[1] {
			return false
		}
	}
	return true
}

// fraction clips a box to the picture and states it in fractions of it.
func fraction(r rect, width, height float64) ward.Box {
	clip := func(v float64) float64 { return min(max(v, 0), 1) }
	x, y := clip(r.x/width), clip(r.y/height)
	return ward.Box{
		X: float32(x), Y: float32(y),
		W: float32(clip((r.x+r.w)/width) - x), H: float32(clip((r.y+r.h)/height) - y),
	}
}
