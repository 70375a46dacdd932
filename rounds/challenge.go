package rounds

import (
	"crypto/rand"
	"math"
	"math/big"
	"slices"
	"time"

	"wardwatch/ward"
)

// The numbers of the live check; DESIGN.md says what they cost an attacker.
const (
	turnsAsked    = 4                      // head turns in a session; one more after one failure
	turnDegrees   = 10                     // measured yaw against the person's own baseline that counts as turned
	centred       = 6                      // degrees either way that count as looking straight again
	turnEarly     = 350 * time.Millisecond // after the receipt: nobody reads and turns faster
	turnLate      = 5 * time.Second        // after the receipt
	turnHeld      = 120 * time.Millisecond // the pose must be seen twice, at least this far apart
	shortestPause = 400 * time.Millisecond // random pause before a command
	longestPause  = 1500 * time.Millisecond
	voidsMax      = 4               // repeats for a pre-turned head or a second face before the check fails
	frozenAfter   = 2 * time.Second // an unchanged picture counts no more
	frozenYaw     = .15             // degrees: a live face, however still, moves more than this in 2 s
	frozenEyes    = .004            // eye aspect ratio, likewise
)

// look is what was seen in one picture.
type look struct {
	at     time.Time // arrival of the picture, server clock
	seen   ward.Seen
	frozen bool // the picture has not changed for frozenAfter
}

// face is the one face of the picture; ok is false when there is none,
// more than one, or the picture is frozen.
func (l look) face() (f ward.Face, ok bool) {
	if len(l.seen.Faces) != 1 || l.frozen {
		return f, false
	}
	return l.seen.Faces[0], true
}

// turn is a direction: the patient's own left or right. The bedside sends
// the unmirrored picture, in which the patient's left is the picture's right.
type turn int

const (
	turnLeft  turn = +1 // yaw grows
	turnRight turn = -1 // yaw shrinks
)

// random returns a number from 0 to n-1 that cannot be foreseen.
func random(n int) int {
	i, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand.Reader never fails
	}
	return int(i.Int64())
}

// pause is the random time between looking straight and the command.
func pause() time.Duration {
	return shortestPause + time.Duration(random(int(longestPause-shortestPause)))
}

// sequence draws n turns, not all in one direction.
func sequence(n int) []turn {
	for {
		ts := make([]turn, n)
		for i := range ts {
			ts[i] = turnLeft
			if random(2) == 0 {
				ts[i] = turnRight
			}
		}
		if slices.Contains(ts, turnLeft) && slices.Contains(ts, turnRight) {
			return ts
		}
	}
}

// result is how one attempt at a turn ended.
type result string

const (
	waiting  result = ""
	turned   result = "turned"
	wrongWay result = "wrong_way" // the other direction first
	tooLate  result = "too_late"
	early    result = "early" // in the pose before it was asked for: repeated, not counted
	twoFaces result = "two_faces"
)

// attempt judges one turn from the pictures that arrive after its receipt.
type attempt struct {
	asked    turn
	baseline float32 // degrees
	receipt  time.Time
	since    time.Time // the pose is held since; zero when it is not
}

// see judges the next picture.
func (a *attempt) see(l look) result {
	after := l.at.Sub(a.receipt)
	if len(l.seen.Faces) > 1 && after > 0 {
		return twoFaces
	}
	f, ok := l.face()
	if !ok {
		if after > turnLate {
			return tooLate
		}
		return waiting
	}
	d := (f.Yaw - a.baseline) * float32(a.asked)
	switch {
	case after < turnEarly:
		// Also the last picture before the receipt: a head that is turned already proves nothing.
		if after > -turnEarly && d >= turnDegrees {
			return early
		}
	case after > turnLate:
		return tooLate
	case d <= -turnDegrees:
		return wrongWay
	case d < turnDegrees:
		a.since = time.Time{}
	case a.since.IsZero():
		a.since = l.at
	case l.at.Sub(a.since) >= turnHeld:
		return turned
	}
	return waiting
}

// series counts attempts and says when the live check is over.
type series struct {
	left                  []turn
	passed, failed, voids int
	asked                 int
}

func newSeries() *series { return &series{left: sequence(turnsAsked), asked: turnsAsked} }

// next is the turn to ask for; ok is false when the check is over.
func (s *series) next() (turn, bool) {
	if len(s.left) == 0 || s.failed >= 2 || s.voids > voidsMax {
		return 0, false
	}
	return s.left[0], true
}

// count records the result of the attempt at next().
func (s *series) count(r result) {
	switch r {
	case turned:
		s.passed++
		s.left = s.left[1:]
	case wrongWay, tooLate:
		s.failed++
		s.left = s.left[1:]
		if s.failed == 1 { // one more, not to be guessed from those before
			s.left = append(s.left, sequence(2)[0])
			s.asked++
		}
	case early, twoFaces:
		// Drawn anew: a repeated command would tell what comes.
		s.voids++
		s.left[0] = sequence(2)[0]
	case waiting:
	}
}

// live is the outcome: pass with at most one failure, made good.
func (s *series) live() ward.Outcome {
	if s.failed <= 1 && s.passed >= turnsAsked && len(s.left) == 0 {
		return ward.Pass
	}
	return ward.Fail
}

// stillness notices a frozen picture: the same perceptual hash and the same
// face to within less than the measuring noise of a live one. A still
// patient in a still bed keeps the hash, so the hash alone is not enough.
type stillness struct {
	print    uint64
	since    time.Time
	yaw, eye [2]float32 // least and most since
}

func (s *stillness) see(at time.Time, seen ward.Seen) (frozen bool) {
	var yaw, eyes float32
	if len(seen.Faces) > 0 {
		yaw, eyes = seen.Faces[0].Yaw, seen.Faces[0].Eyes
	}
	y := [2]float32{min(s.yaw[0], yaw), max(s.yaw[1], yaw)}
	e := [2]float32{min(s.eye[0], eyes), max(s.eye[1], eyes)}
	if s.since.IsZero() || seen.Print != s.print || y[1]-y[0] > frozenYaw || e[1]-e[0] > frozenEyes {
		*s = stillness{seen.Print, at, [2]float32{yaw, yaw}, [2]float32{eyes, eyes}}
		return false
	}
	s.yaw, s.eye = y, e
	return at.Sub(s.since) > frozenAfter
}

// baseline finds how a person's straight look measures: the median yaw of
// the usable faces of a steady stretch.
type baseline struct {
	at  []time.Time
	yaw []float32
}

const (
	baselineLooks = 5
	baselineSpan  = 1200 * time.Millisecond
	baselineRange = 9.0  // degrees between the least and the most of a steady stretch
	baselineMax   = 15.0 // degrees: further from the camera's axis is not looking straight
)

// see adds a picture and says whether the baseline is found.
func (b *baseline) see(l look) (float32, bool) {
	f, ok := l.face()
	if !ok || !f.Usable() || math.Abs(float64(f.Yaw)) > baselineMax {
		return 0, false
	}
	b.at, b.yaw = append(b.at, l.at), append(b.yaw, f.Yaw)
	for slices.Max(b.yaw)-slices.Min(b.yaw) > baselineRange {
		b.at, b.yaw = b.at[1:], b.yaw[1:]
	}
	if len(b.yaw) < baselineLooks || l.at.Sub(b.at[0]) < baselineSpan {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(b.yaw))
	return sorted[len(sorted)/2], true
}
