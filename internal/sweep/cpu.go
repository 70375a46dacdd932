package sweep

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is what /proc counts CPU time in; Linux tells user space 100 a second on every machine.
const tick = 10 * time.Millisecond

// CPU is processor time.
type CPU struct {
	Service time.Duration `json:"service_ns"`
	Workers time.Duration `json:"workers_ns"` // the service's vision workers
	Beds    time.Duration `json:"beds_ns"`    // the simulation: bedsides, the inspector
}

// measure reads the CPU time until now of this process, of the service (0:
// none on this machine) and of the service's children.
func measure(service int) (c CPU) {
	var own syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &own) == nil {
		c.Beds = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	}
	if service == 0 {
		return c
	}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // proc(5): from the third field on
		if len(f) < 13 {
			continue
		}
		parent, _ := strconv.Atoi(f[1])
		user, _ := strconv.Atoi(f[11])
		system, _ := strconv.Atoi(f[12])
		switch used := time.Duration(user+system) * tick; {
		case pid == service:
			c.Service += used
		case parent == service:
			c.Workers += used
		}
	}
	return c
}

func (c CPU) since(before CPU) CPU {
	return CPU{c.Service - before.Service, c.Workers - before.Workers, c.Beds - before.Beds}
}
