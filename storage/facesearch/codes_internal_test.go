package facesearch

import (
	"math"
	"math/rand/v2"
	"testing"

	"wardwatch/ward"
)

// unit is a random direction.
func unit(r *rand.Rand, n int) ward.Template {
	t := make(ward.Template, n)
	for i := range t {
		t[i] = float32(r.NormFloat64())
	}
	return ward.Fuse([]ward.Template{t})
}

// near is t turned a little: the cosine is about 1/√(1+by²).
func near(r *rand.Rand, t ward.Template, by float64) ward.Template {
	u, e := make(ward.Template, len(t)), unit(r, len(t))
	for i := range t {
		u[i] = t[i] + float32(by)*e[i]
	}
	return ward.Fuse([]ward.Template{u})
}

// The cosine is never further from what the codes say than they promise, and
// what the multiplication of pairs gives is the sum of the products.
func TestCodesKeepTheirBound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 7, 63, 64, 65, 128, 192, 512, maxElements} {
		for range 300 {
			q := unit(r, n)
			if r.IntN(10) == 0 { // as uneven as can be
				q = make(ward.Template, n)
				q[r.IntN(n)] = float32(1 - 2*r.IntN(2))
			}
			u := near(r, q, []float64{0, .1, 1, 100}[r.IntN(4)])
			if u == nil { // they were opposites
				continue
			}
			code := make([]words, wordsOf(n))
			scale, lost, ok := encode(u, code)
			if !ok {
				t.Fatalf("%d elements were refused", n)
			}
			a := ask(q)
			var want int64
			for i := range q {
				c := int64(code[i/perWords][i%perWords/perWord]>>(8*(i%perWord))&0xff) - centre
				want += c * int64(math.Round(float64(q[i])/a.step))
			}
			got := a.dot(code)
			if got != want {
				t.Fatalf("%d elements: got the sum %d, want %d", n, got, want)
			}
			about, exact := a.step*float64(scale)*float64(got), cosine(q, u)
			if bound := a.length*float64(lost) + a.lost*(1+float64(lost)) + 1e-9; math.Abs(about-exact) > bound || bound > .15 {
				t.Fatalf("%d elements: cosine %f, by the codes %f, which promise ±%f", n, exact, about, bound)
			}
		}
	}
}

// The largest sums that can be do not spill.
func TestCodesAtTheirLargest(t *testing.T) {
	for _, sign := range []float32{1, -1} {
		q, u := make(ward.Template, maxElements), make(ward.Template, maxElements)
		for i := range q {
			q[i], u[i] = sign, 1
		}
		code := make([]words, wordsOf(maxElements))
		encode(u, code)
		a := ask(q)
		if got, want := a.dot(code), int64(sign)*maxElements*127*finest; got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestWhatCannotBeComparedIsRefused(t *testing.T) {
	for _, bad := range []ward.Template{nil, {float32(math.NaN())}, {float32(math.Inf(1))}, make(ward.Template, maxElements+1)} {
		if _, _, ok := encode(bad, make([]words, wordsOf(len(bad)))); ok {
			t.Errorf("a template of %d elements was taken", len(bad))
		}
	}
	zero := make([]words, 1)
	if _, _, ok := encode(make(ward.Template, 8), zero); !ok {
		t.Error("zeros were refused")
	}
}
