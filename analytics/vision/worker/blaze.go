//go:build cgo && vision

package worker

import (
	"image"
	"math"

	"gocv.io/x/gocv"
)

// found is a face as BlazeFace sees it, in pixels of the picture.
type found struct {
	box   rect
	eyes  [2]pt // image-left, image-right
	score float64
}

// blaze is a BlazeFace model (MediaPipe, full range 192 or short range 128).
type blaze struct {
	net     *net
	size    int
	anchors []pt // centres in fractions of the input
}

const (
	blazeScore = .5
	blazeIoU   = .3
	blazeMax   = 2000 // candidates that are looked at; a real picture gives under 200
)

func newBlazeFull(n *net) *blaze {
	return &blaze{net: n, size: 192, anchors: grid(nil, 48, 1)}
}

func newBlazeShort(n *net) *blaze {
	return &blaze{net: n, size: 128, anchors: grid(grid(nil, 16, 2), 8, 6)}
}

// grid appends the centres of n x n cells, row by row, each `times` times.
func grid(a []pt, n, times int) []pt {
	for y := range n {
		for x := range n {
			for range times {
				a = append(a, pt{(float64(x) + .5) / float64(n), (float64(y) + .5) / float64(n)})
			}
		}
	}
	return a
}

// candidates runs one letterboxed pass over the part of the picture and
// returns what scores enough, in pixels of the whole picture.
func (b *blaze) candidates(pic gocv.Mat, part image.Rectangle) ([]found, error) {
	sub := pic.Region(part)
	defer sub.Close()
	in, ratio, off := letterbox(sub, b.size)
	defer in.Close()
	outs, err := b.net.run(in, scaling{factor: 1 / 127.5, mean: 127.5, rgb: true})
	if err != nil {
		return nil, err
	}
	reg, logits := outs[0], outs[1]
	size := float64(b.size)
	back := func(x, y float64) pt {
		return pt{(x*size-off.x)/ratio + float64(part.Min.X), (y*size-off.y)/ratio + float64(part.Min.Y)}
	}
	var fs []found
	for i, a := range b.anchors {
		if 16*i+16 > len(reg) || i >= len(logits) || len(fs) >= blazeMax {
			break
		}
		score := sigmoid(float64(logits[i]))
		if score < blazeScore {
			continue
		}
		var v [8]float64 // cx cy w h, then the two eyes
		for k := range v {
			v[k] = float64(reg[16*i+k]) / size
		}
		corner := back(v[0]+a.x-v[2]/2, v[1]+a.y-v[3]/2)
		f := found{
			box:   rect{corner.x, corner.y, v[2] * size / ratio, v[3] * size / ratio},
			eyes:  [2]pt{back(v[4]+a.x, v[5]+a.y), back(v[6]+a.x, v[7]+a.y)},
			score: score,
		}
		if f.box.w > 1 && f.box.h > 1 { // also drops NaN
			fs = append(fs, f)
		}
	}
	return fs, nil
}

// merge is score-weighted non-maximum suppression.
func merge(fs []found) []found {
	boxes, scores := make([]rect, len(fs)), make([]float64, len(fs))
	for i, f := range fs {
		boxes[i], scores[i] = f.box, f.score
	}
	var out []found
	for _, group := range suppress(boxes, scores, blazeIoU) {
		var m found
		var sum float64
		for _, i := range group {
			f := fs[i]
			sum += f.score
			for k, e := range f.eyes {
				m.eyes[k].x += e.x * f.score
				m.eyes[k].y += e.y * f.score
			}
			m.box.x += f.box.x * f.score
			m.box.y += f.box.y * f.score
			m.box.w += f.box.w * f.score
			m.box.h += f.box.h * f.score
		}
		for k := range m.eyes {
			m.eyes[k].x /= sum
			m.eyes[k].y /= sum
		}
		m.box = rect{m.box.x / sum, m.box.y / sum, m.box.w / sum, m.box.h / sum}
		m.score = fs[group[0]].score
		out = append(out, m)
	}
	return out
}

// letterbox fits the picture centred on a black square; p' = p*ratio + off.
// The caller closes the result.
func letterbox(pic gocv.Mat, size int) (in gocv.Mat, ratio float64, off pt) {
	ratio = float64(size) / float64(max(pic.Cols(), pic.Rows()))
	w := max(1, int(math.Round(float64(pic.Cols())*ratio)))
	h := max(1, int(math.Round(float64(pic.Rows())*ratio)))
	x, y := (size-w)/2, (size-h)/2
	how := gocv.InterpolationArea
	if ratio > 1 {
		how = gocv.InterpolationLinear
	}
	in = gocv.NewMatWithSizeFromScalar(gocv.NewScalar(0, 0, 0, 0), size, size, gocv.MatTypeCV8UC3)
	hole := in.Region(image.Rect(x, y, x+w, y+h))
	defer hole.Close()
	small := gocv.NewMat()
	defer small.Close()
	_ = gocv.Resize(pic, &small, image.Pt(w, h), 0, 0, how) // fails only for an empty picture
	small.CopyTo(&hole)
	return in, ratio, pt{float64(x), float64(y)}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-min(max(x, -100), 100))) }
