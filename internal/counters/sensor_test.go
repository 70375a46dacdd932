package counters

import (
	"image"
	"image/color"
	"image/draw"
	"testing"
)

// What nobody moves in is another picture each time all the same, and as bright.
func TestNoTwoPicturesOfASensorAreAlike(t *testing.T) {
	p := Picture{Width: 320, Height: 180}
	s := newSensor("counter-1", p)
	shot := func() []byte {
		m := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
		draw.Draw(m, m.Rect, image.NewUniform(color.Gray{120}), image.Point{}, draw.Src)
		s.expose(m)
		return m.Pix
	}
	a, b := shot(), shot()
	sum, differ := 0, 0
	for i := 0; i < len(a); i += 4 {
		sum += int(a[i])
		differ += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
		if a[i] != a[i+1] || a[i] != a[i+2] || a[i+3] != 255 {
			t.Fatalf("pixel %d: %v", i/4, a[i:i+4])
		}
	}
	n := float64(p.Width * p.Height)
	if bright, change := float64(sum)/n, float64(differ)/n; bright < 119.9 || bright > 120.1 || change < 2 || change > 2.6 {
		t.Errorf("brightness %.2f, change %.2f; want 120 and 2.3", bright, change)
	}
}
