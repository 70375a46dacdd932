package convert

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// tfjsNode is one node of a TensorFlow graph as TensorFlow.js stores it.
type tfjsNode struct {
	Name  string
	Op    string
	Input []string
	Attr  map[string]struct {
		S    json.RawMessage // bytes, as a list of numbers or base64
		F    float64
		List struct{ I []string }
	}
}

// inputs leaves out control edges and output numbers.
func (n tfjsNode) inputs() []string {
	var ins []string
	for _, s := range n.Input {
		if !strings.HasPrefix(s, "^") {
			name, _, _ := strings.Cut(s, ":")
			ins = append(ins, name)
		}
	}
	return ins
}

func (n tfjsNode) text(name string) string {
	raw := n.Attr[name].S
	var codes []int
	if json.Unmarshal(raw, &codes) == nil {
		var b []byte
		for _, c := range codes {
			b = append(b, byte(c))
		}
		return string(b)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

func (n tfjsNode) ints(name string, i int) string {
	if l := n.Attr[name].List.I; i < len(l) {
		return l[i]
	}
	return ""
}

type tfjsGroup struct {
	Paths   []string
	Weights []struct {
		Name         string
		Shape        []int
		Dtype        string
		Quantization json.RawMessage
	}
}

// tfjsWeights reads the float32 weights of all groups by name.
func tfjsWeights(groups []tfjsGroup, open func(name string) ([]byte, error)) (map[string]array, error) {
	all := map[string]array{}
	for _, g := range groups {
		var b []byte
		for _, p := range g.Paths {
			part, err := open(p)
			if err != nil {
				return nil, fmt.Errorf("weights %s: %w", p, err)
			}
			b = append(b, part...)
		}
		for _, w := range g.Weights {
			a := array{shape: w.Shape}
			n := a.size()
			if w.Quantization != nil || 4*n > len(b) {
				return nil, fmt.Errorf("weight %s: quantised, or %d values in %d bytes", w.Name, n, len(b))
			}
			if w.Dtype == "float32" {
				for k := range n {
					a.v = append(a.v, math.Float32frombits(binary.LittleEndian.Uint32(b[4*k:])))
				}
				all[w.Name] = a
			}
			b = b[4*n:]
		}
		if len(b) > 0 {
			return nil, fmt.Errorf("%d bytes too many in weights %v", len(b), g.Paths)
		}
	}
	return all, nil
}
