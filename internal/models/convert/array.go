package convert

// array is a dense row-major tensor of floats.
type array struct {
	shape []int
	v     []float32
}

func (a array) size() int {
	n := 1
	for _, d := range a.shape {
		n *= d
	}
	return n
}

// permute returns the array with axis perm[i] of a as its axis i.
func (a array) permute(perm ...int) array {
	stride := make([]int, len(a.shape))
	n := 1
	for i := len(a.shape) - 1; i >= 0; i-- {
		stride[i], n = n, n*a.shape[i]
	}
	out := array{v: make([]float32, 0, len(a.v))}
	for _, p := range perm {
		out.shape = append(out.shape, a.shape[p])
	}
	at := make([]int, len(perm))
	for range a.v {
		src := 0
		for i, p := range perm {
			src += at[i] * stride[p]
		}
		out.v = append(out.v, a.v[src])
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] < out.shape[i] {
				break
			}
			at[i] = 0
		}
	}
	return out
}

// channels returns a vector as [n,1,1], what ONNX broadcasts over a picture.
func (a array) channels() array { return array{shape: []int{len(a.v), 1, 1}, v: a.v} }
