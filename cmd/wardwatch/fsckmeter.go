package main

import (
	"fmt"
	"io"
	"time"

	"wardwatch/storage"
)

// meterEvery is how often a long step prints how far it is.
const meterEvery = 2 * time.Second

// fsckMeter prints how far a check is: the step, how much of it, how fast,
// and how long the step will take.
type fsckMeter struct {
	out io.Writer

	step    string
	began   time.Time
	first   storage.FsckProgress // where the step began, or went on
	printed time.Time
}

func (m *fsckMeter) show(p storage.FsckProgress) {
	now := time.Now()
	if p.Step != m.step {
		m.step, m.began, m.first, m.printed = p.Step, now, p, now
		return
	}
	if now.Sub(m.printed) < meterEvery {
		return
	}
	m.printed = now
	_, _ = fmt.Fprintln(m.out, meterLine(m.first, p, now.Sub(m.began)))
}

// meterLine is "fsck: recordings 1200 of 5000 (24 %), 35/s, 180 MB/s, 2m0s left".
func meterLine(first, p storage.FsckProgress, took time.Duration) string {
	line := fmt.Sprintf("fsck: %s %d", p.Step, p.Done)
	done, total, rate := float64(p.Done), float64(p.Total), float64(p.Done-first.Done)/took.Seconds()
	things := fmt.Sprintf(", %.0f/s", rate)
	if p.Of > 0 { // hashing takes as long as there are bytes
		done, total, rate = float64(p.Bytes), float64(p.Of), float64(p.Bytes-first.Bytes)/took.Seconds()
		things += fmt.Sprintf(", %.0f MB/s", rate/1e6)
	}
	if total > 0 {
		line += fmt.Sprintf(" of %d (%.0f %%)", p.Total, min(100*done/total, 100))
	}
	line += things
	if total > 0 && rate > 0 {
		line += fmt.Sprintf(", %s left", time.Duration(max(total-done, 0)/rate*float64(time.Second)).Round(time.Second))
	}
	return line
}
