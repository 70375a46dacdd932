package simbed

import (
	"math/rand/v2"
	"time"
)

// Camera is what a bedside shows, without its connection: Next is asked for
// 25 pictures a second of whatever clock Told is told by.
type Camera struct {
	o        Options
	s, other script
	p        player
	draw     *rand.Rand // nil without a seed
	due      []reaction
	told     int // commands so far
	turns    int // of them challenges
}

// reaction is what will be shown.
type reaction struct {
	at   time.Duration
	show stretch
	from int
}

// NewCamera begins with the straight look, or with the loop. It reads of o
// what concerns the pictures, and fails when the clips lack what is needed.
func NewCamera(o Options) (c *Camera, err error) {
	c = &Camera{o: o}
	if o.Seed != 0 {
		c.draw = rand.New(rand.NewPCG(o.Seed, 1)) //nolint:gosec // a simulation that can be repeated
	}
	switch o.Behaviour {
	case Loop, Cued, Reloads, Flood:
		c.p = player{now: stretch{o.Clip, 0, len(o.Clip.Frames) - 1}, at: o.Start % len(o.Clip.Frames), round: true}
	case Frozen:
		at := o.Start % len(o.Clip.Frames)
		c.p.play(stretch{o.Clip, at, at})
	case Genuine, Impostor, Cut, Reload, Refuse, Wrong, Switch:
		if c.s, err = plan(o.Clip, o.Mirrored); err != nil {
			return nil, err
		}
		if o.Behaviour == Switch {
			if c.other, err = plan(o.Other[0], o.Other[1]); err != nil {
				return nil, err
			}
		}
		c.p.play(c.s.straight)
		c.p.at = c.begin(c.s.straight)
	}
	return c, nil
}

// begin is the frame that a stretch is shown from; it goes to and fro from there.
func (c *Camera) begin(s stretch) int {
	if c.draw == nil {
		return s.from
	}
	return s.from + c.draw.IntN(s.to-s.from+1)
}

// Told is a command. What was to be shown because of earlier ones still is, in order.
func (c *Camera) Told(at time.Duration, command string) {
	c.told++
	if challenges[command] {
		c.turns++
		if c.o.Behaviour == Switch && c.turns == max(1, c.o.SwitchAt) {
			c.s = c.other
		}
		if c.o.Behaviour == Wrong {
			command = c.wrong(command)
		}
	}
	after := c.o.React
	if c.draw != nil && c.o.Spread > 0 {
		after += time.Duration(c.draw.Int64N(int64(c.o.Spread)))
	}
	switch c.o.Behaviour {
	case Loop, Frozen, Flood, Reloads, Refuse:
	case Cued:
		if c.told <= len(c.o.Cues) {
			c.due = append(c.due, reaction{at + after, c.p.now, c.o.Cues[c.told-1] % len(c.o.Clip.Frames)})
		}
	case Genuine, Impostor, Cut, Reload, Wrong, Switch:
		if x := c.s.stretch(command); x.clip != nil {
			c.due = append(c.due, reaction{at + after, x, c.begin(x)})
		}
	}
}

// show shows x from its beginning at a moment.
func (c *Camera) show(at time.Duration, x stretch) {
	c.due = append(c.due, reaction{at, x, x.from})
}

// wrong is another challenge than the one that was given.
func (c *Camera) wrong(asked string) string {
	all := []string{"turn_left", "turn_right", "nod", "shut_eyes", "open_mouth"}
	for i := range all {
		if all[i] == asked {
			all = append(all[:i], all[i+1:]...)
			break
		}
	}
	if c.draw == nil {
		return all[0]
	}
	return all[c.draw.IntN(len(all))]
}

// Next is the frame that is shown at a moment; the next one comes 40 ms later.
func (c *Camera) Next(at time.Duration) (*Clip, int) {
	for len(c.due) > 0 && c.due[0].at <= at {
		r := c.due[0]
		c.due = c.due[1:]
		round := c.p.round
		c.p.play(r.show)
		c.p.at, c.p.round = r.from, round
	}
	return c.p.advance()
}
