package vision

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

// TestProcessorTimeEnds: a process that computes without end is ended by
// the kernel, though nobody waits for an answer.
func TestProcessorTimeEnds(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := grant(cmd.Process.Pid, 0); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatalf("ended with %v", err)
	}
	if w, ok := exit.Sys().(syscall.WaitStatus); !ok || w.Signal() != syscall.SIGXCPU {
		t.Errorf("ended with %v", err)
	}
	if err := grant(cmd.Process.Pid, 1); err == nil {
		t.Error("a process that is gone has a limit")
	}
}
