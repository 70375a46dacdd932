//go:build cgo && vision

package worker

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"

	ort "github.com/yalue/onnxruntime_go"
	"gocv.io/x/gocv"

	"wardwatch/analytics/vision"
)

// openEngine loads ONNX Runtime from beside the executable. It is twice to
// three times as fast as OpenCV with our models (bench, BenchmarkEngines).
func openEngine() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(filepath.Join(filepath.Dir(exe), vision.FileEngine))
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("load ONNX Runtime: %w", err)
	}
	return nil
}

// net is one model with a fixed input size. It runs on the calling thread.
type net struct {
	name    string
	session *ort.AdvancedSession
	in      *ort.Tensor[float32]
	outs    []*ort.Tensor[float32]
}

// loadNet reads a model with one square input; outs are the outputs that run returns.
func loadNet(path string, outs ...string) (*net, error) {
	n, err := readNet(path, outs)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return n, nil
}

func readNet(path string, outs []string) (*net, error) {
	options, err := oneThread()
	if err != nil {
		return nil, err
	}
	ins, all, err := ort.GetInputOutputInfoWithOptions(path, options)
	if err != nil {
		return nil, err
	}
	if len(ins) != 1 {
		return nil, fmt.Errorf("%d inputs in place of 1", len(ins))
	}
	n := &net{name: path}
	if n.in, err = ort.NewEmptyTensor[float32](ins[0].Dimensions); err != nil {
		return nil, err
	}
	values := make([]ort.Value, len(outs))
	for i, name := range outs {
		shape, err := shapeOf(all, name)
		if err != nil {
			return nil, err
		}
		t, err := ort.NewEmptyTensor[float32](shape)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		n.outs, values[i] = append(n.outs, t), t
	}
	n.session, err = ort.NewAdvancedSession(path, []string{ins[0].Name}, outs, []ort.Value{n.in}, values, options)
	return n, errors.Join(err, options.Destroy())
}

func shapeOf(all []ort.InputOutputInfo, name string) (ort.Shape, error) {
	for _, o := range all {
		if o.Name == name {
			return o.Dimensions, nil
		}
	}
	return nil, fmt.Errorf("no output %s", name)
}

// oneThread has a session run on the calling thread alone: there is a worker
// for each core, and a sealed one starts no threads.
func oneThread() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	return o, errors.Join(o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1), o.SetExecutionMode(ort.ExecutionModeSequential))
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
	v, err := blob.DataPtrFloat32()
	if err != nil {
		return nil, fmt.Errorf("input of %s: %w", n.name, err)
	}
	if want := len(n.in.GetData()); len(v) != want {
		return nil, fmt.Errorf("input of %s: %d values in place of %d", n.name, len(v), want)
	}
	copy(n.in.GetData(), v)
	if err := n.session.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", n.name, err)
	}
	res := make([][]float32, len(n.outs))
	for i, t := range n.outs {
		res[i] = append([]float32(nil), t.GetData()...)
	}
	return res, nil
}
