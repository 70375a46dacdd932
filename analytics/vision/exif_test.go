package vision_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/bits"
	"testing"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
	"wardwatch/ward"
)

// stored lays an upright picture out as a camera with this EXIF orientation stores it.
func stored(up image.Image, orientation int) image.Image {
	w, h := up.Bounds().Dx(), up.Bounds().Dy()
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, sw, sh))
	for y := range h {
		for x := range w {
			at := map[int]image.Point{ // where the standard says row 0 and column 0 are
				1: {X: x, Y: y}, 2: {X: w - 1 - x, Y: y}, 3: {X: w - 1 - x, Y: h - 1 - y}, 4: {X: x, Y: h - 1 - y},
				5: {X: y, Y: x}, 6: {X: y, Y: w - 1 - x}, 7: {X: h - 1 - y, Y: w - 1 - x}, 8: {X: h - 1 - y, Y: x},
			}[orientation]
			out.Set(at.X, at.Y, up.At(x, y))
		}
	}
	return out
}

func TestPhonePhotosAreTurnedUpright(t *testing.T) {
	pool := modeltest.Pool(t, 1, nil)
	up, err := jpeg.Decode(bytes.NewReader(modeltest.Frame(t, modeltest.Clip(t, "franck.mp4"), "10")))
	if err != nil {
		t.Fatal(err)
	}
	var want uint64
	for o := 1; o <= 8; o++ {
		var b bytes.Buffer
		if err = jpeg.Encode(&b, stored(up, o), &jpeg.Options{Quality: 95}); err != nil {
			t.Fatal(err)
		}
		exif := []byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00?\x00\x00\x00\x00\x00\x00")
		exif[29] = byte(o)
		photo := append(append(b.Bytes()[:2:2], exif...), b.Bytes()[2:]...)
		var seen ward.Seen
		seen, err = pool.Still(t.Context(), photo, vision.WantPrint|vision.WantFaces)
		if err != nil {
			t.Fatalf("orientation %d: %v", o, err)
		}
		if o == 1 {
			want = seen.Print
		}
		if d := bits.OnesCount64(seen.Print ^ want); seen.Width != 360 || seen.Height != 288 || d > 3 || len(seen.Faces) != 1 {
			t.Errorf("orientation %d: %dx%d, %d bits differ, %d faces", o, seen.Width, seen.Height, d, len(seen.Faces))
		}
	}
}
