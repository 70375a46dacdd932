package rounds_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/ward"
)

// TestLoopOdds plays each clip on from random moments: the poses are those
// that the vision worker measured, so this is the loop attack without its
// pictures, thousands of times.
func TestLoopOdds(t *testing.T) {
	t.Parallel()
	const tries = 2000
	for _, name := range []string{"franck", "cap12_edit", "cap13_edit2"} {
		c := clip(t, name, false)
		length := time.Duration(len(c.Frames)) * time.Second / 25
		pose := make([]*simbed.Pose, len(c.Frames))
		for _, p := range c.Poses {
			for f := p.Frame; f < min(p.Frame+4, len(pose)); f++ {
				pose[f] = &p
			}
		}
		passed := 0
		for range tries {
			begin := rand.N(length)
			if rounds.PlayOn(func(d time.Duration) (ward.Face, bool) {
				p := pose[int((begin+d)%length*25/time.Second)]
				if p == nil {
					return ward.Face{}, false
				}
				return ward.Face{Yaw: p.Yaw, Pitch: p.Pitch, Mouth: p.Mouth, Eyes: p.Eyes}, true
			}) == ward.Pass {
				passed++
			}
		}
		t.Logf("%s: %d of %d loops pass", name, passed, tries)
		if passed > tries/200 {
			t.Errorf("%s: more than .5 %% of loops pass", name)
		}
	}
}
