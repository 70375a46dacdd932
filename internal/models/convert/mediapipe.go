// Package convert turns the TensorFlow Lite and TensorFlow.js models of
// make models into ONNX files with fixed shapes that OpenCV 4.6 loads. The
// same input gives the same bytes. It knows only the operators that these
// models use and refuses all others.
package convert

import "fmt"

// MediaPipe converts a MediaPipe .tflite (BlazeFace, face mesh). names are
// given to its outputs in order.
func MediaPipe(tflite []byte, names ...string) ([]byte, error) {
	m, err := parseTFLite(tflite)
	if err != nil {
		return nil, err
	}
	c := &tfConverter{m: m, names: map[int]string{m.inputs[0]: "input"}}
	for i, op := range m.ops {
		if m.constant(op.out[0]) {
			continue
		}
		if err := c.op(op); err != nil {
			return nil, fmt.Errorf("operator %d of %d (code %d): %w", i, len(m.ops), op.code, err)
		}
	}
	if len(names) != len(m.outputs) {
		return nil, fmt.Errorf("the model has %d outputs, not %d", len(m.outputs), len(names))
	}
	var outs []value
	var ends []string
	for i, t := range m.outputs {
		end, dims := c.names[t], m.tensors[t].shape
		if len(dims) == 4 { // 1x1 pictures: the channels are the result
			if dims[1]*dims[2] != 1 {
				return nil, fmt.Errorf("output %d is a picture of %v", i, dims)
			}
			end = c.g.op("Reshape", []string{end, c.g.ints(1, -1)})
			dims = []int{1, dims[3]}
		}
		ends, outs = append(ends, end), append(outs, value{names[i], dims})
	}
	for i, end := range ends {
		c.g.rename(end, names[i])
	}
	s := m.tensors[m.inputs[0]].shape
	return c.g.model(header{ir: 6, opset: 11, producer: "npmodels/tfl2onnx"}, value{"input", []int{1, s[3], s[1], s[2]}}, outs...), nil
}

type tfConverter struct {
	m     *tfModel
	g     graph
	names map[int]string // tensor -> its name in the graph
}

func (c *tfConverter) op(op tfOp) error {
	in, out := c.m.tensors[op.in[0]].shape, c.m.tensors[op.out[0]].shape
	x := c.names[op.in[0]]
	var y string
	var err error
	switch op.code {
	case opConv, opDepthwise:
		y, err = c.conv(op, x, in, out)
	case opMaxPool:
		y, err = c.maxPool(op, x, in, out)
	case opAdd:
		if op.opt.at != 0 && op.opt.i8(0, 0) != 0 || c.m.constant(op.in[0]) || c.m.constant(op.in[1]) {
			return fmt.Errorf("only a plain sum of two pictures is known")
		}
		y = c.g.op("Add", []string{x, c.names[op.in[1]]})
	case opRelu:
		y = c.g.op("Relu", []string{x})
	case opPRelu:
		var a array
		if a, err = c.m.floats(op.in[1]); err == nil {
			y = c.g.op("PRelu", []string{x, c.g.floats(a.channels())})
		}
	case opPad:
		y, err = c.pad(op, x)
	case opResize:
		y, err = c.resize(op, x, in, out)
	case opReshape:
		if len(in) != 4 || len(out) == 4 {
			return fmt.Errorf("reshape of %v to %v", in, out)
		}
		if in[1]*in[2] > 1 {
			x = c.g.op("Transpose", []string{x}, attr{"perm", []int{0, 2, 3, 1}})
		}
		y = c.g.op("Reshape", []string{x, c.g.ints(out...)})
	case opConcat:
		if len(out) == 4 || op.opt.i8(1, 0) != 0 {
			return fmt.Errorf("only a plain concatenation of lists is known")
		}
		var ins []string
		for _, t := range op.in {
			ins = append(ins, c.names[t])
		}
		y = c.g.op("Concat", ins, attr{"axis", (op.opt.i32(0, 0) + len(out)) % len(out)})
	default:
		return fmt.Errorf("unknown operator")
	}
	c.names[op.out[0]] = y
	return err
}

func (c *tfConverter) conv(op tfOp, x string, in, out []int) (string, error) {
	w, err := c.m.floats(op.in[1])
	if err != nil {
		return "", err
	}
	bias, err := c.m.floats(op.in[2])
	if err != nil {
		return "", err
	}
	groups, perm, act, dilation := 1, []int{0, 3, 1, 2}, 3, 4
	if op.code == opDepthwise {
		groups, perm, act, dilation = in[3], []int{3, 0, 1, 2}, 4, 5
	}
	if op.opt.i8(act, 0) != 0 || op.opt.i32(dilation, 1) != 1 || op.opt.i32(dilation+1, 1) != 1 {
		return "", fmt.Errorf("fused activation or dilation")
	}
	w = w.permute(perm...)
	stride := []int{op.opt.i32(2, 1), op.opt.i32(1, 1)}
	return c.g.conv(x, w, &bias, stride, padding(op, in, out, w.shape[2:], stride), groups), nil
}

func (c *tfConverter) maxPool(op tfOp, x string, in, out []int) (string, error) {
	if op.opt.i8(5, 0) != 0 {
		return "", fmt.Errorf("fused activation")
	}
	stride, kernel := []int{op.opt.i32(2, 1), op.opt.i32(1, 1)}, []int{op.opt.i32(4, 1), op.opt.i32(3, 1)}
	return c.g.op("MaxPool", []string{x}, attr{"kernel_shape", kernel}, attr{"strides", stride},
		attr{"pads", padding(op, in, out, kernel, stride)}), nil
}

// padding states TensorFlow's SAME (0) or VALID as ONNX pads.
func padding(op tfOp, in, out, kernel, stride []int) []int {
	if op.opt.i8(0, 0) != 0 {
		return []int{0, 0, 0, 0}
	}
	top, bottom := samePadding(in[1], out[1], kernel[0], stride[0])
	left, right := samePadding(in[2], out[2], kernel[1], stride[1])
	return []int{top, left, bottom, right}
}

// samePadding splits what SAME adds; the odd one goes after.
func samePadding(in, out, kernel, stride int) (before, after int) {
	t := max((out-1)*stride+kernel-in, 0)
	return t / 2, t - t/2
}

func (c *tfConverter) pad(op tfOp, x string) (string, error) {
	p, err := c.m.int32s(op.in[1])
	if err != nil {
		return "", err
	}
	if len(p) != 8 {
		return "", fmt.Errorf("pad by %v", p)
	}
	// (N H W C) pairs to (N C H W) befores, then afters.
	pads := c.g.ints(p[0], p[6], p[2], p[4], p[1], p[7], p[3], p[5])
	zero := c.g.floats(array{shape: []int{1}, v: []float32{0}})
	return c.g.op("Pad", []string{x, pads, zero}, attr{"mode", "constant"}), nil
}

func (c *tfConverter) resize(op tfOp, x string, in, out []int) (string, error) {
	if op.opt.i8(2, 0) != 0 {
		return "", fmt.Errorf("resize with aligned corners")
	}
	mode := "asymmetric"
	if op.opt.i8(3, 0) != 0 {
		mode = "half_pixel"
	}
	roi := c.g.floats(array{shape: []int{0}})
	scales := c.g.floats(array{shape: []int{4}, v: []float32{
		1, 1, float32(float64(out[1]) / float64(in[1])), float32(float64(out[2]) / float64(in[2])),
	}})
	return c.g.op("Resize", []string{x, roi, scales}, attr{"mode", "linear"}, attr{"coordinate_transformation_mode", mode}), nil
}
