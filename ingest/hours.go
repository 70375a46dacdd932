package ingest

import (
	"context"
	"sync"
	"time"

	"wardwatch/ward"
)

// shanghai is the time zone of the hours in which cameras are recorded. It
// has had no summer time since 1991, so that it needs no time zone database.
func shanghai() *time.Location { return time.FixedZone("Asia/Shanghai", 8*60*60) }

// shift says whether a camera is to be recorded at at, and when that changes
// next; zero: never.
func shift(c ward.Camera, at time.Time) (on bool, until time.Time) {
	switch c.Record {
	case ward.RecordNever:
		return false, time.Time{}
	case ward.RecordHours:
	case ward.RecordAlways:
		return true, time.Time{}
	}
	from, err1 := time.Parse("15:04", c.RecordFrom)
	to, err2 := time.Parse("15:04", c.RecordTo)
	if err1 != nil || err2 != nil || from.Equal(to) {
		return true, time.Time{} // rather too much than too little
	}
	y, m, d := at.In(shanghai()).Date()
	// Yesterday's hours may last over midnight; tomorrow's are the next.
	for day := -1; day <= 1; day++ {
		begin := time.Date(y, m, d+day, from.Hour(), from.Minute(), 0, 0, shanghai())
		end := time.Date(y, m, d+day, to.Hour(), to.Minute(), 0, 0, shanghai())
		if to.Before(from) {
			end = end.AddDate(0, 0, 1)
		}
		if at.Before(begin) {
			return false, begin
		}
		if at.Before(end) {
			return true, end
		}
	}
	return true, time.Time{} // not reached: tomorrow's end is later than at
}

// missing accounts for the camera not being recorded from at on: because of
// cause, or because nobody wants it to be.
func (c *Camera) missing(cause ward.Cause, at time.Time) {
	if c.Record == ward.RecordNever {
		return
	}
	if on, _ := shift(c.Camera, at); !on && cause != ward.CauseDisabled {
		cause = ward.CauseSchedule
	}
	c.coverage.missing(cause, at)
}

// hourCheck is how often a camera's hours are compared with the wall clock at
// least: it may be set at any time, which no timer notices.
const hourCheck = 10 * time.Second

// now is a reading of the server's clock.
func (c *Camera) now() time.Time {
	if c.clock == nil {
		return time.Now()
	}
	return c.clock()
}

// turned waits until the camera's hours begin, when it is not on, or end. It
// is false when done came first.
func (c *Camera) turned(done <-chan struct{}, on bool) bool {
	for {
		now := c.now()
		is, until := shift(c.Camera, now)
		if is != on {
			return true
		}
		wait := hourCheck
		if !until.IsZero() {
			wait = min(wait, until.Sub(now))
		}
		select {
		case <-time.After(wait):
		case <-done:
			return false
		}
	}
}

// rest waits for so long, at most until ctx ends; the camera's hours may
// begin or end meanwhile. cause is why it is not recorded within them.
func (c *Camera) rest(ctx context.Context, wait time.Duration, cause ward.Cause) {
	wake, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		on, _ := shift(c.Camera, c.now())
		turned := c.turned(wake.Done(), on)
		if ctx.Err() != nil {
			return
		}
		c.missing(cause, c.now())
		if !turned {
			return
		}
	}
}

// recordShifts records the stream in the camera's hours, until it closes.
func (c *Camera) recordShifts(ctx context.Context, s *session) {
	for {
		on, until := shift(c.Camera, c.now())
		if until.IsZero() {
			if on {
				c.record(ctx, s.Stream, s.noKey)
			}
			return
		}
		if on {
			c.recordShift(ctx, s)
		}
		if !c.turned(s.Stream.Done(), on) {
			return
		}
		if on {
			c.missing(ward.CauseSchedule, c.now())
		}
	}
}

// recordShift records the stream until the camera's hours end, or it closes.
func (c *Camera) recordShift(ctx context.Context, s *session) {
	var watch sync.WaitGroup
	defer watch.Wait()
	shift, end := context.WithCancel(ctx)
	defer end()
	watch.Go(func() {
		if c.turned(shift.Done(), true) {
			end()
		}
	})
	c.record(shift, s.Stream, s.noKey)
}
