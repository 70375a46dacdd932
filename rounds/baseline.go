package rounds

import (
	"math"
	"slices"
	"time"
)

// baseline finds how a person's straight look measures: the middle of the
// usable faces of a steady stretch.
type baseline struct {
	at                      []time.Time
	yaw, pitch, mouth, eyes []float32
}

const (
	baselineLooks = 5
	baselineSpan  = 1200 * time.Millisecond
	baselineRange = 9.0  // degrees between the least and the most of a steady stretch
	baselineMax   = 15.0 // degrees: further from the camera's axis is not looking straight
)

// see adds a picture and says whether the baseline is found.
func (b *baseline) see(l look) (p pose, found bool) {
	f, ok := l.face()
	if !ok || !f.Usable() || math.Abs(float64(f.Yaw)) > baselineMax {
		return p, false
	}
	b.at, b.yaw, b.pitch = append(b.at, l.at), append(b.yaw, f.Yaw), append(b.pitch, f.Pitch)
	b.mouth, b.eyes = append(b.mouth, f.Mouth), append(b.eyes, f.Eyes)
	for slices.Max(b.yaw)-slices.Min(b.yaw) > baselineRange {
		b.at, b.yaw, b.pitch, b.mouth, b.eyes = b.at[1:], b.yaw[1:], b.pitch[1:], b.mouth[1:], b.eyes[1:]
	}
	if len(b.yaw) < baselineLooks || l.at.Sub(b.at[0]) < baselineSpan {
		return p, false
	}
	// Who speaks or blinks meanwhile has the mouth closed and the eyes open most of the rest.
	return pose{share(b.yaw, 2), share(b.pitch, 2), share(b.mouth, 1), share(b.eyes, 3)}, true
}

// share is the value that the given number of quarters lie below.
func share(v []float32, quarters int) float32 {
	return slices.Sorted(slices.Values(v))[len(v)*quarters/4]
}
