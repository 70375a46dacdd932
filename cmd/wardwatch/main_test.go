package main_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// builtBinary, when set, is the program under test: the tests that run
// themselves again in a process of their own need not build it again.
const builtBinary = "WARDWATCH_TEST_BINARY"

// root is the folder of go.mod.
const root = "../.."

// sideBySide is how many tests run at once: they wait much more than they work.
const sideBySide = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", sideBySide); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(prepare(m))
}

// prepare builds the program and looks for what set-up installs. Nothing is
// skipped: without the models there is nothing to test.
func prepare(m *testing.M) int {
	for _, need := range []struct{ path, command string }{
		{models(), "make models"}, {filepath.Join(models(), "clips", "franck.mp4"), "make models"}, {worker(), "make vision"},
	} {
		if _, err := os.Stat(need.path); err != nil {
			fmt.Fprintf(os.Stderr, "%v: run %s\n", err, need.command)
			return 1
		}
	}
	if os.Getenv(builtBinary) != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "wardwatch-cmd-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "wardwatch")
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build wardwatch: %v\n%s", err, out)
		return 1
	}
	if err := os.Setenv(builtBinary, binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// models is the folder of the models, absolute: programs are run elsewhere.
func models() string {
	if dir := os.Getenv("WARDWATCH_MODELS"); dir != "" {
		return dir
	}
	return absolute(filepath.Join(root, ".models"))
}

func worker() string { return absolute(filepath.Join(root, "bin", "wardwatch-vision")) }

func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
