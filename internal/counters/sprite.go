package counters

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"

	"wardwatch/ward"
)

// Body is a picture of somebody before a blue screen: who wears any face.
type Body struct {
	picture *image.NRGBA // the screen is transparent
	face    rect
}

// rect is in pixels.
type rect struct{ x, y, w, h float64 }

func rectOf(b ward.Box, in image.Rectangle) rect {
	w, h := float64(in.Dx()), float64(in.Dy())
	return rect{float64(b.X) * w, float64(b.Y) * h, float64(b.W) * w, float64(b.H) * h}
}

// NewBody cuts a body out of its blue screen; face is where its face is.
func NewBody(still image.Image, face ward.Box) *Body {
	p := nrgba(still)
	for i := 0; i < len(p.Pix); i += 4 {
		r, g, b := int(p.Pix[i]), int(p.Pix[i+1]), int(p.Pix[i+2])
		blue := b - max(r, g)
		a := min(max(255-(blue-25)*6, 0), 255)
		if x := i % p.Stride / 4; float64(x) < float64(face.X-.6*face.W)*float64(p.Rect.Dx()) && i/p.Stride < p.Rect.Dy()*9/10 {
			a = 0 // what else stands before the screen
		}
		p.Pix[i+2], p.Pix[i+3] = uint8(min(b, max(r, g)+12)), uint8(a)
	}
	return &Body{p, rectOf(face, still.Bounds())}
}

func nrgba(m image.Image) *image.NRGBA {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), m, b.Min, draw.Src)
	return out
}

// at samples between pixels, clamped to the edges.
func at(m *image.NRGBA, x, y float64) (r, g, b, a float64) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	x, y = min(max(x-.5, 0), float64(w-1)), min(max(y-.5, 0), float64(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	fx, fy := x-float64(x0), y-float64(y0)
	for _, s := range [...]struct {
		x, y int
		k    float64
	}{{x0, y0, (1 - fx) * (1 - fy)}, {x1, y0, fx * (1 - fy)}, {x0, y1, (1 - fx) * fy}, {x1, y1, fx * fy}} {
		i := s.y*m.Stride + 4*s.x
		k := s.k * float64(m.Pix[i+3])
		r += k * float64(m.Pix[i])
		g += k * float64(m.Pix[i+1])
		b += k * float64(m.Pix[i+2])
		a += k
	}
	if a > 0 {
		r, g, b = r/a, g/a, b/a
	}
	return r, g, b, a
}

// The face covers this much of its box, from the middle: the crop of a
// labelled face reaches little farther. Beyond soft it fades out.
const faceWide, faceHigh, soft = .57, .66, .85

// worn is a face to be put on a body, and how.
type worn struct {
	picture *image.NRGBA
	box     rect
	tint    [3]float64 // of the clothes
	how     Condition
	tilt    float64 // radians
	bright  float64 // 1: as it is
}

// Draw draws the body with the face, which is at box in its picture, height pixels high.
func (b *Body) Draw(face image.Image, box ward.Box, how Condition, height int) *image.RGBA {
	return b.draw(worn{picture: nrgba(face), box: rectOf(box, face.Bounds()), how: how, tint: [3]float64{1, 1, 1}, bright: 1}, height)
}

func (b *Body) draw(f worn, height int) *image.RGBA {
	scale := float64(height) / float64(b.picture.Rect.Dy())
	width := int(float64(b.picture.Rect.Dx()) * scale)
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	cx, cy := b.face.x+b.face.w/2, b.face.y+b.face.h/2
	sin, cos := math.Sincos(f.tilt)
	for y := range height {
		for x := range width {
			u0, v0 := (float64(x)+.5)/scale-cx, (float64(y)+.5)/scale-cy
			u, v := u0*cos-v0*sin, u0*sin+v0*cos
			c := b.pixel(f, u, v, cx, cy)
			out.SetRGBA(x, y, c)
		}
	}
	if f.how == Blurred {
		smear(out, max(3, int(b.face.w*scale*.3)))
	}
	return out
}

// pixel is the colour at (u, v) from the middle of the face.
func (b *Body) pixel(f worn, u, v, cx, cy float64) color.RGBA {
	r, g, bl, a := at(b.picture, u+cx, v+cy)
	if v > b.face.h*.56 { // clothes
		r, g, bl = r*f.tint[0], g*f.tint[1], bl*f.tint[2]
	}
	ex, ey := u/(b.face.w*faceWide), v/(b.face.h*faceHigh)
	far := math.Hypot(ex, ey)
	if f.how == Back {
		far = math.Hypot(u/(b.face.w*.75), v/(b.face.h*.8))
	}
	k := min(max((1-far)/(1-soft), 0), 1)
	if k > 0 {
		fr, fg, fb := f.pixel(u/b.face.w, v/b.face.h)
		r, g, bl, a = r+(fr-r)*k, g+(fg-g)*k, bl+(fb-bl)*k, max(a, 255*k)
	}
	if f.how == Masked && v > b.face.h*.06 && far < 1.1 && v < b.face.h*.6 {
		r, g, bl = 196, 216, 230
	}
	s := a / 255 * f.bright
	return color.RGBA{level(r * s), level(g * s), level(bl * s), level(a)}
}

// pixel is the colour at (u, v) from the middle of the face, in its box.
func (f worn) pixel(u, v float64) (r, g, b float64) {
	if f.how == Back { // hair
		grey := 34 + 14*math.Sin(u*61+3*math.Sin(v*17)) + 6*math.Sin(u*173)
		return grey * 1.15, grey * .9, grey * .7
	}
	r, g, b, _ = at(f.picture, f.box.x+f.box.w*(.5+u), f.box.y+f.box.h*(.5+v))
	return r, g, b
}

func level(v float64) uint8 { return uint8(min(max(v, 0), 255)) }

// smear moves the picture sideways by n pixels while it is taken.
func smear(m *image.RGBA, n int) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	row := make([]uint8, 4*w)
	for y := range h {
		p := m.Pix[y*m.Stride : y*m.Stride+4*w]
		copy(row, p)
		for x := range w {
			for c := range 4 {
				sum := 0
				for k := -n / 2; k <= n/2; k++ {
					sum += int(row[4*min(max(x+k, 0), w-1)+c])
				}
				p[4*x+c] = uint8(sum / (n/2*2 + 1))
			}
		}
	}
}

// compressed is the picture after a coarse JPEG.
func compressed(m *image.NRGBA) (*image.NRGBA, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 25}); err != nil {
		return nil, err
	}
	out, err := jpeg.Decode(&b)
	if err != nil {
		return nil, err
	}
	return nrgba(out), nil
}
