package storage_test

import (
	"fmt"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/ward"
)

// machine is a server whose clock may be wrong.
type machine struct {
	t    *testing.T
	w    *testcase.World
	now  time.Time     // what it really is
	off  time.Duration // by how much the wall clock is ahead
	boot int
	up   time.Duration
	life string
}

func (m *machine) wall() time.Time { return m.now.Add(m.off) }

func (m *machine) reading() storage.Reading {
	return storage.Reading{Wall: m.wall(), Boot: fmt.Sprint(m.boot), Up: m.up}
}

// start boots it after it was off for a while, with the clock at wall; zero:
// the clock went on.
func (m *machine) start(off time.Duration, wall time.Time) {
	m.t.Helper()
	m.now, m.up, m.boot = m.now.Add(off), 0, m.boot+1
	if !wall.IsZero() {
		m.off = wall.Sub(m.now)
	}
	life, _, _, err := m.w.Store.BeginLife(m.t.Context(), m.reading())
	if err != nil {
		m.t.Fatal(err)
	}
	m.life = life.ID
}

// runs lets d go by, and sees the clock.
func (m *machine) runs(d time.Duration) {
	m.t.Helper()
	m.now, m.up = m.now.Add(d), m.up+d
	if _, err := m.w.Store.Beat(m.t.Context(), m.life, m.reading()); err != nil {
		m.t.Fatal(err)
	}
}

// set sets the clock ahead of the time by off; 0 is right.
func (m *machine) set(off time.Duration) { m.off = off; m.runs(0) }

func (m *machine) record() ward.SegmentID {
	return m.w.Record(ward.Source{Kind: ward.FromCamera, ID: "cam-7"}, m.wall(), time.Second, true).ID
}

// wantDue looks at what is due by the clock.
func (m *machine) wantDue(what string, id ward.SegmentID, want bool) {
	m.t.Helper()
	due, err := m.w.Store.Due(m.t.Context(), m.wall(), ward.Segment{}, 1000)
	if err != nil {
		m.t.Fatal(err)
	}
	is := false
	for _, g := range due {
		is = is || g.ID == id
	}
	if is != want {
		m.t.Errorf("%s: due %v, want %v", what, is, want)
	}
}

func eachMachine(t *testing.T, f func(t *testing.T, m *machine)) {
	t.Parallel()
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		w.Keep = 10 * day
		m := &machine{t: t, w: w, now: w.Start}
		m.start(0, time.Time{})
		f(t, m)
	})
}

const day = 24 * time.Hour

// Starts of the machine at the beginning of time, the clock set right soon
// after or only in the next start, keep what is rightly dated only for longer
// by a time that it was off, and what was recorded meanwhile for long enough.
func TestRetentionAfterStartsWithAWrongClock(t *testing.T) {
	eachMachine(t, func(_ *testing.T, m *machine) {
		first := m.record()
		var behind []ward.SegmentID
		for range 3 {
			m.runs(time.Hour)
			m.start(time.Hour, time.Unix(100, 0)) // and set right
			m.runs(time.Minute)
			behind = append(behind, m.record())
			m.set(0)
			m.runs(time.Hour)
			m.start(time.Hour, time.Unix(100, 0)) // and never set right
			m.runs(time.Hour)
			behind = append(behind, m.record())
			m.runs(time.Minute)
			m.start(time.Minute, time.Unix(100, 0))
			m.set(0)
		}
		for _, id := range behind {
			m.wantDue("recorded with a wrong clock", id, false)
		}
		m.runs(9 * day)
		for _, id := range append(behind, first) {
			m.wantDue("after nine days", id, false)
		}
		m.runs(day)
		for _, id := range append(behind, first) {
			m.wantDue("after ten days and some hours", id, true)
		}
	})
}

// A machine without a battery goes on with the time at which it was shut
// down: what was recorded before is kept for longer by the longest time that
// it was off, and not by all of them.
func TestRetentionOfAMachineWithoutABattery(t *testing.T) {
	eachMachine(t, func(_ *testing.T, m *machine) {
		began := m.now
		first := m.record()
		for range 20 {
			m.runs(8 * time.Hour)
			m.start(16*time.Hour, m.wall())
			m.runs(time.Minute)
			m.set(0)
		}
		m.wantDue("after twenty nights", first, true)
		// One start without a network: all of it is behind by three days.
		last := m.record()
		m.start(3*day, m.wall())
		unset := m.record()
		m.runs(8 * time.Hour)
		m.start(time.Minute, m.wall())
		m.set(0)
		lately := m.now
		for range 6 {
			m.runs(8 * time.Hour)
			m.start(16*time.Hour, m.wall())
			m.set(0)
		}
		m.runs(lately.Add(9 * day).Sub(m.now))
		m.wantDue("behind by three days, after nine", unset, false)
		m.runs(2 * day)
		m.wantDue("behind by three days, after eleven", unset, true)
		m.wantDue("rightly dated, after fourteen", last, true)
		m.wantDue("the first", first, true)
		if m.now.Sub(began) > 60*day {
			m.t.Error("the test takes too long to say anything")
		}
	})
}

// A clock that was ahead in one start of the machine, or was set ahead and set
// right after the next, changes nothing.
func TestRetentionAfterAClockThatWasAhead(t *testing.T) {
	const years = 3650 * day
	eachMachine(t, func(_ *testing.T, m *machine) {
		first := m.record()
		m.start(time.Minute, m.wall().Add(years)) // a start ahead
		m.set(0)
		m.start(time.Minute, time.Time{}) // set ahead, and right after a start
		m.set(years)
		m.start(time.Minute, time.Time{})
		m.set(3 * time.Second)
		m.start(time.Minute, time.Time{})
		m.set(0)
		// A clock that was behind since is still seen.
		m.start(time.Minute, m.wall().Add(-years))
		behind := m.record()
		m.start(time.Minute, time.Time{})
		m.set(0)
		m.wantDue("behind", behind, false)
		m.runs(9 * day)
		m.wantDue("after nine days", first, false)
		m.wantDue("behind, after nine days", behind, false)
		m.runs(day + time.Hour)
		m.wantDue("after ten days", first, true)
		m.wantDue("behind, after ten days", behind, true)
	})
}
