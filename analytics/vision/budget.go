package vision

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// requestCPU is the processor time, in seconds, that a worker may use from
// one request to the next. A request takes under 1 s, and its deadline is a
// few seconds of one thread.
const requestCPU = 20

// grant lets a process use so many seconds of processor time more than it has used so far; the
// kernel ends one that uses more (SIGXCPU), also when nobody waits for it.
func grant(pid int, seconds uint64) error {
	var used unix.Timespec
	clock := ^int32(pid)<<3 | 2 // the processor time of all threads of pid: clock_getcpuclockid(3)
	if err := unix.ClockGettime(clock, &used); err != nil {
		return fmt.Errorf("read the processor time of %d: %w", pid, err)
	}
	limit := unix.Rlimit{Cur: uint64(used.Sec) + 1 + seconds, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(pid, unix.RLIMIT_CPU, &limit, nil); err != nil {
		return fmt.Errorf("limit the processor time of %d: %w", pid, err)
	}
	return nil
}
