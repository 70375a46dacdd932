package rounds

import (
	"math"
	"math/bits"
	"time"
)

// The numbers by which a visit counts as an earlier one shown again;
// DESIGN.md says what was measured.
const (
	traceEvery = 125 * time.Millisecond  // between samples of the movement
	traceMax   = 3 * time.Minute         // of a visit; what comes later is not kept
	traceGap   = 1500 * time.Millisecond // without a face that is bridged
	tracePrint = 8                       // samples to one print: one a second

	printNear  = 14 // bits of 64 that differ between pictures of one scene at most
	printShare = .6 // of the new visit's pictures that are near one of the earlier visit's
)

// move is how a face was held, as small numbers: half degrees of yaw and
// pitch, hundredths of the mouth's opening, half hundredths of the eyes'.
// The first is unseen when no one face was there.
type move [4]int8

const unseen = -128

// trace is what a visit looked like in time, without a picture: a perceptual
// hash a second, and how the head moved.
type trace struct {
	began, last time.Time // of the pictures; of the last one with a face
	held        [4]float32
	prints      []uint64
	moves       []move
}

// see adds a picture. The movement between two pictures is taken for even.
func (t *trace) see(l look) {
	if t.began.IsZero() {
		t.began = l.at
	}
	after := l.at.Sub(t.began)
	if after < 0 || after >= traceMax {
		return
	}
	for len(t.prints) <= int(after/traceEvery)/tracePrint {
		t.prints = append(t.prints, l.seen.Print)
	}
	if len(l.seen.Faces) != 1 {
		return
	}
	f := l.seen.Faces[0]
	held := [4]float32{2 * f.Yaw, 2 * f.Pitch, 100 * f.Mouth, 200 * f.Eyes}
	known := !t.last.IsZero() && l.at.Sub(t.last) <= traceGap
	for next := t.next(); !next.After(l.at); next = t.next() {
		m := move{unseen}
		if known {
			w := float32(next.Sub(t.last)) / float32(l.at.Sub(t.last))
			for k := range m {
				m[k] = small(t.held[k]*(1-w) + held[k]*w)
			}
		}
		t.moves = append(t.moves, m)
	}
	t.last, t.held = l.at, held
}

// next is the moment of the next sample.
func (t *trace) next() time.Time { return t.began.Add(time.Duration(len(t.moves)) * traceEvery) }

func small(v float32) int8 { return int8(max(-127, min(127, math.Round(float64(v))))) }

// long says whether there is enough of t to tell it from another.
func (t *trace) long() bool { return len(t.moves) >= traceLeast }

// alike says whether the pictures of a may be those of b, an earlier visit; as they are or mirrored.
func alike(a, b []uint64) bool {
	if len(a) == 0 {
		return false
	}
	for _, turned := range []bool{false, true} {
		n := 0
		for i, p := range a {
			if turned {
				p = mirrored(p)
			}
			if near(p, b) {
				n++
			}
			if float64(n) >= printShare*float64(len(a)) {
				return true
			}
			if float64(n+len(a)-i-1) < printShare*float64(len(a)) {
				break
			}
		}
	}
	return false
}

func near(p uint64, all []uint64) bool {
	for _, q := range all {
		if bits.OnesCount64(p^q) <= printNear {
			return true
		}
	}
	return false
}

// mirrored is about the hash of the mirrored picture: its bits say which of
// two neighbours in a row of eight is brighter.
func mirrored(p uint64) uint64 { return ^bits.ReverseBytes64(bits.Reverse64(p)) }
