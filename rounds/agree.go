package rounds

import (
	"cmp"
	"math"
	"slices"
)

// The numbers by which two movements are compared; DESIGN.md says what was measured.
const (
	traceLeast = 96 // samples (12 s) that both show
	traceShare = .7 // of the shorter visit, likewise

	traceWindow = 16  // samples (2 s) that are compared at once, every half of it
	traceEnergy = 40  // mean square of the movement in a window that counts: a head turning by 3 degrees
	traceMoved  = 3   // windows in which somebody moves
	traceAgree  = .80 // correlation of the movement in the window that agrees least

	pieceLeast = 3   // windows of a piece of a film that does not begin at its begin
	pieceMoved = 2   // of them those in which somebody moves
	pieceGap   = 3   // windows between two pieces that agree with neither
	pieceAgree = .88 // as traceAgree; there are more ways to lay two pieces than one

	speedStep  = .01 // of the film; what lies between is a tenth of a second off after half a visit
	speedSteps = 12  // up to 12 % slower or faster
)

// held is a move without the noise of measuring; seen is false when no one face was there.
type held struct {
	at   [4]float32
	seen bool
}

// smooth weighs each move with its neighbours, which evens out noise and
// what lies between two pictures.
func smooth(moves []move) []held {
	out := make([]held, len(moves))
	for i := range moves {
		if moves[i][0] == unseen {
			continue
		}
		var weight float32
		for j := max(0, i-1); j <= min(len(moves)-1, i+1); j++ {
			if moves[j][0] == unseen {
				continue
			}
			w := float32(1)
			if j == i {
				w = 2
			}
			weight += w
			for k, v := range moves[j] {
				out[i].at[k] += w * float32(v)
			}
		}
		for k := range out[i].at {
			out[i].at[k] /= weight
		}
		out[i].seen = true
	}
	return out
}

// played is what a film of a movement shows that is played at a speed.
func played(a []held, speed float64) []held {
	if speed == 1 || len(a) == 0 {
		return a
	}
	out := make([]held, int(float64(len(a)-1)/speed)+1)
	for i := range out {
		x := float64(i) * speed
		from := int(x)
		p, q := a[from], a[min(from+1, len(a)-1)]
		w := float32(x - float64(from))
		out[i].seen = p.seen && q.seen
		for k := range p.at {
			out[i].at[k] = p.at[k]*(1-w) + q.at[k]*w
		}
	}
	return out
}

// shownAgain says how alike a visit moves to b, an earlier one, when what it
// shows may be b again: as a whole, or in two pieces. Else, or when it is not above
// enough, it is 0.
func shownAgain(a, b []move, enough float64) float64 {
	if r := agreement(a, b, enough); r > 0 {
		return r
	}
	if enough < pieceAgree && inTwo(a, b) {
		return pieceAgree
	}
	return 0
}

// agreement is how alike two visits move at the speed and the shift in time
// at which they agree best, -1 to 1: the correlation of the movement in the
// window of traceWindow in which they agree least. 0 when that is not above
// enough, or they have too little in common in time.
func agreement(a, b []move, enough float64) float64 {
	x, film := smooth(a), smooth(b)
	best, windows := enough, liveliest(x)
	for step := -speedSteps; step <= speedSteps; step++ {
		y := played(film, 1+speedStep*float64(step))
		least := max(traceLeast, int(traceShare*float64(min(len(x), len(y)))))
		for lag := least - len(x); lag <= len(y)-least; lag++ { // x[i] beside y[i+lag]
			for _, side := range []float32{1, -1} {
				best = max(best, agreed(x, y, windows, lag, side, best))
			}
		}
	}
	if best == enough {
		return 0
	}
	return best
}

// liveliest are the begins of a's windows, those first in which it moves most:
// there it shows soonest that two visits differ.
func liveliest(a []held) []int {
	var out []int
	energies := map[int]float64{}
	for from := 0; from+traceWindow <= len(a); from += traceWindow / 2 {
		w := a[from : from+traceWindow]
		_, energies[from] = correlation(w, w, 1)
		out = append(out, from)
	}
	slices.SortFunc(out, func(p, q int) int { return cmp.Or(cmp.Compare(energies[q], energies[p]), p-q) })
	return out
}

// agreed is the least correlation of any window in which somebody moves; it
// need not be exact below enough. side -1 mirrors b.
func agreed(a, b []held, windows []int, lag int, side float32, enough float64) float64 {
	least, moved := 1., 0
	for _, from := range windows {
		if from+lag < 0 || from+lag+traceWindow > len(b) {
			continue
		}
		r, energy := correlation(a[from:from+traceWindow], b[from+lag:from+lag+traceWindow], side)
		if energy < traceEnergy {
			continue
		}
		moved++
		if least = min(least, r); least <= enough {
			return 0
		}
	}
	if moved < traceMoved {
		return 0
	}
	return least
}

// correlation of what both saw, and how much the one that moves more does:
// the mean square of what it differs from its middle.
func correlation(a, b []held, side float32) (r, energy float64) {
	var n, ab, aa, bb float32
	var sum [4][5]float32
	for i := range a {
		p, q := &a[i], &b[i]
		if !p.seen || !q.seen {
			continue
		}
		n++
		for k := range p.at {
			x, y := p.at[k], q.at[k]
			if k == 0 {
				y *= side
			}
			s := &sum[k]
			s[0], s[1], s[2], s[3], s[4] = s[0]+x, s[1]+y, s[2]+x*y, s[3]+x*x, s[4]+y*y
		}
	}
	if n < float32(len(a))/2 {
		return 0, 0
	}
	for _, s := range sum {
		ab += s[2] - s[0]*s[1]/n
		aa += s[3] - s[0]*s[0]/n
		bb += s[4] - s[1]*s[1]/n
	}
	energy = float64(max(aa, bb) / n)
	if aa <= 0 || bb <= 0 {
		return 0, energy
	}
	return float64(ab) / math.Sqrt(float64(aa)*float64(bb)), energy
}

// inTwo says whether b shows all that a shows in two pieces at one speed,
// each at a constant shift in time: a film that begins in its middle and goes round.
func inTwo(a, b []move) bool {
	x, film := smooth(a), smooth(b)
	windows := (len(x)-traceWindow)/(traceWindow/2) + 1
	for step := -speedSteps; step <= speedSteps; step++ {
		y := played(film, 1+speedStep*float64(step))
		for _, side := range []float32{1, -1} {
			first, last := 0, 0
			for lag := -len(x); lag <= len(y); lag++ {
				first = max(first, piece(x, y, lag, side, 0, 1))
				last = max(last, piece(x, y, lag, side, windows-1, -1))
			}
			if min(first, last) > 0 && first+last >= windows-pieceGap {
				return true
			}
		}
	}
	return false
}

// piece counts the windows of a, from window w on or back from it, that agree
// with b; 0 when they are too few.
func piece(a, b []held, lag int, side float32, w, step int) int {
	n, moved := 0, 0
	for ; w >= 0; w += step {
		from := w * traceWindow / 2
		if from+traceWindow > len(a) || from+lag < 0 || from+lag+traceWindow > len(b) {
			break
		}
		r, energy := correlation(a[from:from+traceWindow], b[from+lag:from+lag+traceWindow], side)
		if energy >= traceEnergy {
			if r <= pieceAgree {
				break
			}
			moved++
		}
		n++
	}
	if n < pieceLeast || moved < pieceMoved {
		return 0
	}
	return n
}
