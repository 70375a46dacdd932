package rounds

import (
	"context"
	"strconv"
	"time"

	"github.com/pion/rtp"

	"wardwatch/storage"
	"wardwatch/ward"
)

// PlayOn runs the live check, in virtual time, on a bedside that plays on
// whatever is asked; face gives the pose at a moment, if one is seen.
func PlayOn(face func(time.Duration) (ward.Face, bool)) ward.Outcome {
	o, _ := play(face, func(time.Duration, string) {})
	return o
}

// PlayTold is PlayOn for a bedside that is told the commands, and what is kept of it.
func PlayTold(face func(time.Duration) (ward.Face, bool), told func(time.Duration, string)) (ward.Outcome, Moves) {
	o, t := play(face, told)
	return o, t.moves
}

// Alike and Mirrored say whether pictures may be those of an earlier visit.
var (
	Alike    = alike
	Mirrored = mirrored
)

// TraceOf is what is kept of a film that is looked at every step.
func TraceOf(step time.Duration, seen []ward.Seen) (prints []uint64, moves Moves) {
	var t trace
	for i, v := range seen {
		t.see(look{at: time.Unix(0, 0).Add(time.Duration(i) * step), seen: v})
	}
	return t.prints, t.moves
}

// Moves is the movement that is kept of a visit.
type Moves = []move

// MovesLike are moves as face shows them from one moment to another.
func MovesLike(from, to time.Duration, face func(time.Duration) (ward.Face, bool)) Moves {
	var t trace
	for now := from; now < to; now += 150 * time.Millisecond {
		l := look{at: time.Unix(0, 0).Add(now)}
		if f, ok := face(now); ok {
			l.seen.Faces = []ward.Face{f}
		}
		t.see(l)
	}
	return t.moves
}

// Agreement is how much a visit agrees with an earlier one; 0 when it is another.
func Agreement(a, b Moves) float64 { return shownAgain(a, b, traceAgree) }

func play(face func(time.Duration) (ward.Face, bool), told func(time.Duration, string)) (ward.Outcome, *trace) {
	kept := &trace{}
	const step = 150 * time.Millisecond
	now := time.Duration(0)
	next := func() look {
		now += step
		l := look{at: time.Unix(0, 0).Add(now)}
		if f, ok := face(now); ok {
			f.Score, f.EyePx, f.Sharp, f.Bright = .9, 50, 100, 120
			l.seen.Faces = []ward.Face{f}
		}
		kept.see(l)
		return l
	}
	told(now, "look_straight")
	var b baseline
	base, found := pose{}, false
	for now < baselineWait && !found {
		base, found = b.see(next())
	}
	if !found {
		return ward.Fail, kept
	}
	draws := newLots(nil)
	row := newSeries(draws)
	for {
		t, ok := row.next()
		if !ok {
			return row.live(), kept
		}
		since, settled := time.Duration(0), false
		for end := now + settleWait; now < end && !settled; {
			f, ok := next().face()
			switch {
			case !ok || !neutral(f, base):
				since = 0
			case since == 0:
				since = now
			default:
				settled = now-since >= settleHeld
			}
		}
		r := tooLate
		if settled {
			for until := now + draws.pause(); now < until; {
				next()
			}
			told(now, ask(t).Command)
			a := attempt{asked: t, baseline: base, receipt: time.Unix(0, 0).Add(now)}
			for r = waiting; r == waiting; {
				r = a.see(next())
			}
		}
		row.count(r)
		told(now, "look_straight")
	}
}

// Pictures makes pictures of packets as a session does.
type Pictures struct{ p *pictures }

func NewPictures(c ward.Codec) Pictures { return Pictures{newPictures(c)} }

// Push returns the NAL units of the pictures that p completes, and whether
// something before one of them was lost.
func (p Pictures) Push(packet *rtp.Packet) (all [][][]byte, lost bool) {
	p.p.push(packet)
	for pic, ok := p.p.next(); ok; pic, ok = p.p.next() {
		all, lost = append(all, pic.au), lost || pic.lost
	}
	return all, lost
}

// NALUnits is what takes H.264 packets apart.
func NALUnits() rtp.Depacketizer { return &nalus{} }

// Earlier are visits that are kept, in memory.
type Earlier struct{ all []storage.VisitTrace }

// Add adds a visit with random pictures.
func (e *Earlier) Add(prints []uint64) {
	e.all = append(e.all, storage.VisitTrace{VisitID: ward.VisitID(strconv.Itoa(len(e.all))), Prints: prints})
}

// Candidates are those whose movement would be compared.
func (e *Earlier) Candidates(prints []uint64) []ward.VisitID {
	return candidates(e.all, "", "somebody", prints)
}

// SeenBefore is the check of a session that showed these pictures and movements.
func SeenBefore(ctx context.Context, e *Engine, v ward.Visit, prints []uint64, moves Moves) (ward.Check, error) {
	return (&session{e: e, visit: v, trace: trace{prints: prints, moves: moves}}).checkSeenBefore(ctx)
}

// ColoursOf are the commands of the colours that a nonce draws first.
func ColoursOf(nonce []byte) (commands []string) {
	for _, c := range newLots(nonce).colours() {
		commands = append(commands, c.screen().command)
	}
	return commands
}

// JudgeColours is the check of the colours of a nonce, displayed at the given
// moments, by pictures and when they came.
func JudgeColours(nonce []byte, displayed, at []time.Time, seen []ward.Seen) (c ward.Check) {
	g := glow{row: newLots(nonce).colours(), shown: displayed}
	for i := range seen {
		g.see(look{at: at[i], seen: seen[i]}, nil, 0)
	}
	g.judge(&c)
	return c
}
