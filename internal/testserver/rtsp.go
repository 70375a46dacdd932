package testserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// RTSP starts a go2rtc server for this test and stops it when the test ends.
// It returns the address "rtsp://127.0.0.1:PORT/NAME" to which one client may
// publish over TCP and from which others read.
func RTSP(t testing.TB, name string) (url string) {
	t.Helper()
	return runRTSP(t, name, nil)
}

// Restream starts a go2rtc server that serves source, such as
// "webrtc:http://host/whep", at the address it returns.
func Restream(t testing.TB, source string) (url string) {
	t.Helper()
	return runRTSP(t, "live", source)
}

// runRTSP serves one stream; source is nil for one that somebody publishes.
func runRTSP(t testing.TB, name string, source any) (url string) {
	t.Helper()
	root, err := repoRoot()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(root, ".tools", "bin", "go2rtc")
	if _, err := os.Stat(bin); err != nil {
		t.Fatalf("go2rtc is not installed (%v): run deploy/setup.sh test", err)
	}
	dir := t.TempDir()
	for range 5 { // another process may take the port before go2rtc does
		var addr string
		if addr, err = freeAddr(); err != nil {
			break
		}
		var proc *child
		if proc, err = startRTSP(bin, dir, addr, name, source); err == nil {
			t.Cleanup(func() { proc.stop(syscall.SIGKILL) })
			return "rtsp://" + addr + "/" + name
		}
	}
	t.Fatal(err)
	return ""
}

func startRTSP(bin, dir, addr, name string, source any) (*child, error) {
	config, err := json.Marshal(map[string]any{
		"app":     map[string]any{"modules": []string{"rtsp", "webrtc"}}, // no web pages
		"log":     map[string]any{"format": "json"},
		"rtsp":    map[string]any{"listen": addr},
		"webrtc":  map[string]any{"listen": ""}, // a client only
		"streams": map[string]any{name: source},
	})
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.Background(), bin, "-config", string(config))
	cmd.Dir = dir
	proc, err := start(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, err
	}
	// It runs on without a port that it cannot have, so its log decides.
	err = proc.await(func() error {
		if !strings.Contains(proc.out.String(), "[rtsp] listen") {
			return errors.New("it does not say that it listens")
		}
		return nil
	})
	if err == nil && strings.Contains(proc.out.String(), `"error"`) {
		err = fmt.Errorf("go2rtc does not listen on %s: %s", addr, proc.out)
	}
	if err != nil {
		proc.stop(syscall.SIGKILL)
		return nil, err
	}
	return proc, nil
}
