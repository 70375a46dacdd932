package analytics_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"wardwatch/analytics"
	"wardwatch/storage"
	"wardwatch/ward"
)

// shop is a counter for hours: customers come every pause on average, stay
// 20 to 90 s, and swipe somewhere in the middle by a clock that is behind the
// cameras' by skew. passers also stand there without a swipe, and frauds
// swipe with nobody there.
type shop struct {
	hours           float64
	pause           time.Duration
	skew            time.Duration
	passers, frauds float64 // for each customer
}

func (s shop) day(r *rand.Rand) analytics.CounterDay {
	length := time.Duration(s.hours * float64(time.Hour))
	var c analytics.CounterDay
	c.Watched = append(c.Watched, storage.Presence{Kind: ward.Watched, From: swipe.Add(-time.Hour), To: swipe.Add(length + time.Hour)})
	for at := time.Duration(0); at < length; at += time.Duration(r.ExpFloat64() * float64(s.pause)) {
		stay := time.Duration(20+r.IntN(70)) * time.Second
		c.Present = append(c.Present, storage.Presence{Kind: ward.FaceSeen, From: swipe.Add(at), To: swipe.Add(at + stay)})
		if r.Float64() >= s.passers/(1+s.passers) {
			inside := 5*time.Second + time.Duration(r.Float64()*float64(stay-8*time.Second))
			c.Swipes = append(c.Swipes, swipe.Add(at+inside-s.skew))
		}
		if r.Float64() < s.frauds {
			c.Swipes = append(c.Swipes, swipe.Add(time.Duration(r.Float64()*float64(length))))
		}
	}
	r.Shuffle(len(c.Swipes), func(i, j int) { c.Swipes[i], c.Swipes[j] = c.Swipes[j], c.Swipes[i] })
	r.Shuffle(len(c.Present), func(i, j int) { c.Present[i], c.Present[j] = c.Present[j], c.Present[i] })
	return c
}

func TestEstimateOffset(t *testing.T) {
	for _, c := range []struct {
		name   string
		shops  []shop
		within time.Duration // of the skew
	}{
		{"quiet counter, right clock", []shop{{8, 8 * time.Minute, 0, 0, 0}}, 8 * time.Second},
		{"quiet counter, 3 minutes behind", []shop{{8, 8 * time.Minute, 3 * time.Minute, 0, 0}}, 8 * time.Second},
		{"quiet counter, 9 minutes ahead", []shop{{8, 8 * time.Minute, -9 * time.Minute, .3, 0}}, 8 * time.Second},
		{"busy counter, 40 s behind", []shop{{8, 60 * time.Second, 40 * time.Second, .3, 0}}, 5 * time.Second},
		{"very busy counter, 70 s ahead", []shop{{16, 40 * time.Second, -70 * time.Second, 0, 0}}, 5 * time.Second},
		{"two counters, one never empty", []shop{{8, 5 * time.Second, 2 * time.Minute, 0, 0}, {8, 6 * time.Minute, 2 * time.Minute, 0, 0}}, 8 * time.Second},
		{"a tenth of the swipes with nobody there", []shop{{16, 4 * time.Minute, 75 * time.Second, 0, .1}}, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(5) {
				r := rand.New(rand.NewPCG(seed, 7))
				var days []analytics.CounterDay
				for _, s := range c.shops {
					days = append(days, s.day(r))
				}
				got, spread, n, ok := analytics.EstimateOffset(days)
				if want := c.shops[0].skew; !ok || (got-want).Abs() > c.within || (got-want).Abs() > spread+4*time.Second {
					t.Errorf("seed %d: got %v ± %v from %d, %v; want %v", seed, got, spread, n, ok, want)
				}
			}
		})
	}
}

func TestNoOffsetWithoutEvidence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	quiet := shop{8, 8 * time.Minute, time.Minute, 0, 0}.day(r)
	strangers := quiet
	strangers.Swipes = nil
	for range 300 {
		strangers.Swipes = append(strangers.Swipes, swipe.Add(time.Duration(r.Float64()*8*float64(time.Hour))))
	}
	few := quiet
	few.Swipes = few.Swipes[:15]
	unwatched := quiet
	unwatched.Watched = nil
	regular := analytics.CounterDay{Watched: quiet.Watched} // every 4 minutes: no way to tell which customer it was
	for at := time.Duration(0); at < 8*time.Hour; at += 4 * time.Minute {
		regular.Present = append(regular.Present, storage.Presence{From: swipe.Add(at), To: swipe.Add(at + 30*time.Second)})
		regular.Swipes = append(regular.Swipes, swipe.Add(at+15*time.Second))
	}
	for name, c := range map[string]analytics.CounterDay{
		"swipes that have nothing to do with it": strangers,
		"too few swipes":                         few,
		"not watched":                            unwatched,
		"a counter that is never empty":          shop{8, 3 * time.Second, 0, 0, 0}.day(r),
		"customers like clockwork":               regular,
		"off by more than is believed":           shop{8, 8 * time.Minute, 25 * time.Minute, 0, 0}.day(r),
		"nothing":                                {},
	} {
		if got, spread, n, ok := analytics.EstimateOffset([]analytics.CounterDay{c}); ok {
			t.Errorf("%s: got %v ± %v from %d", name, got, spread, n)
		}
	}
}
