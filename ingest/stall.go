package ingest

import (
	"fmt"
	"sync/atomic"
	"time"

	"wardwatch/ward"
)

// instant is a moment of a session, counted from its opening on the monotonic
// clock: a wall clock that is set neither hides a stall nor makes one.
type instant struct{ ns atomic.Int64 } // since session.life, from 1 on; 0: not set

func (m *instant) set(s *session, at time.Time) { m.ns.Store(max(int64(at.Sub(s.life)), 1)) }

// first sets it unless it is set.
func (m *instant) first(s *session, at time.Time) {
	if !m.is() {
		m.set(s, at)
	}
}

func (m *instant) is() bool { return m.ns.Load() != 0 }

// at is the moment, with its monotonic reading.
func (m *instant) at(s *session) time.Time { return s.life.Add(time.Duration(m.ns.Load())) }

// onWall is when the moment t was by the wall clock as it is set now; t has
// a monotonic reading. The zero time stays zero.
func onWall(t, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return now.Add(-now.Sub(t)).Round(0).Round(time.Millisecond).UTC()
}

// arrived notes a packet of any medium.
func (s *session) arrived(at time.Time) {
	s.anyPacket.set(s, at)
	s.once.Do(func() { close(s.first) })
}

// origin is when the session's first unit came; at is when this one did.
func (s *session) origin(at time.Time) time.Time {
	if s.begun.IsZero() {
		s.begun = at
	}
	return s.begun
}

// check finds a camera that is there and sends nothing: the state of a
// camera derives from its last media packet, not from its connection. now
// has a monotonic reading.
func (s *session) check(now time.Time) error {
	switch {
	case now.Sub(s.anyPacket.at(s)) > s.stall:
		return &failure{ward.CauseStalled, fmt.Errorf("no media for %s", s.stall)}
	case !s.firstUnit.is() && now.Sub(s.played.at(s)) > firstKey:
		return &failure{ward.CauseCodec, fmt.Errorf("no key frame for %s", firstKey)}
	case now.Sub(s.lastUnit.at(s)) > s.stall:
		return &failure{ward.CauseGarbage, fmt.Errorf("packets, and no picture for %s", s.stall)}
	}
	return nil
}
