//go:build cgo && vision

// Command engines prints what a forward pass of each model costs with OpenCV
// and with ONNX Runtime, on one thread, in ms of processor time, as JSON.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	ort "github.com/yalue/onnxruntime_go"
	"gocv.io/x/gocv"

	"wardwatch/analytics/vision"
)

func main() {
	models := flag.String("models", ".models", "folder of the model files")
	library := flag.String("library", "bin/"+vision.FileEngine, "ONNX Runtime")
	passes := flag.Int("passes", 30, "passes of each model with each engine")
	flag.Parse()
	if err := run(*models, *library, *passes); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// cost is of one pass, in ms of processor time.
type cost struct {
	Model           string
	OpenCV, Runtime float64
}

func run(models, library string, passes int) error {
	runtime.LockOSThread()
	gocv.SetNumThreads(1)
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(); err != nil {
		return err
	}
	for _, name := range vision.Files() {
		c, err := compare(filepath.Join(models, name), passes)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.Model = name
		if err := json.NewEncoder(os.Stdout).Encode(c); err != nil {
			return err
		}
	}
	return nil
}

func compare(path string, passes int) (c cost, err error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return c, err
	}
	if err := errors.Join(options.SetIntraOpNumThreads(1), options.SetInterOpNumThreads(1)); err != nil {
		return c, err
	}
	ins, outs, err := ort.GetInputOutputInfoWithOptions(path, options)
	if err != nil {
		return c, err
	}
	in, err := ort.NewEmptyTensor[float32](ins[0].Dimensions)
	if err != nil {
		return c, err
	}
	for i := range in.GetData() {
		in.GetData()[i] = rand.Float32() //nolint:gosec // any picture will do
	}
	var names []string
	var values []ort.Value
	for _, o := range outs {
		t, err := ort.NewEmptyTensor[float32](o.Dimensions)
		if err != nil {
			return c, err
		}
		names, values = append(names, o.Name), append(values, t)
	}
	session, err := ort.NewAdvancedSession(path, []string{ins[0].Name}, names, []ort.Value{in}, values, options)
	if err != nil {
		return c, err
	}
	if c.Runtime, err = each(passes, session.Run); err != nil {
		return c, err
	}
	c.OpenCV, err = openCV(path, names, in, passes)
	return c, err
}

func openCV(path string, outs []string, in *ort.Tensor[float32], passes int) (float64, error) {
	dnn := gocv.ReadNetFromONNX(path)
	if dnn.Empty() {
		return 0, gocv.LastExceptionError()
	}
	defer dnn.Close()
	var sizes []int
	for _, n := range in.GetShape() {
		sizes = append(sizes, int(n))
	}
	blob := gocv.NewMatWithSizes(sizes, gocv.MatTypeCV32F)
	defer blob.Close()
	v, err := blob.DataPtrFloat32()
	if err != nil {
		return 0, err
	}
	copy(v, in.GetData())
	return each(passes, func() error {
		dnn.SetInput(blob, "")
		mats := dnn.ForwardLayers(outs)
		if len(mats) != len(outs) {
			return gocv.LastExceptionError()
		}
		for _, m := range mats {
			if err := m.Close(); err != nil {
				return err
			}
		}
		return nil
	})
}

// each returns a pass's processor time in ms; the first passes do not count.
func each(passes int, pass func() error) (float64, error) {
	var began float64
	for i := range passes + 3 {
		if i == 3 {
			began = used()
		}
		if err := pass(); err != nil {
			return 0, err
		}
	}
	return (used() - began) / float64(passes), nil
}

func used() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e6
}
