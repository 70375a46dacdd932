// Package bench_test measures speed and memory with the real parts and
// prints each figure as a ratio against a peer or a limit that was measured
// in the same run. Nothing here fails because a machine is slow.
package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childOrder is the environment variable that makes this binary a measured
// child instead: a process of its own, so that only its work is counted.
const childOrder = "WARDWATCH_BENCH_CHILD"

func TestMain(m *testing.M) {
	text := os.Getenv(childOrder)
	if text == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var o order
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// clockTick is what the kernel counts processor time in: USER_HZ is 100 on
// every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// cpuOf is the processor time that a process has used so far, all threads.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	must(b, err)
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold spaces
	var user, system int64
	var skip string
	_, err = fmt.Sscan(rest, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	must(b, err)
	return time.Duration(user+system) * clockTick
}

// rssOf is the resident memory of a process in kB.
func rssOf(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	for line := range strings.Lines(string(text)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %g kB", &kb); n == 1 {
			return kb
		}
	}
	b.Fatalf("no VmRSS of process %d", pid)
	return 0
}

func timed(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
