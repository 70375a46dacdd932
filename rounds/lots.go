package rounds

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"wardwatch/ward"
)

// lots are a visit's random numbers. They follow from its nonce, whose SHA-256
// was sealed with the order: nobody could choose or repeat them, and whoever
// is shown the nonce after the verdict can draw them again.
type lots struct {
	nonce   []byte
	version int    // of the rules; the event "live" names it, 1 where it does not
	drawn   uint64 // numbers so far
}

// drawVersion is that of new visits. Version 1 asked for one turn each way
// and two others: 72 sequences.
const drawVersion = 2

// newLots begins with the first number. A visit that was ordered without a
// commitment gets a nonce now: its challenges are random, but nobody can prove it.
func newLots(nonce []byte) *lots {
	if len(nonce) == 0 {
		nonce = make([]byte, 32)
		_, _ = rand.Read(nonce) // never fails
	}
	return &lots{nonce: nonce, version: drawVersion}
}

// below returns a number from 0 to n-1, each as likely as another.
func (l *lots) below(n int) int {
	most := math.MaxUint64 / uint64(n) * uint64(n)
	for {
		h := sha256.New()
		_, _ = fmt.Fprintf(h, "wardwatch/challenge/v%d\n", l.version)
		h.Write(l.nonce)
		h.Write(binary.BigEndian.AppendUint64(nil, l.drawn))
		l.drawn++
		if x := binary.BigEndian.Uint64(h.Sum(nil)); x < most {
			return int(x % uint64(n))
		}
	}
}

// pause is the random time between looking straight and the command.
func (l *lots) pause() time.Duration {
	return shortestPause + time.Duration(l.below(int(longestPause-shortestPause)))
}

// sequence draws the challenges of a session, each possible one as likely as
// another: two or three turns, three not all of one direction, and of nod,
// eyes and mouth none twice, because somebody may be unable to do one.
func (l *lots) sequence() []challenge {
	if l.version == 1 {
		return l.sequence1()
	}
	for {
		var all []challenge
		times := map[challenge]int{}
		for range challengesAsked {
			c := l.anew(nil)
			all = append(all, c)
			times[c]++
		}
		turns := times[turnLeft] + times[turnRight]
		if (turns == 2 || turns == 3 && times[turnLeft] > 0 && times[turnRight] > 0) &&
			times[nodDown] <= 1 && times[shutEyes] <= 1 && times[openMouth] <= 1 {
			return all
		}
	}
}

// sequence1 is sequence as version 1 drew it: a turn each way and two others.
func (l *lots) sequence1() []challenge {
	turns := make([]challenge, 2)
	for turns[0] == turns[1] {
		for i := range turns {
			turns[i] = []challenge{turnLeft, turnRight}[l.below(2)]
		}
	}
	others := []challenge{nodDown, shutEyes, openMouth}
	l.shuffle(others)
	all := append(turns, others[:2]...)
	l.shuffle(all)
	return all
}

func (l *lots) shuffle(cs []challenge) {
	for i := len(cs) - 1; i > 0; i-- {
		j := l.below(i + 1)
		cs[i], cs[j] = cs[j], cs[i]
	}
}

// instead draws a challenge for somebody who did not do c: of another kind.
func (l *lots) instead(c challenge) challenge {
	var cs []challenge
	for _, o := range []challenge{turnLeft, turnRight, nodDown, shutEyes, openMouth} {
		if o.kind() != c.kind() {
			cs = append(cs, o)
		}
	}
	return cs[l.below(len(cs))]
}

// anew draws a challenge in place of one that cannot be judged; it may be
// the same, so that a repetition tells nothing, but of nod, eyes and mouth
// none that is still to come.
func (l *lots) anew(left []challenge) challenge {
	var cs []challenge
	for _, c := range []challenge{turnLeft, turnRight, nodDown, shutEyes, openMouth} {
		if l.version == 1 || c.kind() == ward.CheckTurn || !slices.Contains(left, c) {
			cs = append(cs, c)
		}
	}
	return cs[l.below(len(cs))]
}
