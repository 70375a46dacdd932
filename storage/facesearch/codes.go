package facesearch

import (
	"math"

	"wardwatch/ward"
)

// A template is kept in 8 bits an element: t = scale·code + e, code from −127
// to 127, and the length of e is known. Of the cosine with a question q = step·k + d,
// k in 14 bits, that tells
//
//	|q·t − scale·step·(code·k)| ≤ |q|·|e| + |d|·|scale·code|
//
// by Cauchy and Schwarz, about .006 for 192 elements: who is further than that
// below the limit is not read any further, and of the rest the stored template
// decides. Nobody is missed.
//
// One multiplication of 64 bits makes two products. With codes a, b (plus
// centre, so not negative) at bits 0 and 32, and the question's elements in
// reverse, (a + b·2³²)·(kb + ka·2³²) = a·kb + (a·ka + b·kb)·2³² mod 2⁶⁴.
// The lower sum, that of no interest, is at most 512·255·8191 < 2³¹ for
// maxElements, so that it can be told and taken off.
const (
	centre      = 128
	finest      = 8191 // of a question's element
	maxElements = 1024
	perWord     = 8
	perWords    = 24 * perWord
	lanes       = 0x000000ff000000ff
)

// words are 192 codes plus centre, as many as the template of our model has
// elements; element 8w+i is byte i of word w.
type words [perWords / perWord]uint64

// keys are 192 elements of a question, a pair for each multiplication.
type keys [perWords / perWord][perWord / 2]uint64

// wordsOf is how many words a template needs.
func wordsOf(elements int) int { return (elements + perWords - 1) / perWords }

// encode fills out, which has wordsOf(len(t)), and returns the scale, and the
// length of what is lost, rounded up. ok is false for what cannot be compared.
func encode(t ward.Template, out []words) (scale, lost float32, ok bool) {
	var most float64
	for _, v := range t {
		most = max(most, math.Abs(float64(v)))
	}
	if len(t) == 0 || len(t) > maxElements || math.IsNaN(most) || math.IsInf(most, 0) {
		return 0, 0, false
	}
	scale = float32(most / 127)
	var sum float64
	for i := range out {
		for j := range perWords {
			code, at := 0.0, i*perWords+j
			if at < len(t) && scale > 0 {
				code = min(max(math.Round(float64(t[at])/float64(scale)), -127), 127)
			}
			if at < len(t) {
				e := float64(t[at]) - float64(scale)*code
				sum += e * e
			}
			out[i][j/perWord] |= uint64(code+centre) << (8 * (j % perWord))
		}
	}
	// The rounding of the sums themselves is far below a part in a million.
	return scale, math.Nextafter32(float32(math.Sqrt(sum)*(1+1e-6)), 2), true
}

// question is a face that is looked for.
type question struct {
	keys   []keys
	step   float64
	centre int64   // what centre adds to every sum
	length float64 // of the template
	lost   float64 // length of what the steps lose
}

func ask(t ward.Template) question {
	q := question{keys: make([]keys, wordsOf(len(t)))}
	var most, length, lost float64
	for _, v := range t {
		most, length = max(most, math.Abs(float64(v))), length+float64(v)*float64(v)
	}
	q.step = most / finest
	if q.step == 0 {
		q.step = 1
	}
	var sum int64
	for i, v := range t {
		k := int64(math.Round(float64(v) / q.step))
		e := float64(v) - q.step*float64(k)
		sum, lost = sum+k, lost+e*e
		// The pair of an element is the other half's, see above.
		pair := &q.keys[i/perWords][i%perWords/perWord][i%(perWord/2)]
		if i%perWord < perWord/2 {
			*pair += uint64(k) << 32 //nolint:gosec // modulo 2^64, as the products
		} else {
			*pair += uint64(k)
		}
	}
	q.centre, q.length, q.lost = centre*sum, math.Sqrt(length)*(1+1e-9), math.Sqrt(lost)*(1+1e-9)
	return q
}

// dot is the sum of code times k, exactly. t has as many words as q has keys.
func (q *question) dot(t []words) int64 {
	var sum uint64
	for i := range min(len(t), len(q.keys)) {
		sum += t[i].products(&q.keys[i])
	}
	below := int64(int32(sum))                              //nolint:gosec // its lower half, with its sign
	return int64(int32((sum-uint64(below))>>32)) - q.centre //nolint:gosec // likewise
}

// products is where the time goes: 48 ns at 2.7 GHz, 1.3 cycles for each of its
// multiplications. As a loop of its own it fits into the registers; with
// the one above it does not, and takes twice as long.
//
//go:noinline
func (w *words) products(k *keys) uint64 {
	var a, b uint64
	for i := range w {
		v, p := w[i], &k[i]
		a += (v & lanes) * p[0]
		b += (v >> 8 & lanes) * p[1]
		a += (v >> 16 & lanes) * p[2]
		b += (v >> 24 & lanes) * p[3]
	}
	return a + b
}

// cosine is the exact one, in the accuracy of float64.
func cosine(t, u ward.Template) float64 {
	if len(t) != len(u) || len(t) == 0 {
		return -1
	}
	var sum float64
	for i := range t {
		sum += float64(t[i]) * float64(u[i])
	}
	return sum
}
