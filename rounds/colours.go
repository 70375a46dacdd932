package rounds

import (
	"context"
	"time"

	"wardwatch/ward"
)

// The numbers of the colour sequence; DESIGN.md says what they are good for.
const (
	coloursShown = 6                      // in a session
	colourHeld   = 600 * time.Millisecond // fewer than two changes a second
	colourRest   = 600 * time.Millisecond // before the first, to look at the screen
	colourTail   = 500 * time.Millisecond // after the last, for pictures on their way
)

// colour is what the whole screen shows.
type colour int

const (
	white colour = iota
	red
	green
	blue
	allColours = 4
)

// screenColour is a colour as the bedside's page shows it.
type screenColour struct {
	command string
	light   [3]float64 // linear, 0 to 1, of the page's style sheet
}

// screen is what a colour is on a screen. None is a saturated red (WCAG 2.3.1: at least .8 of the light).
func (c colour) screen() screenColour {
	switch c {
	case red:
		return screenColour{"colour_red", [3]float64{1, .156, .156}} // #ff6e6e
	case green:
		return screenColour{"colour_green", [3]float64{0, .716, .045}} // #00dc3c
	case blue:
		return screenColour{"colour_blue", [3]float64{.013, .045, 1}} // #1e3cff
	case white:
	}
	return screenColour{"colour_white", [3]float64{1, 1, 1}} // #ffffff
}

// tint is how the colour differs from white: red and blue light over green.
func (c colour) tint() [2]float64 {
	l := c.screen().light
	return [2]float64{l[0] - l[1], l[2] - l[1]}
}

// colours draws what the screen shows: no two alike in a row, and not only two.
func (l *lots) colours() []colour {
	for {
		seen, out := map[colour]bool{}, make([]colour, 0, coloursShown)
		for last := colour(-1); len(out) < coloursShown; {
			if c := colour(l.below(allColours)); c != last {
				out, last = append(out, c), c
				seen[c] = true
			}
		}
		if len(seen) > 2 {
			return out
		}
	}
}

// coloursWhy says whether the colour sequence was shown, or why it was not.
// It stands on the tape: a replay must know.
type coloursWhy string

const (
	coloursNever  coloursWhy = "" // the visit is older than the sequence
	coloursAsked  coloursWhy = "shown"
	coloursOff    coloursWhy = "off"    // by the check policy
	coloursSpared coloursWhy = "spared" // the device, or who holds it, wants none
	coloursVain   coloursWhy = "vain"   // the live check failed before
)

func (w coloursWhy) words() (zh, en string) {
	switch w {
	case coloursOff:
		return "检测策略已关闭屏幕颜色检测。", "The check policy turns the colours off."
	case coloursSpared:
		return "床旁选择了不显示变换的颜色（光敏或减少动态效果）。", "The bedside asked for no changing colours (sensitive to light, or reduced motion)."
	case coloursVain:
		return "活体检测未通过，未显示颜色。", "The live check did not pass; no colours were shown."
	case coloursNever, coloursAsked:
	}
	return "", ""
}

// whyColours decides it once for a visit; in a replay it is known.
func (s *session) whyColours(live ward.Check) coloursWhy {
	switch {
	case s.played != nil, s.colours != coloursNever:
		return s.colours
	case s.policy.Need(ward.CheckColours) == ward.Off:
		return coloursOff
	case s.sparesColours():
		return coloursSpared
	case live.Outcome != ward.Pass:
		return coloursVain
	}
	return coloursAsked
}

// sparesColours says whether the bedside's page asked for no colours.
func (s *session) sparesColours() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spares
}

// checkColours shows colours on the bedside's screen and looks for their
// reflection on the face; done is false for a visit that is older than the check.
func (s *session) checkColours(ctx context.Context, live ward.Check) (c ward.Check, done bool, err error) {
	c = ward.Check{VisitID: s.visit.ID, Kind: ward.CheckColours, Outcome: ward.NotDone}
	s.colours = s.whyColours(live)
	switch s.colours {
	case coloursNever:
		return c, false, nil
	case coloursAsked:
		g, err := s.showColours(ctx)
		if err != nil {
			return c, false, err
		}
		g.judge(&c)
	case coloursOff, coloursSpared, coloursVain:
		c.DetailZH, c.DetailEN = s.colours.words()
	}
	c.At = time.Now()
	return c, true, s.event(ctx, "check", map[string]any{"check": c.Kind, "outcome": c.Outcome})
}

// showColours shows one colour after the other and collects what the pictures show meanwhile.
func (s *session) showColours(ctx context.Context) (*glow, error) {
	g := &glow{row: s.lots.colours()}
	own := s.faces.fused()
	see := func(l look) { g.see(l, own, s.e.Thresholds.NoMatch) }
	displayed, err := s.tell(ctx, watchScreen())
	if err != nil {
		return nil, err
	}
	wait := colourRest
	for i := range g.row {
		if err = s.each(ctx, displayed.Add(wait), func(l look) bool { see(l); return true }); err != nil {
			return nil, err
		}
		if displayed, err = s.tell(ctx, showColour(g.row[i])); err != nil {
			return nil, err
		}
		g.shown, wait = append(g.shown, displayed), colourHeld
	}
	end := displayed.Add(colourHeld + colourTail)
	if err = s.each(ctx, end.Add(lagGrace), func(l look) bool { see(l); return l.at.Before(end) }); err != nil {
		return nil, err
	}
	return g, nil
}
