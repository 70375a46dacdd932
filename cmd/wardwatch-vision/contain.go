//go:build cgo && vision

package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// What a worker may use. Deeper containment (a seccomp filter, an empty
// file system and no network) is a later step.
const (
	maxMemory = 2 << 30 // bytes that it can write to
	maxSpace  = 6 << 30 // bytes of address space: Go and the loader reserve 1.5 GB that they never touch
	maxFiles  = 64      // its pipes, the models and what the loader opens
)

const containedEnv = "WARDWATCH_VISION_CONTAINED"

// prSetNoNewPrivs is PR_SET_NO_NEW_PRIVS of prctl(2).
const prSetNoNewPrivs = 38

// contain limits the process and starts it again. The limits hold for all
// threads at once, but no_new_privs belongs to a thread, and Go has several
// before main begins: what survives execve holds for all of the new ones.
func contain() error {
	if os.Getenv(containedEnv) != "" {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	limits := []struct {
		name  string
		what  int
		value uint64
	}{
		{"memory", syscall.RLIMIT_DATA, maxMemory},
		{"address space", syscall.RLIMIT_AS, maxSpace},
		{"files", syscall.RLIMIT_NOFILE, maxFiles},
		{"file size", syscall.RLIMIT_FSIZE, 0},
		{"core", syscall.RLIMIT_CORE, 0},
	}
	for _, l := range limits {
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("limit %s: %w", l.name, err)
		}
	}
	runtime.LockOSThread()
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0); e != 0 {
		return fmt.Errorf("no_new_privs: %w", e)
	}
	return syscall.Exec(exe, os.Args, append(os.Environ(), containedEnv+"=1"))
}
