package ingest

import (
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wardwatch/ward"
)

func TestShift(t *testing.T) {
	t.Parallel()
	day := ward.Camera{Record: ward.RecordHours, RecordFrom: "08:00", RecordTo: "18:30"}
	night := ward.Camera{Record: ward.RecordHours, RecordFrom: "22:00", RecordTo: "06:00"}
	for _, c := range []struct {
		cam   ward.Camera
		at    string // UTC: Shanghai is 8 hours ahead
		on    bool
		until string
	}{
		{ward.Camera{Record: ward.RecordAlways}, "2026-11-22T00:00:00Z", true, ""},
		{ward.Camera{}, "2026-11-22T00:00:00Z", true, ""},
		{ward.Camera{Record: ward.RecordNever}, "2026-11-22T00:00:00Z", false, ""},
		{day, "2026-11-21T23:59:59Z", false, "2026-11-22T00:00:00Z"},
		{day, "2026-11-22T00:00:00Z", true, "2026-11-22T10:30:00Z"},
		{day, "2026-11-22T10:29:59Z", true, "2026-11-22T10:30:00Z"},
		{day, "2026-11-22T10:30:00Z", false, "2026-11-23T00:00:00Z"},
		{night, "2026-11-22T13:59:59Z", false, "2026-11-22T14:00:00Z"},
		{night, "2026-11-22T14:00:00Z", true, "2026-11-22T22:00:00Z"},
		{night, "2026-11-22T17:00:00Z", true, "2026-11-22T22:00:00Z"}, // after midnight in Shanghai
		{night, "2026-11-22T22:00:00Z", false, "2026-11-23T14:00:00Z"},
		{ward.Camera{Record: ward.RecordHours, RecordFrom: "08:00", RecordTo: "08:00"}, "2026-11-22T05:00:00Z", true, ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		on, until := shift(c.cam, at)
		got := ""
		if !until.IsZero() {
			got = until.UTC().Format(time.RFC3339)
		}
		if on != c.on || got != c.until {
			t.Errorf("%s-%s at %s: got %v until %q, want %v until %q", c.cam.RecordFrom, c.cam.RecordTo, c.at, on, got, c.on, c.until)
		}
	}
}

// TestHoursFollowAClockThatIsSet: the hours begin and end by the wall clock as
// it is now, also when it is set while a timer runs.
func TestHoursFollowAClockThatIsSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // it is 2000-01-01 08:00 in Shanghai
		var ahead atomic.Int64
		c := &Camera{
			Camera:   ward.Camera{Record: ward.RecordHours, RecordFrom: "07:00", RecordTo: "18:30"},
			clock:    func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
			coverage: &coverage{clerk: newClerk(slog.New(slog.DiscardHandler))},
		}
		turned := func(on bool, after, by, within time.Duration) {
			t.Helper()
			began := time.Now()
			time.AfterFunc(after, func() { ahead.Add(int64(by)) })
			if !c.turned(nil, on) {
				t.Fatal("not turned")
			}
			if took := time.Since(began) - after; took < 0 || took > within {
				t.Errorf("turned %s after the clock was set by %s", took, by)
			}
		}
		turned(true, time.Hour, 11*time.Hour, hourCheck)                   // into the evening
		turned(false, time.Hour, -10*time.Hour, hourCheck)                 // and back
		turned(true, time.Minute, 8*time.Hour, hourCheck)                  // 18:01
		turned(false, time.Minute, 12*time.Hour+10*time.Minute, hourCheck) // to the next morning
		turned(true, time.Minute, 0, 11*time.Hour+30*time.Minute)          // as it is

		// An outage that the end of the hours comes into.
		ahead.Store(0)
		began := time.Now()
		c.clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		c.RecordFrom, c.RecordTo = "00:00", c.now().In(shanghai()).Add(time.Hour).Format("15:04")
		time.AfterFunc(time.Second, func() { ahead.Store(int64(90 * time.Minute)) })
		c.rest(t.Context(), 15*time.Second, ward.CauseUnreachable)
		if c.coverage.open.Cause != ward.CauseSchedule || time.Since(began) != 15*time.Second {
			t.Errorf("after %s, it is %s", time.Since(began), c.coverage.open.Cause)
		}
	})
}
