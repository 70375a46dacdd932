// Package testpage runs the script of verify.html in Node, for tests.
package testpage

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"wardwatch/storage/evidence/page"
)

//go:embed runner.js
var runner string

// Page is one Node process with the page's script.
type Page struct {
	in  io.Writer
	out *bufio.Reader
}

// Start starts one that ends with the test. Node is needed: without it the test fails.
func Start(t testing.TB) *Page {
	t.Helper()
	path := filepath.Join(t.TempDir(), "verify.js")
	if err := os.WriteFile(path, []byte(page.Script()+runner), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "node", path) // ended by the cleanup, in order
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal("the page's verifier is tested with Node: ", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error("node: ", err)
		}
	})
	return &Page{in, bufio.NewReaderSize(out, 1<<20)}
}

// Finding is a failure as the page words it.
type Finding struct{ File, ZH, EN string }

// Report is what the page found.
type Report struct {
	Compared                       bool
	Items, Records, Events, Filled int
	Lines                          int
	FilledMS                       float64
	Failures, Missing              []Finding
	Outside                        []struct {
		Name    string
		At      string
		Checked bool
	}
}

// Knows tells the page of a package that many to come resemble: it then hashes
// only what differs.
func (p *Page) Knows(pkg []byte) error {
	return p.Do("known", nil, pkg, &struct{}{})
}

// Verify has the page check a package.
func (p *Page) Verify(pkg []byte, fingerprint string, witnesses ...string) (Report, error) {
	var r Report
	err := p.Do("verify", map[string]any{"fingerprint": fingerprint, "witnesses": witnesses}, pkg, &r)
	return r, err
}

// Do asks for one of the requests of runner.js. One goroutine at a time.
func (p *Page) Do(what string, args any, b []byte, answer any) error {
	head, err := json.Marshal(map[string]any{"what": what, "args": args})
	if err != nil {
		return err
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(b)))
	if _, err := p.in.Write(append(append(frame, head...), b...)); err != nil {
		return err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("node: %w", err)
	}
	var failed struct{ Thrown string }
	if json.Unmarshal(line, &failed) == nil && failed.Thrown != "" {
		return fmt.Errorf("the page: %s", failed.Thrown)
	}
	return json.Unmarshal(line, answer)
}
