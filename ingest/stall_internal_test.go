package ingest

import (
	"errors"
	"testing"
	"time"

	"wardwatch/ward"
)

// Setting the server's clock neither hides that a camera stalls nor makes it
// stall, and what was seen when is told by the clock as it is set now.
func TestAStallIsMeasuredOnTheMonotonicClock(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{0, time.Hour, -time.Hour} {
		began := time.Now()
		s := &session{stall: 10 * time.Second, life: began, first: make(chan struct{}), Stream: NewStream(ward.Source{}, "h", nil)}
		s.played.set(s, began)
		s.lastUnit.set(s, began.Add(time.Second))
		s.firstUnit.first(s, began.Add(time.Second))
		s.arrived(began.Add(time.Second))
		if err := s.check(wallSet(t, began.Add(10*time.Second), jump)); err != nil {
			t.Errorf("set by %s, 9 s after the last packet: %v", jump, err)
		}
		s.arrived(began.Add(3 * time.Second))
		err := s.check(wallSet(t, began.Add(12*time.Second), jump))
		if f := (&failure{}); !errors.As(err, &f) || f.cause != ward.CauseGarbage {
			t.Errorf("set by %s, 11 s after the last picture: %v", jump, err)
		}
		err = s.check(wallSet(t, began.Add(14*time.Second), jump))
		if f := (&failure{}); !errors.As(err, &f) || f.cause != ward.CauseStalled {
			t.Errorf("set by %s, 11 s after the last packet: %v", jump, err)
		}
		now := wallSet(t, began.Add(5*time.Second), jump)
		if got, want := onWall(s.lastUnit.at(s), now), began.Round(0).Add(time.Second+jump); got.Sub(want).Abs() > time.Millisecond {
			t.Errorf("set by %s, the last picture was seen at %s, want %s", jump, got, want)
		}
	}
}
