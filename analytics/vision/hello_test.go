package vision_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// A worker of before masks answers a request with masks and shows what they
// are to cover; so does one of tomorrow, perhaps.
func TestWorkerOfAnotherVersionIsNotAsked(t *testing.T) {
	for _, protocol := range []int{0, vision.Protocol - 1, vision.Protocol + 1} {
		dir := t.TempDir()
		var hello bytes.Buffer
		if err := vision.WriteReply(&hello, vision.Reply{Protocol: protocol, OK: true}); err != nil {
			t.Fatal(err)
		}
		said, worker := filepath.Join(dir, "hello"), filepath.Join(dir, "worker")
		if err := os.WriteFile(said, hello.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		script := fmt.Sprintf("#!/bin/sh\n/bin/cat %q\nexec /bin/cat >/dev/null\n", said)
		if err := os.WriteFile(worker, []byte(script), 0o700); err != nil { //nolint:gosec // is run
			t.Fatal(err)
		}
		c := vision.NewCoder(t.Context(), worker, ward.H264, slog.New(slog.NewTextHandler(t.Output(), nil)))
		_, err := c.Code(t.Context(), vision.CodeRequest{Key: true, Show: true, Masked: true, Data: []byte{0, 0, 1, 9}})
		if err == nil || !strings.Contains(err.Error(), "install both of one version") {
			t.Errorf("protocol %d: %v", protocol, err)
		}
		c.Close()
	}
}
