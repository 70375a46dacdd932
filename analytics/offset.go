package analytics

import (
	"fmt"
	"math"
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// How the offset of a billing clock is estimated.
const (
	offsetStep = time.Second
	// offsetHit is how likely somebody is in view at a swipe when the offset is
	// right: not surely, since cards are also swiped with nobody there.
	offsetHit = .9
	// minSamples: fewer settlements prove nothing.
	minSamples = 20
	// minEvidence is the logarithm of how much better than chance the best
	// offset must fit: ln of the 1201 offsets tried is 7, and 7 more to be sure.
	minEvidence = 14
	// rivalEvidence is how much worse, as a logarithm, every offset farther
	// away than rivalDistance must fit; within plateau all fit nearly as well.
	rivalEvidence = 6
	rivalDistance = 30 * time.Second
	plateau       = 2
)

// CounterDay is what an estimate looks at for one counter: when billing says
// that cards were swiped, when somebody was seen, and when it was watched.
type CounterDay struct {
	Swipes  []time.Time
	Present []storage.Presence // of people and faces
	Watched []storage.Presence
}

// EstimateOffset finds the offset of a billing clock at which somebody was at
// the counters at the swipes most often, compared with how often somebody is
// there at all: at a counter that is never empty a swipe says nothing, at a quiet one
// a handful of swipes says much. Swipes whose surroundings were not watched are
// left out. ok is false when too few are left, no offset fits much better than
// chance, or two that are far apart fit alike. The order of lists does not matter.
func EstimateOffset(counters []CounterDay) (offset, spread time.Duration, samples int, ok bool) {
	reach := int(storage.MaxOffset / offsetStep)
	score := make([]float64, 2*reach+1)
	for _, c := range counters {
		present, watched := merged(c.Present), merged(c.Watched)
		var seen []time.Time
		for _, s := range c.Swipes {
			if share(watched, around(s, storage.MaxOffset, storage.MaxOffset)) >= .95 {
				seen = append(seen, s)
			}
		}
		busy := 0.0 // how much of the time somebody is there
		for _, s := range seen {
			busy += share(present, around(s, storage.MaxOffset, storage.MaxOffset)) / float64(len(seen))
		}
		if busy = max(busy, .01); busy >= offsetHit {
			continue
		}
		hit, miss := math.Log(offsetHit/busy), math.Log((1-offsetHit)/(1-busy))
		for _, s := range seen {
			samples++
			tally(score, present, s, hit, miss)
		}
	}
	if samples < minSamples {
		return 0, 0, samples, false
	}
	best := slices.Max(score)
	first, last := -1, -1
	for i, v := range score {
		if v >= best-plateau {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	middle := (first + last) / 2
	for i, v := range score {
		far := time.Duration(max(first-i, i-last, 0))*offsetStep > rivalDistance
		if far && v > best-rivalEvidence {
			return 0, 0, samples, false
		}
	}
	spread = time.Duration(last-first) * offsetStep / 2
	offset = time.Duration(middle-reach) * offsetStep
	return offset, spread, samples, best >= minEvidence && spread <= rivalDistance
}

// tally adds to the score of every offset whether somebody was there at
// s + offset.
func tally(score []float64, present []span, s time.Time, hit, miss float64) {
	reach := len(score) / 2
	next := 0 // the first offset not yet scored
	upTo := func(end int, v float64) {
		for ; next < end && next < len(score); next++ {
			score[next] += v
		}
	}
	for _, p := range present {
		if p.to.Before(s.Add(-storage.MaxOffset)) {
			continue
		}
		from := int(math.Ceil(p.from.Sub(s).Seconds() / offsetStep.Seconds()))
		to := int(math.Floor(p.to.Sub(s).Seconds() / offsetStep.Seconds()))
		upTo(from+reach, miss)
		upTo(to+reach+1, hit)
	}
	upTo(len(score), miss)
}

// merged joins stretches that touch, in their order.
func merged(ps []storage.Presence) []span {
	ps = slices.Clone(ps)
	slices.SortFunc(ps, func(a, b storage.Presence) int { return a.From.Compare(b.From) })
	var out []span
	for _, p := range ps {
		if n := len(out); n > 0 && !p.From.After(out[n-1].to.Add(offsetStep)) {
			out[n-1].to = latest(out[n-1].to, p.To)
			continue
		}
		out = append(out, span{p.From, p.To})
	}
	return out
}

// share is how much of w the stretches, which do not overlap, cover.
func share(spans []span, w span) float64 {
	i, _ := slices.BinarySearchFunc(spans, w.from, func(s span, at time.Time) int { return s.to.Compare(at) })
	var sum time.Duration
	for ; i < len(spans) && spans[i].from.Before(w.to); i++ {
		sum += max(0, earliest(spans[i].to, w.to).Sub(latest(spans[i].from, w.from)))
	}
	return float64(sum) / float64(w.to.Sub(w.from))
}

// personPresence says whether a stretch shows somebody.
func personPresence(p storage.Presence) bool {
	return p.Kind == ward.PeopleSeen || p.Kind == ward.FaceSeen
}

// shifted tells that a settlement's moment was put right by offset.
func shifted(offset time.Duration) (zh, en string) {
	s := offset.Round(time.Second)
	switch {
	case s.Abs() < 2*time.Second:
		return "", ""
	case s > 0:
		return fmt.Sprintf("（收费系统时钟比摄像头慢 %d 秒，已换算。）", int(s.Seconds())), fmt.Sprintf(" (The billing clock is %d s behind the cameras'; allowed for.)", int(s.Seconds()))
	default:
		return fmt.Sprintf("（收费系统时钟比摄像头快 %d 秒，已换算。）", -int(s.Seconds())), fmt.Sprintf(" (The billing clock is %d s ahead of the cameras'; allowed for.)", -int(s.Seconds()))
	}
}
