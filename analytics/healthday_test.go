package analytics_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

const (
	wide, high = vision.MeasuredWide, vision.MeasuredHigh
	day        = 24 * 3600 // seconds
)

// counter is a painted place in grey pixels and what goes on there second by
// second: daylight, lamps, clouds, shadows, people, cleaning.
type counter struct {
	rng      *rand.Rand
	wall     [wide * high]float32 // reflectance, 0 to 1
	lamp     [wide * high]float32 // its light
	noise    [1 << 16]int8        // of the sensor
	people   []*passer
	cloth    int // second until which the lens is wiped
	gain     float32
	grey     [wide * high]byte
	pictures int
}

// passer is somebody who walks up, stands and leaves.
type passer struct {
	x, y, w, h, step, sway float64
	from, to               int
	stripes                [16]float32
}

func newCounter(seed uint64) *counter {
	c := &counter{rng: rand.New(rand.NewPCG(seed, 1)), gain: 1}
	for i := range c.wall {
		c.wall[i] = .6
	}
	for range 60 { // shelves, posters, doors, desks
		x, y := c.rng.IntN(wide), c.rng.IntN(high)
		w, h, v := 4+c.rng.IntN(50), 4+c.rng.IntN(40), .15+.75*c.rng.Float32()
		for j := y; j < min(y+h, high); j++ {
			for i := x; i < min(x+w, wide); i++ {
				c.wall[j*wide+i] = v
			}
		}
	}
	for i := range c.lamp {
		dx, dy := float64(i%wide-wide/3)/wide, float64(i/wide)/high
		c.lamp[i] = float32(1 / (1 + 3*(dx*dx+dy*dy)))
	}
	for i := range c.noise {
		c.noise[i] = int8(math.Round(c.rng.NormFloat64() * 16))
	}
	return c
}

// happens lets people come and lens be wiped, by the hour.
func (c *counter) happens(s int) {
	hour := s / 3600 % 24
	if hour >= 7 && hour < 20 {
		rate := .01
		if hour >= 9 && hour < 11 {
			rate = .06 // a crowd
		}
		if c.rng.Float64() < rate {
			p := &passer{x: c.rng.Float64() * wide, y: 40 + c.rng.Float64()*50, w: 25 + c.rng.Float64()*70, h: 180, step: c.rng.Float64() * 3, sway: c.rng.Float64() * 7, from: s, to: s + 20 + c.rng.IntN(200)}
			for i := range p.stripes {
				p.stripes[i] = .1 + .7*c.rng.Float32()
			}
			c.people = append(c.people, p)
		}
	}
	if s%day == 19*3600+1200 {
		c.cloth = s + 15
	}
	kept := c.people[:0]
	for _, p := range c.people {
		if p.to > s {
			kept = append(kept, p)
		}
	}
	c.people = kept
}

// picture paints second s.
func (c *counter) picture(s int) []byte {
	c.happens(s)
	hour := float64(s%day) / 3600
	sun := max(0, math.Sin((hour-6)/12*math.Pi)) * (.75 + .25*math.Sin(float64(s)/97)*math.Sin(float64(s)/411)) // and clouds
	lamps := 0.
	if hour > 7.5 && hour < 20 {
		lamps = 1
		if math.Mod(hour, 3) < .01 { // switched for half a minute
			lamps = 0
		}
	}
	night := .05 // what comes in from the street
	light := func(i int) float32 { return float32(sun*.55+night) + float32(lamps*.6)*c.lamp[i] }
	// The camera's exposure follows, slowly and not all the way.
	var mean float32
	for i := 0; i < len(c.wall); i += 997 {
		mean += c.wall[i] * light(i) / (wide * high / 997)
	}
	c.gain += (min(.45/mean, 2.5) - c.gain) * .3
	patch := int(math.Mod(hour, 12) / 12 * wide) // the sun through a window
	shadow := -1
	if s%900 < 20 { // somebody passes the lamp
		shadow = s % 900 * 20
	}
	n := c.rng.IntN(len(c.noise))
	loud := float32(1.5)
	if mean*c.gain < .2 {
		loud = 3
	}
	for y := range high {
		for x := range wide {
			i := y*wide + x
			v := c.wall[i] * light(i)
			if d := x - patch; sun > .5 && d >= 0 && d < 40 && y > 100 {
				v *= 1.7
			}
			if d := x - shadow; shadow >= 0 && d >= 0 && d < 90 {
				v *= .6
			}
			c.grey[i] = level(v*c.gain*200, loud*float32(c.noise[(n+i*7)&0xffff])/16)
		}
	}
	for _, p := range c.people {
		at := p.x + 6*math.Sin(float64(s)*.7+p.sway) + p.step*float64(s-p.from)*math.Sin(float64(s)/31)
		for y := int(p.y); y < high; y++ {
			for x := max(0, int(at)); x < min(wide, int(at+p.w)); x++ {
				i := y*wide + x
				c.grey[i] = level(p.stripes[(y/9+x/23)&15]*light(i)*c.gain*200, loud*float32(c.noise[(n+i*7)&0xffff])/16)
			}
		}
	}
	if s < c.cloth {
		dx, dy := int(60*math.Sin(float64(s)*2.3)), int(30*math.Cos(float64(s)*1.9))
		for y := max(0, 10+dy); y < min(high, 150+dy); y++ {
			for x := max(0, 30+dx); x < min(wide, 290+dx); x++ {
				c.grey[y*wide+x] = level(120+20*float32(math.Sin(float64(s))), float32(c.noise[(n+y*wide+x)&0xffff])/16)
			}
		}
	}
	c.pictures++
	return c.grey[:]
}

func level(v, noise float32) byte { return byte(min(max(16+v*.86+noise, 16), 255)) }

// spoil makes the fault cause of a picture; frozen is the last one before it.
func (c *counter) spoil(cause ward.BlindCause, grey, frozen []byte) []byte {
	out := make([]byte, len(grey))
	noise := func(i int) float32 { return float32(c.noise[(i*5+c.pictures*131)&0xffff]) / 16 }
	for y := range high {
		for x := range wide {
			i := y*wide + x
			switch cause { //nolint:exhaustive // those of pictures
			case ward.Black:
				out[i] = 16
			case ward.Covered:
				out[i] = level(90+float32(x)/10, noise(i))
			case ward.Glare:
				out[i] = byte(min(255, 200+int(grey[i])*2))
			case ward.Moved:
				out[i] = level(float32(grey[y*wide+(x+60)%wide])-16, 0)
			case ward.Frozen:
				out[i] = frozen[i]
			case ward.Defocused:
				const r = 5
				sum, k := 0, 0
				for b := max(0, y-r); b <= min(high-1, y+r); b++ {
					for a := max(0, x-r); a <= min(wide-1, x+r); a++ {
						sum, k = sum+int(grey[b*wide+a]), k+1
					}
				}
				out[i] = level(float32(sum/k-16)/.86, noise(i)/2)
			}
		}
	}
	return out
}

// watchedFor is for how many seconds to watch: HEALTH_HOURS (make health: 24), or some.
func watchedFor(some int) int {
	if hours, err := strconv.Atoi(os.Getenv("HEALTH_HOURS")); err == nil {
		return hours * 3600
	}
	return some
}

// TestAnOrdinaryDay watches painted places, and nothing is wrong with them.
func TestAnOrdinaryDay(t *testing.T) {
	t.Parallel()
	length := watchedFor(900)
	for place := range uint64(3) {
		t.Run(fmt.Sprint(place), func(t *testing.T) {
			t.Parallel()
			c, h := newCounter(place), &analytics.Health{}
			begin := int(7+4*place) * 3600 // before the lamps, in the crowd, in the afternoon
			var before []byte
			doubts := 0
			for s := begin; s < begin+length; s++ {
				grey := c.picture(s)
				m := vision.Measure(grey, before)
				before = append(before[:0], grey...)
				for _, tr := range h.Step(m, nil, time.Unix(int64(s), 0)) {
					t.Errorf("%02d:%02d:%02d %+v", s/3600%24, s/60%60, s%60, tr)
				}
				if h.Blind() {
					doubts++
				}
			}
			fmt.Printf("camera health, place %d: %v of ordinary video, %d pictures, doubted %d, %d views learned\n", place, time.Duration(length)*time.Second, c.pictures, doubts, len(h.Scene.Views))
		})
	}
}

// TestFaultsOfADay makes a fault every ten minutes, at all hours that are
// watched: each is found within ten seconds, and ends with its cause.
func TestFaultsOfADay(t *testing.T) {
	t.Parallel()
	length := watchedFor(3600)
	causes := []ward.BlindCause{ward.Covered, ward.Moved, ward.Frozen, ward.Defocused, ward.Black, ward.Glare}
	c, h := newCounter(9), &analytics.Health{}
	var before, frozen []byte
	var found, other int
	var worst, sum time.Duration
	const begin, every, lasts = 10 * 3600, 600, 30
	n, seen := 0, 0
	for s := begin; s < begin+length; s++ {
		grey := append([]byte(nil), c.picture(s)...)
		since := (s-begin)%every - every/2
		cause := causes[(s-begin)/every%len(causes)]
		if since == 0 {
			n++
			frozen = append(frozen[:0], before...)
		}
		if since >= 0 && since < lasts {
			grey = c.spoil(cause, grey, frozen)
		}
		if since == lasts && seen < n {
			t.Logf("%02d:%02d %s was not found", s/3600%24, s/60%60, cause)
		}
		m := vision.Measure(grey, before)
		before = grey
		for _, tr := range h.Step(m, nil, time.Unix(int64(s), 0)) {
			if since < 0 || since > lasts+5 {
				t.Errorf("second %d of %s: %+v", since, cause, tr)
				continue
			}
			if tr.Over {
				if to := int(tr.To.Unix()) - s + since; to < lasts-1 || to > lasts+3 {
					t.Errorf("%s ended at %d", cause, to)
				}
				continue
			}
			late := time.Duration(since) * time.Second
			found, seen, sum, worst = found+1, n, sum+late, max(worst, late)
			if tr.Cause != cause {
				other++
			}
			if tr.Cause != cause || late > 10*time.Second {
				t.Logf("%02d:%02d %s was called %s after %v", s/3600%24, s/60%60, cause, tr.Cause, late)
			}
		}
	}
	fmt.Printf("camera health: %d of %d faults found, %d by another name, after %.1f s on average, %v at most\n", found, n, other, sum.Seconds()/float64(max(found, 1)), worst)
	if found != n || worst > 10*time.Second || other > n/4 {
		t.Errorf("found %d of %d, after %v at most, %d by another name", found, n, worst, other)
	}
}
