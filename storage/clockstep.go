package storage

import (
	"context"
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

// ReadClock reads the clocks, of Linux.
func ReadClock() Reading {
	boot, err1 := os.ReadFile("/proc/sys/kernel/random/boot_id")
	uptime, err2 := os.ReadFile("/proc/uptime")
	r := Reading{Wall: time.Now()}
	seconds, _, _ := strings.Cut(string(uptime), " ")
	up, err3 := time.ParseDuration(seconds + "s")
	if err1 == nil && err2 == nil && err3 == nil {
		r.Boot, r.Up = strings.TrimSpace(string(boot)), up
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
