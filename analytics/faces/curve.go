package faces

import "math"

// histogram counts cosines in steps of 1e-4, so that a hundred million
// pairs need no more room than a thousand.
type histogram [20001]uint64

const step = 1e-4

func (h *histogram) add(c float32) {
	i := int(math.Floor((float64(c) + 1) / step))
	h[min(max(i, 0), len(h)-1)]++
}

func (h *histogram) join(o *histogram) {
	for i, n := range o {
		h[i] += n
	}
}

func (h *histogram) total() uint64 {
	var n uint64
	for _, c := range h {
		n += c
	}
	return n
}

func threshold(bin int) float64 { return math.Round((float64(bin)*step-1)*1e4) / 1e4 }

// operate returns the lowest threshold at which at most far of the impostor
// pairs are accepted, and the share of genuine pairs that it accepts.
func operate(genuine, impostor *histogram, far float64) Operating {
	allowed := uint64(far * float64(impostor.total()))
	var accepted, right uint64
	bin := len(impostor)
	for bin > 0 && accepted+impostor[bin-1] <= allowed {
		bin--
		accepted += impostor[bin]
		right += genuine[bin]
	}
	return Operating{FAR: far, TAR: share(right, genuine.total()), Threshold: threshold(bin)}
}

// equalError returns the rate at the threshold where false accepts and
// false rejects are closest.
func equalError(genuine, impostor *histogram) float64 {
	gn, in := genuine.total(), impostor.total()
	rejected, accepted := uint64(0), in
	best, rate := math.Inf(1), 0.
	for bin := range genuine {
		frr, far := share(rejected, gn), share(accepted, in)
		if d := math.Abs(frr - far); d < best {
			best, rate = d, (frr+far)/2
		}
		rejected += genuine[bin]
		accepted -= impostor[bin]
	}
	return rate
}

func share(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
