package rounds_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// reflections are the pictures of a clip's straight look, with the light that
// the worker measures, while a screen shows colours.
type reflections struct {
	displayed, at []time.Time
	seen          []ward.Seen
}

// TestColoursOnFilm plays a real face's film, lit by the colours of a nonce
// as its screen would and coded again, through the worker: the colours are found, and are
// not those of another visit; the film as it is reflects nothing.
func TestColoursOnFilm(t *testing.T) {
	t.Parallel()
	c := clip(t, "franck", false)
	actor, err := simbed.NewActor(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, from := actor.Next()
	s := pool.NewSession(ward.H264)
	defer s.Close()
	see := func(au []byte) ward.Seen {
		seen, ok, err := s.See(t.Context(), au, true, vision.WantFaces|vision.WantLight)
		if err != nil || !ok {
			t.Fatalf("look at a picture: %v, %v", ok, err)
		}
		return seen
	}
	first := see(c.Frames[from])
	if len(first.Faces) != 1 || first.Faces[0].Light == nil {
		t.Fatalf("no light measured: %+v", first.Faces)
	}
	nonce := []byte("the visit's own")
	film := func(screen float64) (r reflections) {
		lit := map[string]*simbed.Clip{}
		began := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		for i, command := range rounds.ColoursOf(nonce) {
			r.displayed = append(r.displayed, began.Add(time.Duration(i+1)*620*time.Millisecond))
			if lit[command] == nil && screen > 0 {
				if lit[command], err = (simbed.Glow{Face: first.Faces[0].Box, Screen: screen}).Lit(t.Context(), c, from, command); err != nil {
					t.Fatal(err)
				}
			}
		}
		for n := 0; n < 25*48/10; n += 3 { // 4.8 s, one picture in 120 ms
			at := began.Add(time.Duration(n) * 40 * time.Millisecond)
			frame := n % 100 // to and fro over two seconds
			if frame >= 50 {
				frame = 99 - frame
			}
			au, shown := c.Frames[from+frame], ""
			for i, d := range r.displayed {
				if at.Sub(d) >= 160*time.Millisecond {
					shown = rounds.ColoursOf(nonce)[i]
				}
			}
			if l := lit[shown]; l != nil {
				au = l.Frames[frame]
			}
			r.at, r.seen = append(r.at, at), append(r.seen, see(au))
		}
		return r
	}
	for _, screen := range []float64{0, .04, .1} {
		r := film(screen)
		own := rounds.JudgeColours(nonce, r.displayed, r.at, r.seen)
		n := map[ward.Outcome]int{}
		for i := range 100 {
			n[rounds.JudgeColours(fmt.Append(nil, i), r.displayed, r.at, r.seen).Outcome]++
		}
		t.Logf("screen %g of the light: %s (%.2f); as 100 other visits: pass %d, unsure %d, fail %d", screen, own.Outcome, own.Score, n[ward.Pass], n[ward.Unsure], n[ward.Fail])
		if screen == 0 && (own.Outcome != ward.Unsure || n[ward.Fail] > 0 || n[ward.Pass] > 5) || screen >= .1 && (own.Outcome != ward.Pass || n[ward.Pass] > 5) {
			t.Errorf("screen %g: %+v; others %v", screen, own, n)
		}
	}
}
