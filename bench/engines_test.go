package bench_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"wardwatch/analytics/vision"
	"wardwatch/internal/models/modeltest"
)

// BenchmarkEngines compares a forward pass of each model in the engine that
// the worker uses (ONNX Runtime) with OpenCV's, on one thread.
func BenchmarkEngines(b *testing.B) {
	program := filepath.Join(modeltest.Root(b), "bin", "wardwatch-engines")
	if _, err := os.Stat(program); err != nil {
		b.Fatalf("%v: make bench builds it", err)
	}
	for b.Loop() {
		out, err := exec.CommandContext(b.Context(), program, "-models", modeltest.Models(b), "-library", filepath.Join(modeltest.Root(b), "bin", vision.FileEngine)).Output()
		must(b, err)
		var opencv, ours float64
		for in := json.NewDecoder(bytes.NewReader(out)); ; {
			var c struct {
				Model           string
				OpenCV, Runtime float64
			}
			err := in.Decode(&c)
			if errors.Is(err, io.EOF) {
				break
			}
			must(b, err)
			b.Logf("%s: %.2f ms CPU a pass; OpenCV %.2f: %.2f × its time", c.Model, c.Runtime, c.OpenCV, c.Runtime/c.OpenCV)
			opencv, ours = opencv+c.OpenCV, ours+c.Runtime
		}
		if opencv == 0 {
			b.Fatalf("%s compared nothing: %s", program, out)
		}
		b.ReportMetric(ours/opencv, "×opencv")
	}
}
