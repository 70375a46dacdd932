package main_test

import (
	"maps"
	"slices"
	"time"

	"wardwatch/internal/simcam"
	"wardwatch/ward"
)

// stretch of time; to is zero while it lasts.
type stretch struct{ from, to time.Time }

// total is how long at least one of the stretches lasted within [from, to).
func total(all []stretch, from, to time.Time) (length time.Duration) {
	all = slices.SortedFunc(slices.Values(all), func(a, b stretch) int { return a.from.Compare(b.from) })
	for _, s := range all {
		if s.to.IsZero() || s.to.After(to) {
			s.to = to
		}
		if s.from.Before(from) {
			s.from = from
		}
		if s.to.After(s.from) {
			length, from = length+s.to.Sub(s.from), s.to
		}
	}
	return length
}

func missing(gaps []ward.Gap) (all []stretch) {
	for _, g := range gaps {
		all = append(all, stretch{g.From, g.To})
	}
	return all
}

func unsent(holes []simcam.Hole) (all []stretch) {
	for _, h := range holes {
		all = append(all, stretch{h.From, h.To})
	}
	return all
}

// tally is of one camera, or all, in seconds.
type tally struct {
	time     float64
	recorded float64 // and whole
	expected float64 // the camera sent, or would have sent, pictures that can be shown
	lost     float64 // of expected
}

func (k *soak) tally(path string, line timeline, from, to time.Time) tally {
	k.t.Helper()
	gaps, holes := missing(line.Gaps), unsent(k.sim.Holes(path))
	x := tally{time: to.Sub(from).Seconds(), recorded: line.RecordedS}
	none := total(holes, from, to)
	x.expected = x.time - none.Seconds()
	x.lost = (total(append(gaps, holes...), from, to) - none).Seconds()
	untold := x.time - line.RecordedS - line.GapS
	if untold > .5 {
		k.t.Errorf("%s: %.2f s are neither recorded nor a gap", path, untold)
	}
	x.lost += max(0, untold)
	k.t.Logf("  %s: %.2f s, recorded %.2f s, gaps %.2f s; %.2f s expected, of which %.2f s were lost", path, x.time, x.recorded, line.GapS, x.expected, x.lost)
	return x
}

// report prints what was recorded of a stretch, and fails below the goal.
// Availability is recorded over expected seconds: expected are those in which
// the camera sent, or would have sent to a client, pictures that can be
// shown. The simulator knows them (simcam.Hole). Whatever else is missing is
// held against us: reconnecting, kills, and pictures that we doubt.
func (k *soak) report(what string, from, to time.Time, faults, judged bool) {
	k.t.Helper()
	var all tally
	lost := map[ward.Cause]time.Duration{}
	for _, path := range k.paths {
		line := k.c.timeline(path, from, to)
		x := k.tally(path, line, from, to)
		all.time, all.recorded, all.expected, all.lost = all.time+x.time, all.recorded+x.recorded, all.expected+x.expected, all.lost+x.lost
		for _, g := range line.Gaps {
			lost[g.Cause] += total([]stretch{{g.From, g.To}}, from, to)
		}
	}
	goal := cleanGoal
	if faults {
		goal = faultsGoal
	}
	net := (all.expected - all.lost) / all.expected
	k.t.Logf("%s: %.1f of %.1f camera-seconds recorded, %.4f %%; the cameras sent what can be shown in %.1f of them, of which %.1f were lost: availability %.4f %% (goal %.2f %%)",
		what, all.recorded, all.time, 100*all.recorded/all.time, all.expected, all.lost, 100*net, 100*goal)
	for _, cause := range slices.Sorted(maps.Keys(lost)) {
		k.t.Logf("  missing for cause %s: %.1f s", cause, lost[cause].Seconds())
	}
	if judged && net < goal {
		k.t.Errorf("%s: availability %.4f %%, the goal is %.2f %%", what, 100*net, 100*goal)
	}
	if all.recorded == 0 {
		k.t.Errorf("%s: nothing was recorded", what)
	}
	if sent := all.expected == all.time; sent == faults {
		k.t.Errorf("%s: the cameras sent what can be shown in %.2f of %.2f s", what, all.expected, all.time)
	}
}
