package counters

import (
	"hash/fnv"
	"image"
	"math"
	"math/rand/v2"
)

// sensorNoise is the standard deviation of a camera's noise indoors, in grey
// levels: without any, an empty counter would look like a frozen camera.
const sensorNoise = 2.

// sensor adds the noise of a camera, another in each picture.
type sensor struct {
	noise []int8 // more than a picture's; each begins elsewhere in it
	rng   *rand.Rand
}

func newSensor(name string, p Picture) *sensor {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	s := &sensor{rng: rand.New(rand.NewPCG(h.Sum64(), 2)), noise: make([]int8, p.Width*p.Height+1<<16)}
	for i := range s.noise {
		s.noise[i] = int8(math.Round(min(max(sensorNoise*s.rng.NormFloat64(), -100), 100)))
	}
	return s
}

// expose adds noise to m, alike in the three colours.
func (s *sensor) expose(m *image.RGBA) {
	n := s.noise[s.rng.IntN(1<<16):]
	for i, pix := 0, m.Pix; i+3 < len(pix); i += 4 {
		d := int(n[i/4])
		for k := range 3 {
			pix[i+k] = uint8(min(max(int(pix[i+k])+d, 0), 255))
		}
	}
}
