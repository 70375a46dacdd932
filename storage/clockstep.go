package storage

import (
	"context"
	"fmt"
	"os"
	"slices"
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
}

// sealClockStep seals a step, of no length none.
func (t *tx) sealClockStep(ctx context.Context, c ClockStep) error {
	if c.From.Equal(c.To) {
		return nil
	}
	_, err := t.sealRecord(ctx, KindClockStep, c.Life, c)
	return err
}

// clockSteps say by how much the wall clock leads the one that something was
// dated by, up to each of some leaves, in their order.
type clockSteps []clockLead

type clockLead struct {
	leaf int64         // of what was sealed before this leaf
	lead time.Duration // at least 0: a clock that was ahead then only makes it be kept for longer
}

// maxClockLeads bounds the length of a query; neighbours are joined to the
// longer lead.
const maxClockLeads = 64

// readClockSteps reads all of them: a handful.
func readClockSteps(ctx context.Context, q querier) (clockSteps, error) {
	rows, err := q.QueryContext(ctx, `SELECT leaf, kind, ref, body FROM sealed_record WHERE kind = $1 ORDER BY leaf`, KindClockStep)
	if err != nil {
		return nil, fmt.Errorf("read clock steps: %w", err)
	}
	sealed, err := collect(rows, scanSealed)
	if err != nil {
		return nil, fmt.Errorf("read clock steps: %w", err)
	}
	all := make(clockSteps, len(sealed))
	var sum time.Duration
	for i, r := range slices.Backward(sealed) {
		var c ClockStep
		if err := r.Into(&c); err != nil {
			return nil, err
		}
		sum += c.To.Sub(c.From)
		all[i] = clockLead{r.Leaf, max(sum, 0)}
	}
	for len(all) > maxClockLeads {
		var half clockSteps
		for pair := range slices.Chunk(all, 2) {
			last := pair[len(pair)-1]
			half = append(half, clockLead{last.leaf, max(pair[0].lead, last.lead)})
		}
		all = half
	}
	return all, nil
}

// query is by how many µs the wall clock leads that of a row, in SQL; leaf is
// the row's, or what stands for it.
func (c clockSteps) query(leaf string) string {
	if len(c) == 0 {
		return `0`
	}
	var b strings.Builder
	b.WriteString(`CASE`)
	for _, s := range c {
		fmt.Fprintf(&b, ` WHEN %s < %d THEN %d`, leaf, s.leaf, s.lead.Microseconds())
	}
	b.WriteString(` ELSE 0 END`)
	return b.String()
}
