package rounds

import (
	"fmt"
	"time"

	"wardwatch/ward"
)

// series counts attempts and says when the live check is over.
type series struct {
	lots                         *lots
	left                         []challenge
	asked, passed, failed, voids int
	of                           map[ward.CheckKind]tally
}

// challengeKinds are the checks that tell of one kind of challenge.
func challengeKinds() []ward.CheckKind {
	return []ward.CheckKind{ward.CheckTurn, ward.CheckNod, ward.CheckEyes, ward.CheckMouth}
}

// tally is what became of the challenges of one kind.
type tally struct{ passed, failed int }

func newSeries(l *lots) *series {
	s := &series{lots: l, left: l.sequence(), of: map[ward.CheckKind]tally{}}
	s.asked = len(s.left)
	return s
}

// next is what to ask for; ok is false when the check is over.
func (s *series) next() (c challenge, ok bool) {
	if len(s.left) == 0 || s.failed >= 2 || s.voids > voidsMax {
		return 0, false
	}
	return s.left[0], true
}

// count records the result of the attempt at next().
func (s *series) count(r result) {
	c := s.left[0]
	t := s.of[c.kind()]
	switch r {
	case turned:
		s.passed++
		t.passed++
		s.left = s.left[1:]
	case wrongWay, tooLate:
		s.failed++
		t.failed++
		s.left = s.left[1:]
		if s.failed == 1 { // one more, of another kind: who cannot do one thing may do another
			s.left = append(s.left, s.lots.instead(c))
			s.asked++
		}
	case early, twoFaces:
		// Drawn anew: a repeated command would tell what comes.
		s.voids++
		s.left[0] = s.lots.anew(s.left[1:])
	case waiting:
	}
	s.of[c.kind()] = t
}

// live is the outcome: pass with at most one failure, made good.
func (s *series) live() ward.Outcome {
	if s.failed <= 1 && s.passed >= challengesAsked && len(s.left) == 0 {
		return ward.Pass
	}
	return ward.Fail
}

// judge fills in the live check.
func (s *series) judge(c *ward.Check) {
	c.Outcome, c.Score = s.live(), float32(s.passed)/float32(s.asked)
	c.DetailZH = fmt.Sprintf("随机指令 %d 次，按时完成 %d 次。", s.passed+s.failed, s.passed)
	c.DetailEN = fmt.Sprintf("%d random commands given, %d obeyed in time.", s.passed+s.failed, s.passed)
}

// kinds are the outcomes of each kind of challenge that was asked. They
// decide nothing by themselves: a policy may require one.
func (s *series) kinds(live ward.Check) []ward.Check {
	var out []ward.Check
	for _, k := range challengeKinds() {
		t, asked := s.of[k]
		n := t.passed + t.failed
		if !asked || n == 0 {
			continue
		}
		c := ward.Check{VisitID: live.VisitID, Kind: k, Outcome: ward.Pass, Score: float32(t.passed) / float32(n), At: live.At.Add(-time.Millisecond)}
		if t.failed > 0 {
			c.Outcome = ward.Fail
		}
		c.DetailZH = fmt.Sprintf("指令 %d 次，按时完成 %d 次。", n, t.passed)
		c.DetailEN = fmt.Sprintf("Asked %d times, done in time %d times.", n, t.passed)
		out = append(out, c)
	}
	return out
}
