package storage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

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
	var own time.Duration     // by how much the clock is set from here on until the machine is started anew
	var later []time.Duration // and in each run of the machine after that, the last one first
	for i, r := range slices.Backward(sealed) {
		var c ClockStep
		if err := r.Into(&c); err != nil {
			return nil, err
		}
		step := c.To.Sub(c.From)
		if c.Started {
			later, own = append(later, setInRun(step, own)), 0
		} else {
			own += step
		}
		all[i] = clockLead{r.Leaf, leadOf(own, later)}
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

// setInRun is by how much the clock is set in a run of the machine that began
// with the clock off by start from what it said last, and then saw it set by
// steps in all. How long the machine was off is in start, if its clock went on
// meanwhile: a start ahead counts only as far as it is taken back.
func setInRun(start, steps time.Duration) time.Duration {
	switch {
	case start < 0:
		return start + steps
	case steps < 0:
		return min(start+steps, 0)
	}
	return steps
}

// leadOf is by how much the clock leads that of something after which it was
// set by own while the machine ran, and by later in its runs after that, the
// last one first. A machine without a battery begins each run with a clock
// that is behind by the time that it was off; nobody can tell that from a
// clock that was behind before. So what later runs set forward is not summed
// up, which would keep everything for longer with each start, but the most of
// them counts. What was set back first must be made up for; a step back of
// about the size of one forward takes that one back.
func leadOf(own time.Duration, later []time.Duration) time.Duration {
	var most, behind time.Duration
	for _, step := range slices.Backward(later) {
		switch {
		case takesBack(step, most):
			most = max(most+step, 0)
		case takesBack(step, own):
			own = max(own+step, 0)
		default:
			if behind += step; behind > 0 {
				most, behind = max(most, behind), 0
			}
		}
	}
	return max(own+most, 0)
}

// takesBack says whether step is about the opposite of forward.
func takesBack(step, forward time.Duration) bool {
	return step < 0 && (forward+step).Abs() <= forward/2
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
