package storage

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"
)

// MinClockStep is by how much the wall clock must part from the machine's own
// count of time to be called set.
const MinClockStep = 2 * time.Second

// Reading is what the server's clocks said at a moment: the wall clock, which
// anybody may set, and how long the machine had run since its start Boot,
// sleep included. Boot is empty when the system does not tell.
type Reading struct {
	Wall time.Time
	Boot string
	Up   time.Duration
}

// readTries is how often the clocks are read until nothing came between, and
// readWithin how long a reading may take: less than MinClockStep by far.
const (
	readTries  = 5
	readWithin = 200 * time.Millisecond
)

// ReadClock reads the clocks, of Linux.
func ReadClock() Reading { return readClock(os.ReadFile, time.Now) }

// readClock reads the wall clock between two looks at how long the machine
// has run. When they are far apart each time, because the process has to
// wait, nobody knows which belongs to it, and Boot is empty.
func readClock(file func(string) ([]byte, error), wall func() time.Time) (r Reading) {
	boot, err := file("/proc/sys/kernel/random/boot_id")
	uptime := func() time.Duration {
		text, err1 := file("/proc/uptime")
		seconds, _, _ := strings.Cut(string(text), " ")
		up, err2 := time.ParseDuration(seconds + "s")
		err = errors.Join(err, err1, err2)
		return up
	}
	for range readTries {
		before := uptime()
		r = Reading{Wall: wall()}
		after := uptime()
		if err != nil {
			return r
		}
		if after-before <= readWithin {
			r.Boot, r.Up = strings.TrimSpace(string(boot)), before+(after-before)/2
			return r
		}
	}
	return r
}

// stepSince is by how much the wall clock was set between an earlier reading
// and r, 0 when by less than MinClockStep. known is false when the machine
// was started anew between them, since then nobody knows how long it was off.
func (r Reading) stepSince(earlier Reading) (step time.Duration, known bool) {
	if r.Boot == "" || r.Boot != earlier.Boot || r.Up < earlier.Up {
		return 0, false
	}
	step = r.Wall.Round(0).Sub(earlier.Wall.Round(0)) - (r.Up - earlier.Up)
	if step.Abs() < MinClockStep {
		return 0, true
	}
	return step, true
}

// KindClockStep is the kind of sealed record that says that the server's wall
// clock was set. What was sealed before it counts its age from another clock.
const KindClockStep = "clock_step"

// ClockStep is a setting of the wall clock, in a life of the process or after
// it: what it would have said at that moment, and what it said. Forward, it
// makes what was recorded before look older than it is.
type ClockStep struct {
	Life string    `json:"life"`
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Started says that the machine was started anew before Life: From is what
	// the clock said last, and nobody knows how long ago that was.
	Started bool `json:"started,omitempty"`
}

// sealClockStep seals a step, of no length none unless the machine was started.
func (t *tx) sealClockStep(ctx context.Context, c ClockStep) error {
	if c.From.Equal(c.To) && !c.Started {
		return nil
	}
	_, err := t.sealRecord(ctx, KindClockStep, c.Life, c)
	return err
}
