package faces

import (
	"math"
	"testing"
)

func TestOperatingPointsOfAKnownCurve(t *testing.T) {
	var g, im histogram
	for i := range 1000 { // impostors evenly over 0..0.999, genuine over 0.5..0.999
		im.add(float32(i)/1000 + .00005)
		if i >= 500 {
			g.add(float32(i)/1000 + .00005)
		}
	}
	o := operate(&g, &im, 1e-2)
	if math.Abs(o.Threshold-.9891) > .0011 || math.Abs(o.TAR-.02) > 1e-9 {
		t.Errorf("at FAR 1e-2: %+v, want threshold about .99 and TAR .02", o)
	}
	if o := operate(&g, &im, 1e-4); o.TAR != 0 || o.Threshold < .999 {
		t.Errorf("at FAR 1e-4: %+v, want no accept at all", o)
	}
	if e := equalError(&g, &im); math.Abs(e-1./3) > 1e-3 { // far = 1-t, frr = 2t-1
		t.Errorf("EER %.4f, want a third", e)
	}
}
