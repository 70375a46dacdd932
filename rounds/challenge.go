package rounds

import (
	"math"
	"time"

	"wardwatch/ward"
)

// The numbers of the live check; DESIGN.md says what they cost an attacker.
const (
	challengesAsked = 4                      // challenges in a session: two or three turns, the others one kind each; one more after one failure
	turnDegrees     = 10                     // measured yaw against the person's own baseline that counts as turned
	nodDegrees      = 8                      // measured pitch, likewise
	shutShare       = .72                    // of the person's own eye opening that counts as shut
	openRatio       = .22                    // of the mouth, above the person's own, that counts as open
	centred         = 6                      // degrees either way that count as looking straight again
	turnEarly       = 350 * time.Millisecond // after the receipt: nobody reads and turns faster
	turnLate        = 5 * time.Second        // after the receipt
	turnHeld        = 120 * time.Millisecond // the pose must be seen twice, at least this far apart
	shutHeld        = 450 * time.Millisecond // longer than a blink
	openHeld        = 400 * time.Millisecond // longer than most syllables
	shortestPause   = 400 * time.Millisecond // random pause before a command
	longestPause    = 1500 * time.Millisecond
	voidsMax        = 4               // repeats for a pre-turned head or a second face before the check fails
	frozenAfter     = 2 * time.Second // an unchanged picture counts no more
	frozenYaw       = .15             // degrees: a live face, however still, moves more than this in 2 s
	frozenEyes      = .004            // eye aspect ratio, likewise
)

// look is what was seen in one picture.
type look struct {
	at     time.Time // arrival of the picture, server clock
	seen   ward.Seen
	stream int      // of the session, from 1
	coded  uint64   // what the decoder was given, see coded
	frozen bool     // the picture has not changed for frozenAfter
	codes  []string // when looked at again, where codes were seen
}

// face is the one face of the picture; ok is false when there is none,
// more than one, or the picture is frozen.
func (l look) face() (f ward.Face, ok bool) {
	if len(l.seen.Faces) != 1 || l.frozen {
		return f, false
	}
	return l.seen.Faces[0], true
}

// pose is how a face measures; the fields are those of ward.Face.
type pose struct{ yaw, pitch, mouth, eyes float32 }

// challenge is one thing that a person is asked to do.
type challenge int

// Left and right are the patient's own. The bedside sends the unmirrored
// picture, in which the patient's left is the picture's right.
const (
	turnLeft  challenge = iota + 1 // yaw grows
	turnRight                      // yaw shrinks
	nodDown                        // pitch grows
	shutEyes
	openMouth
)

// kind is the check that the challenge counts for.
func (c challenge) kind() ward.CheckKind {
	switch c {
	case turnLeft, turnRight:
		return ward.CheckTurn
	case nodDown:
		return ward.CheckNod
	case shutEyes:
		return ward.CheckEyes
	case openMouth:
		return ward.CheckMouth
	}
	return ""
}

// shows says whether the face does what is asked.
func (c challenge) shows(f ward.Face, base pose) bool {
	switch c {
	case turnLeft:
		return f.Yaw-base.yaw >= turnDegrees
	case turnRight:
		return base.yaw-f.Yaw >= turnDegrees
	case nodDown:
		return f.Pitch-base.pitch >= nodDegrees
	case shutEyes:
		return f.Eyes <= shutShare*base.eyes
	case openMouth:
		return f.Mouth-base.mouth >= openRatio
	}
	return false
}

// against says whether the head turns another way than asked.
func (c challenge) against(f ward.Face, base pose) bool {
	return c != turnLeft && turnLeft.shows(f, base) || c != turnRight && turnRight.shows(f, base)
}

// held is for how long it must be seen without a break. People blink, and
// open the mouth when they talk: that alone answers nothing.
func (c challenge) held() time.Duration {
	switch c {
	case shutEyes:
		return shutHeld
	case openMouth:
		return openHeld
	case turnLeft, turnRight, nodDown:
	}
	return turnHeld
}

// neutral says whether the face looks straight and does nothing that could be asked.
func neutral(f ward.Face, base pose) bool {
	return math.Abs(float64(f.Yaw-base.yaw)) <= centred &&
		!nodDown.shows(f, base) && !shutEyes.shows(f, base) && !openMouth.shows(f, base)
}

// result is how one attempt at a challenge ended.
type result string

const (
	waiting  result = ""
	turned   result = "turned"    // done, whatever was asked
	wrongWay result = "wrong_way" // the head turned another way first
	tooLate  result = "too_late"
	early    result = "early" // in the pose before it was asked for: repeated, not counted
	twoFaces result = "two_faces"
)

// attempt judges one challenge from the pictures that arrive after its receipt.
type attempt struct {
	asked    challenge
	baseline pose
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
	shown := a.asked.shows(f, a.baseline)
	switch {
	case after < turnEarly:
		// Also the last picture before the receipt: a head that is turned already proves nothing.
		if after > -turnEarly && shown {
			return early
		}
	case after > turnLate:
		return tooLate
	case a.asked.against(f, a.baseline):
		return wrongWay
	case !shown:
		a.since = time.Time{}
	case a.since.IsZero():
		a.since = l.at
	case l.at.Sub(a.since) >= a.asked.held():
		return turned
	}
	return waiting
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
