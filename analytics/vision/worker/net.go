//go:build cgo && vision

package worker

import (
	"fmt"
	"image"
	"os"

	"gocv.io/x/gocv"
)

// net is one model with a fixed input size. OpenCV is set to one thread.
type net struct {
	name string
	dnn  gocv.Net
	outs []string
}

func loadNet(path string, outs ...string) (*net, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n, err := gocv.ReadNetFromONNXBytes(b)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if n == (gocv.Net{}) || n.Empty() { // the zero Net is how gocv reports a bad file
		return nil, fmt.Errorf("read %s: %w", path, gocv.LastExceptionError())
	}
	return &net{name: path, dnn: n, outs: outs}, nil
}

// scaling says how pixels become numbers: (x - mean) * factor, as RGB or BGR.
type scaling struct {
	factor float64
	mean   float64
	rgb    bool
}

// run feeds a square BGR picture of the model's input size and returns one
// copy of each output.
func (n *net) run(in gocv.Mat, s scaling) ([][]float32, error) {
	mean := gocv.NewScalar(s.mean, s.mean, s.mean, 0)
	blob := gocv.BlobFromImage(in, s.factor, image.Pt(in.Cols(), in.Rows()), mean, s.rgb, false)
	defer blob.Close()
	n.dnn.SetInput(blob, "")
	mats := n.dnn.ForwardLayers(n.outs)
	defer func() {
		for _, m := range mats {
			m.Close()
		}
	}()
	if len(mats) != len(n.outs) {
		return nil, fmt.Errorf("run %s: %w", n.name, gocv.LastExceptionError())
	}
	res := make([][]float32, len(mats))
	for i := range mats {
		v, err := mats[i].DataPtrFloat32()
		if err != nil {
			return nil, fmt.Errorf("output %s of %s: %w", n.outs[i], n.name, err)
		}
		res[i] = append([]float32(nil), v...)
	}
	return res, nil
}
