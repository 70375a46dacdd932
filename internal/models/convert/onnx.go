package convert

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// proto writes protocol buffer fields; numbers are those of onnx.proto.
type proto []byte

func (p *proto) varint(field int, v uint64) {
	*p = binary.AppendUvarint(*p, uint64(field)<<3)
	*p = binary.AppendUvarint(*p, v)
}

func (p *proto) bytes(field int, b []byte) {
	*p = binary.AppendUvarint(*p, uint64(field)<<3|2)
	*p = binary.AppendUvarint(*p, uint64(len(b)))
	*p = append(*p, b...)
}

func (p *proto) text(field int, s string) { p.bytes(field, []byte(s)) }

func (p *proto) float(field int, v float32) {
	*p = binary.AppendUvarint(*p, uint64(field)<<3|5)
	*p = binary.LittleEndian.AppendUint32(*p, math.Float32bits(v))
}

// attr is one attribute of a node: int, float32, string or []int.
type attr struct {
	name  string
	value any
}

func (a attr) encode() proto {
	var p proto
	p.text(1, a.name)
	switch v := a.value.(type) {
	case float32:
		p.float(2, v)
		p.varint(20, 1)
	case int:
		p.varint(3, uint64(v))
		p.varint(20, 2)
	case string:
		p.text(4, v)
		p.varint(20, 3)
	case []int:
		for _, i := range v {
			p.varint(8, uint64(i))
		}
		p.varint(20, 7)
	default:
		panic(fmt.Sprintf("attribute %s of type %T", a.name, a.value)) // a bug of ours
	}
	return p
}

type node struct {
	kind, name string
	in         []string
	out        string
	attrs      []attr
}

func (n node) encode() proto {
	var p proto
	for _, s := range n.in {
		p.text(1, s)
	}
	p.text(2, n.out)
	p.text(3, n.name)
	p.text(4, n.kind)
	as := slices.SortedFunc(slices.Values(n.attrs), func(a, b attr) int { return strings.Compare(a.name, b.name) })
	for _, a := range as {
		p.bytes(5, a.encode())
	}
	return p
}

// graph collects nodes and constants; everything is named by one counter,
// so that the same input gives the same bytes.
type graph struct {
	nodes  []node
	consts []proto
	n      int
}

const (
	onnxFloat = 1
	onnxInt64 = 7
)

func (g *graph) tensor(kind int, dims []int, raw []byte) string {
	g.n++
	name := fmt.Sprintf("w%d", g.n)
	var p proto
	for _, d := range dims {
		p.varint(1, uint64(d))
	}
	p.varint(2, uint64(kind))
	p.text(8, name)
	p.bytes(9, raw)
	g.consts = append(g.consts, p)
	return name
}

func (g *graph) floats(a array) string {
	raw := make([]byte, 0, 4*len(a.v))
	for _, v := range a.v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	return g.tensor(onnxFloat, a.shape, raw)
}

func (g *graph) ints(v ...int) string {
	var raw []byte
	for _, i := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(i))
	}
	return g.tensor(onnxInt64, []int{len(v)}, raw)
}

// op appends a node and returns the name of its output.
func (g *graph) op(kind string, in []string, attrs ...attr) string {
	g.n++
	out := fmt.Sprintf("t%d", g.n)
	g.nodes = append(g.nodes, node{kind: kind, name: fmt.Sprintf("%s_%d", kind, g.n), in: in, out: out, attrs: attrs})
	return out
}

// conv appends a convolution; w is [out, in/groups, kh, kw], bias may be nil,
// pads are top, left, bottom, right.
func (g *graph) conv(in string, w array, bias *array, stride, pads []int, groups int) string {
	ins := []string{in, g.floats(w)}
	if bias != nil {
		ins = append(ins, g.floats(*bias))
	}
	return g.op("Conv", ins, attr{"kernel_shape", w.shape[2:]}, attr{"strides", stride}, attr{"pads", pads},
		attr{"group", groups}, attr{"dilations", []int{1, 1}})
}

// rename gives a value of the graph its public name.
func (g *graph) rename(from, to string) {
	for i := range g.nodes {
		if g.nodes[i].out == from {
			g.nodes[i].out = to
		}
		for k, s := range g.nodes[i].in {
			if s == from {
				g.nodes[i].in[k] = to
			}
		}
	}
}

type value struct {
	name string
	dims []int
}

func (v value) encode() proto {
	var shape proto
	for _, d := range v.dims {
		var dim proto
		dim.varint(1, uint64(d))
		shape.bytes(1, dim)
	}
	var tensor, kind, p proto
	tensor.varint(1, onnxFloat)
	tensor.bytes(2, shape)
	kind.bytes(1, tensor)
	p.text(1, v.name)
	p.bytes(2, kind)
	return p
}

// header is what a model file says about itself. The texts are part of the
// file's hash and so of the id that every stored template carries: keep them.
type header struct {
	ir, opset     int
	producer, doc string
}

// model returns the ONNX file.
func (g *graph) model(h header, in value, outs ...value) []byte {
	var gp proto
	for _, n := range g.nodes {
		gp.bytes(1, n.encode())
	}
	gp.text(2, "g")
	for _, c := range g.consts {
		gp.bytes(5, c)
	}
	gp.bytes(11, in.encode())
	for _, o := range outs {
		gp.bytes(12, o.encode())
	}
	var set, p proto
	set.text(1, "")
	set.varint(2, uint64(h.opset))
	p.varint(1, uint64(h.ir))
	p.text(2, h.producer)
	p.text(6, h.doc)
	p.bytes(7, gp)
	p.bytes(8, set)
	return p
}
