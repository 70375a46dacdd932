package storage

import (
	"fmt"
	"testing"
	"time"
)

// A process that has to wait between its looks at the clocks does not take
// that for a step.
func TestReadClock(t *testing.T) {
	t.Parallel()
	var up time.Duration
	waits := 0 // of 3 s, each before the wall clock is read
	began := time.Now().Round(0)
	read := func() Reading {
		return readClock(func(name string) ([]byte, error) {
			if name == "/proc/uptime" {
				return fmt.Appendf(nil, "%.2f 1.00\n", up.Seconds()), nil
			}
			return []byte("a\n"), nil
		}, func() time.Time {
			if waits > 0 {
				waits--
				up += 3 * time.Second
			}
			return began.Add(up)
		})
	}
	first := read()
	waits = 2
	if r := read(); r.Boot != "a" || r.Up != 6*time.Second {
		t.Errorf("got %+v", r)
	} else if step, known := r.stepSince(first); step != 0 || !known {
		t.Errorf("got a step of %s, %v", step, known)
	}
	waits = readTries
	if r := read(); r.Boot != "" || !r.Wall.Equal(began.Add(up)) {
		t.Errorf("got %+v, want no count of the machine", r)
	}
	if r := ReadClock(); r.Boot == "" || r.Up <= 0 {
		t.Errorf("got %+v", r)
	}
}
