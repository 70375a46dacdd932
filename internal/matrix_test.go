// Package internal_test checks what internal/DESIGN.md claims.
package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFailureMatrixNamesRealTests: each row of the failure matrix names a test
// or a make target, and each of them exists.
func TestFailureMatrixNamesRealTests(t *testing.T) {
	design, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w+)\(`)
	for _, folder := range []string{"ward", "storage", "ingest", "analytics", "rounds", "web", "cmd", "internal", "bench"} {
		err := filepath.WalkDir(filepath.Join("..", folder), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Name() == "node_modules" {
				return fs.SkipDir
			}
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range declared.FindAllSubmatch(b, -1) {
				have[string(m[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, tables, ok := strings.Cut(string(design), "## Where each failure is shown")
	if !ok {
		t.Fatal("DESIGN.md has no failure matrix")
	}
	named := regexp.MustCompile("`([^`]+)`")
	rows := 0
	for line := range strings.Lines(tables) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| ---") || strings.Contains(line, "| shown by |") {
			continue
		}
		rows++
		names := named.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			t.Errorf("nothing shows: %s", line)
		}
		for _, n := range names {
			target, isTarget := strings.CutPrefix(n[1], "make ")
			if isTarget && !strings.Contains(string(makefile), "\n"+target+":") || !isTarget && !have[n[1]] {
				t.Errorf("there is no %s, named by: %s", n[1], line)
			}
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows were read", rows)
	}
}
