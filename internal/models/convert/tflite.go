package convert

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Operator codes of TensorFlow Lite (schema.fbs, BuiltinOperator) that our models use.
const (
	opAdd        = 0
	opConcat     = 2
	opConv       = 3
	opDepthwise  = 4
	opDequantize = 6
	opMaxPool    = 17
	opMul        = 18
	opRelu       = 19
	opReshape    = 22
	opResize     = 23
	opPad        = 34
	opSub        = 41
	opPRelu      = 54
	opAbs        = 101
)

// Tensor types of TensorFlow Lite.
const (
	typeFloat32 = 0
	typeFloat16 = 1
	typeInt32   = 2
)

type tfTensor struct {
	shape []int
	kind  int
	data  []byte // empty when computed
}

type tfOp struct {
	code    int
	in, out []int
	opt     table
}

type tfModel struct {
	tensors []tfTensor
	ops     []tfOp
	inputs  []int
	outputs []int
	maker   map[int]int // tensor -> index of the op that computes it
}

// parseTFLite reads the first subgraph of a .tflite file.
func parseTFLite(b []byte) (m *tfModel, err error) {
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("malformed TFLite file: %v", r)
		}
	}()
	root := table{b, 0}
	root.at = root.u32(0)
	var codes []int
	for _, t := range root.tables(1) {
		codes = append(codes, max(t.i8(0, 0), t.i32(3, 0)))
	}
	buffers := root.tables(4)
	g := root.tables(2)[0]
	m = &tfModel{inputs: g.ints(1), outputs: g.ints(2), maker: map[int]int{}}
	for _, t := range g.tables(0) {
		m.tensors = append(m.tensors, tfTensor{shape: t.ints(0), kind: t.i8(1, 0), data: buffers[t.i32(2, 0)].bytes(0)})
	}
	for i, t := range g.tables(3) {
		op := tfOp{code: codes[t.i32(0, 0)], in: t.ints(1), out: t.ints(2), opt: t.table(4)}
		for _, o := range op.out {
			m.maker[o] = i
		}
		m.ops = append(m.ops, op)
	}
	return m, nil
}

// constant reports whether tensor i is stored, directly or as half floats
// behind a dequantize.
func (m *tfModel) constant(i int) bool {
	if len(m.tensors[i].data) > 0 {
		return true
	}
	op, ok := m.maker[i]
	return ok && m.ops[op].code == opDequantize && m.constant(m.ops[op].in[0])
}

// floats returns a stored tensor.
func (m *tfModel) floats(i int) (array, error) {
	t := m.tensors[i]
	if len(t.data) == 0 {
		if !m.constant(i) {
			return array{}, fmt.Errorf("tensor %d is not stored", i)
		}
		return m.floats(m.ops[m.maker[i]].in[0])
	}
	a := array{shape: t.shape}
	switch t.kind {
	case typeFloat32:
		for k := 0; k+4 <= len(t.data); k += 4 {
			a.v = append(a.v, math.Float32frombits(binary.LittleEndian.Uint32(t.data[k:])))
		}
	case typeFloat16:
		for k := 0; k+2 <= len(t.data); k += 2 {
			a.v = append(a.v, half(binary.LittleEndian.Uint16(t.data[k:])))
		}
	default:
		return array{}, fmt.Errorf("tensor %d has type %d", i, t.kind)
	}
	if len(a.v) != a.size() {
		return array{}, fmt.Errorf("tensor %d: %d values for shape %v", i, len(a.v), a.shape)
	}
	return a, nil
}

func (m *tfModel) int32s(i int) ([]int, error) {
	t := m.tensors[i]
	if t.kind != typeInt32 || len(t.data) == 0 {
		return nil, fmt.Errorf("tensor %d is no stored int32", i)
	}
	var v []int
	for k := 0; k+4 <= len(t.data); k += 4 {
		v = append(v, int(int32(binary.LittleEndian.Uint32(t.data[k:]))))
	}
	return v, nil
}

// half widens an IEEE 754 half to a float; every half has an exact float.
func half(h uint16) float32 {
	sign, exp, frac := float32(1), int(h>>10)&31, float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * float32(math.Ldexp(frac, -24))
	case 31:
		if frac == 0 {
			return sign * float32(math.Inf(1))
		}
		return float32(math.NaN())
	default:
		return sign * float32(math.Ldexp(1024+frac, exp-25))
	}
}
