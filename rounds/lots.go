package rounds

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// lots are a visit's random numbers. They follow from its nonce, whose SHA-256
// was sealed with the order: nobody could choose or repeat them, and whoever
// is shown the nonce after the verdict can draw them again.
type lots struct {
	nonce []byte
	drawn uint64 // numbers so far
}

// newLots begins with the first number. A visit that was ordered without a
// commitment gets a nonce now: its challenges are random, but nobody can prove it.
func newLots(nonce []byte) *lots {
	if len(nonce) == 0 {
		nonce = make([]byte, 32)
		_, _ = rand.Read(nonce) // never fails
	}
	return &lots{nonce: nonce}
}

const lotsLabel = "wardwatch/challenge/v1\n"

// below returns a number from 0 to n-1, each as likely as another.
func (l *lots) below(n int) int {
	most := math.MaxUint64 / uint64(n) * uint64(n)
	for {
		h := sha256.New()
		h.Write([]byte(lotsLabel))
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

// sequence draws the challenges of a session: turns, not all of one
// direction, and as many others, all different, in any order.
func (l *lots) sequence() []challenge {
	var turns []challenge
	for len(turns) < turnsAsked || allSame(turns) {
		turns = turns[:0]
		for range turnsAsked {
			turns = append(turns, []challenge{turnLeft, turnRight}[l.below(2)])
		}
	}
	others := []challenge{nodDown, shutEyes, openMouth}
	l.shuffle(others)
	all := append(turns, others[:othersAsked]...)
	l.shuffle(all)
	return all
}

func allSame(cs []challenge) bool {
	return !slices.ContainsFunc(cs, func(c challenge) bool { return c != cs[0] })
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
// the same, so that a repetition tells nothing.
func (l *lots) anew() challenge {
	return []challenge{turnLeft, turnRight, nodDown, shutEyes, openMouth}[l.below(5)]
}
