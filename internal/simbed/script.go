package simbed

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

const (
	turnWanted  = 12  // degrees from the straight stretch that a turned one shows at least
	straightMax = 2.5 // degrees either way inside the straight stretch
	straightMin = 3 * fps
	turnMin     = fps * 2 / 5 // frames: 0.4 s
	nodWanted   = 9.5         // degrees, likewise
	shutWanted  = .69         // of the straight stretch's eye opening at most
	openWanted  = .24         // of the mouth, above the straight stretch's
	aheadMax    = 9           // degrees either way while the head is not to turn
)

// stretch is a run of frames that shows one pose.
type stretch struct {
	clip     *Clip
	from, to int // frames, both included
}

// script knows which stretch shows what.
type script struct {
	straight, left, right stretch
	// What the clip does not show has no clip: the bedside then goes on looking straight.
	nod, shut, open stretch
}

// others finds the rest of what may be asked, in the clip or in its mirror image.
func (s *script) others(clips ...*Clip) {
	var straight []Pose
	for _, p := range s.straight.clip.Poses {
		if p.Frame >= s.straight.from && p.Frame <= s.straight.to {
			straight = append(straight, p)
		}
	}
	middle := func(of func(Pose) float32) float32 {
		slices.SortFunc(straight, func(a, b Pose) int { return cmp.Compare(of(a), of(b)) })
		return of(straight[len(straight)/2])
	}
	yaw := middle(func(p Pose) float32 { return p.Yaw })
	pitch := middle(func(p Pose) float32 { return p.Pitch })
	mouth := middle(func(p Pose) float32 { return p.Mouth })
	eyes := middle(func(p Pose) float32 { return p.Eyes })
	ahead := func(p Pose) bool { return p.Yaw-yaw < aheadMax && yaw-p.Yaw < aheadMax }
	for _, c := range clips {
		if c == nil {
			continue
		}
		find := func(to *stretch, fits func(Pose, float32) bool) {
			for _, more := range []float32{1.5, 1.3, 1.15, 1} { // the clearer the better
				if to.clip == nil {
					*to = c.longest(func(p Pose) bool { return ahead(p) && fits(p, more) })
				}
			}
		}
		find(&s.nod, func(p Pose, more float32) bool { return p.Pitch-pitch >= nodWanted*more })
		find(&s.shut, func(p Pose, more float32) bool { return p.Eyes <= shutWanted/more*eyes })
		find(&s.open, func(p Pose, more float32) bool { return p.Mouth-mouth >= openWanted*more })
	}
}

// longest is the longest stretch between measured poses that all fit; it has
// no clip when not even two beside each other do.
func (c *Clip) longest(fits func(Pose) bool) stretch {
	var best, now stretch
	for i, p := range c.Poses {
		switch {
		case !fits(p):
			now = stretch{}
			continue
		case now.clip == nil || p.Frame-c.Poses[i-1].Frame > poseEvery:
			now = stretch{c, p.Frame, p.Frame}
		}
		now.to = p.Frame
		if now.to > now.from && now.to-now.from > best.to-best.from {
			best = now
		}
	}
	return best
}

// yawAt is the yaw of every frame between measured poses, NaN where the
// head is not known.
func (c *Clip) yawAt() []float64 {
	out := make([]float64, len(c.Frames))
	for i := range out {
		out[i] = math.NaN()
	}
	for i := 1; i < len(c.Poses); i++ {
		a, b := c.Poses[i-1], c.Poses[i]
		if b.Frame-a.Frame > poseEvery {
			continue
		}
		for f := a.Frame; f <= b.Frame; f++ {
			w := float64(f-a.Frame) / float64(b.Frame-a.Frame)
			out[f] = float64(a.Yaw)*(1-w) + float64(b.Yaw)*w
		}
	}
	return out
}

// runs are the stretches of at least n frames whose every frame fits.
func runs(c *Clip, yaw []float64, n int, fits func(yaw float64) bool) []stretch {
	var out []stretch
	from := -1
	for i := 0; i <= len(yaw); i++ {
		in := i < len(yaw) && !math.IsNaN(yaw[i]) && fits(yaw[i])
		switch {
		case in && from < 0:
			from = i
		case !in && from >= 0:
			if i-from >= n {
				out = append(out, stretch{c, from, i - 1})
			}
			from = -1
		}
	}
	return out
}

func longest(s []stretch) stretch {
	return slices.MaxFunc(s, func(a, b stretch) int { return (a.to - a.from) - (b.to - b.from) })
}

// plan finds a straight stretch from which both turns exist in the clip.
// Where one direction is missing, the mirrored clip shows it: a real
// picture of a real turn, with the face mirrored. mirrored may be nil.
func plan(c, mirrored *Clip) (script, error) {
	yaw := c.yawAt()
	var best script
	score := -1
	// The straight look need not be at 0: people hold phones askew.
	for centre := -10.0; centre <= 12; centre++ {
		straight := runs(c, yaw, straightMin, func(y float64) bool { return math.Abs(y-centre) <= straightMax })
		if len(straight) == 0 {
			continue
		}
		left := turned(c, mirrored, yaw, centre, +1)
		right := turned(c, mirrored, yaw, centre, -1)
		if len(left) == 0 || len(right) == 0 {
			continue
		}
		s := script{straight: longest(straight), left: longest(left), right: longest(right)}
		// Unmirrored turns count more than long ones.
		n := min(s.left.to-s.left.from, s.right.to-s.right.from)
		for _, x := range []stretch{s.left, s.right} {
			if !x.clip.Flip {
				n += 1000
			}
		}
		if n > score {
			best, score = s, n
		}
	}
	if score < 0 {
		return best, errors.New("the clip shows no head turns beside a straight look")
	}
	best.others(c, mirrored)
	return best, nil
}

func turned(c, mirrored *Clip, yaw []float64, centre, sign float64) []stretch {
	own := runs(c, yaw, turnMin, func(y float64) bool { return (y-centre)*sign >= turnWanted })
	if len(own) > 0 || mirrored == nil {
		return own
	}
	return runs(mirrored, mirrored.yawAt(), turnMin, func(y float64) bool { return (y-centre)*sign >= turnWanted })
}

func (s script) String() string {
	at := func(x stretch) string {
		if x.clip == nil {
			return "not shown"
		}
		t := fmt.Sprintf("%.1f-%.1f s", float64(x.from)/fps, float64(x.to)/fps)
		if x.clip.Flip {
			t += " mirrored"
		}
		return t
	}
	return "straight " + at(s.straight) + ", left " + at(s.left) + ", right " + at(s.right) +
		", nod " + at(s.nod) + ", eyes shut " + at(s.shut) + ", mouth open " + at(s.open)
}

// player walks to and fro over a stretch, frame by frame, or round and
// round.
type player struct {
	now   stretch
	at    int
	step  int
	round bool
}

func (p *player) play(s stretch) { *p = player{now: s, at: s.from, step: 1} }

// advance is the next frame by its number, and goes on by one.
func (p *player) advance() (*Clip, int) {
	f := p.at
	if p.round {
		p.at = (p.at-p.now.from+1)%(p.now.to-p.now.from+1) + p.now.from
		return p.now.clip, f
	}
	if p.at+p.step < p.now.from || p.at+p.step > p.now.to {
		p.step = -p.step
	}
	if n := p.at + p.step; n >= p.now.from && n <= p.now.to {
		p.at = n
	}
	return p.now.clip, f
}

// stretch is what is shown after a command; it has no clip when nothing else is.
func (s *script) stretch(command string) stretch {
	switch command {
	case "look_straight":
		return s.straight
	case "turn_left":
		return s.left
	case "turn_right":
		return s.right
	case "nod":
		return s.nod
	case "shut_eyes":
		return s.shut
	case "open_mouth":
		return s.open
	}
	return stretch{}
}

// challenges are the commands that ask for more than a straight look.
var challenges = map[string]bool{"turn_left": true, "turn_right": true, "nod": true, "shut_eyes": true, "open_mouth": true}

// Actor is the camera of a Genuine bedside without its connection.
type Actor struct {
	s script
	p player
}

// NewActor begins with the straight look. mirrored may be nil.
func NewActor(c, mirrored *Clip) (*Actor, error) {
	s, err := plan(c, mirrored)
	if err != nil {
		return nil, err
	}
	a := &Actor{s: s}
	a.p.play(s.straight)
	return a, nil
}

// Show reacts to a command, at once.
func (a *Actor) Show(command string) {
	if x := a.s.stretch(command); x.clip != nil {
		a.p.play(x)
	}
}

// Next is the frame that is shown next, 25 in a second.
func (a *Actor) Next() (*Clip, int) { return a.p.advance() }
