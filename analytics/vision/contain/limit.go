// Package contain takes from a worker process what it does not need, so that
// bytes which take it over gain nothing: Limit at the start, Seal once the
// models are loaded. It is pure Go and knows nothing of pictures.
package contain

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// What a worker may use.
const (
	maxMemory = 2 << 30 // bytes that it can write to
	maxSpace  = 6 << 30 // bytes of address space: Go and the loader reserve 1.5 GB that they never touch
	maxFiles  = 64      // its pipes, the models and what the loader opens
	yields    = 5       // added to its nice value: looking gives way to recording and to calls
)

const limitedEnv = "WARDWATCH_VISION_CONTAINED"

// Limit bounds the memory, the files and the network of the process, makes it
// yield to the process that started it, and starts it again; it returns nil in the process that was started again. The limits
// hold for all threads at once, but no_new_privs and a network namespace
// belong to a thread, and Go has several before main begins: what survives
// execve holds for all of the new ones.
func Limit() error {
	if os.Getenv(limitedEnv) != "" {
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
		{"memory", unix.RLIMIT_DATA, maxMemory},
		{"address space", unix.RLIMIT_AS, maxSpace},
		{"files", unix.RLIMIT_NOFILE, maxFiles},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"core", unix.RLIMIT_CORE, 0},
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.what, &unix.Rlimit{Cur: l.value, Max: l.value}); err != nil {
			return fmt.Errorf("limit %s: %w", l.name, err)
		}
	}
	runtime.LockOSThread()
	nice, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // as the kernel has it: 20 less the nice value
	if err != nil {
		return fmt.Errorf("priority: %w", err)
	}
	if err = unix.Setpriority(unix.PRIO_PROCESS, 0, min(20-nice+yields, 19)); err != nil {
		return fmt.Errorf("priority: %w", err)
	}
	// An empty network takes a privilege. Without it the filter of Seal alone
	// denies every socket.
	_ = unix.Unshare(unix.CLONE_NEWNET)
	if err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	return unix.Exec(exe, os.Args, append(os.Environ(), limitedEnv+"=1"))
}
