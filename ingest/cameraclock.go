package ingest

import (
	"time"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

// maxClockStep is by how much a camera's clock may differ from what it was
// before without being called a jump: reports are late by less, and drift
// takes hours for as much.
const maxClockStep = time.Second

// cameraClock is what a camera says of its own clock (RTCP sender reports).
// It dates nothing: the offset is kept beside the recording.
type cameraClock struct {
	last   rtsp.Report
	due    bool // a report came since the last unit
	known  bool
	offset time.Duration // camera minus server
}

func (c *cameraClock) report(r rtsp.Report) { c.last, c.due = r, true }

// forget drops the report of a sender that is gone.
func (c *cameraClock) forget() { c.due = false }

// unit finds the offset once after each report: when the camera took the
// picture, by its clock, against when it came.
func (c *cameraClock) unit(s *session, ts uint32, rate int, at time.Time) {
	if !c.due {
		return
	}
	c.due = false
	since := time.Duration(int32(ts-c.last.RTP)) * time.Second / time.Duration(rate) //nolint:gosec // RTP time wraps
	if since.Abs() > time.Minute {
		since = 0 // the report's RTP time is of no use
	}
	offset := c.last.NTP.Add(since).Sub(at)
	if jump := offset - c.offset; c.known && jump.Abs() > maxClockStep {
		s.tell(ward.ClockJump, jump, "the camera's clock was set")
	}
	c.known, c.offset = true, offset
	s.Stream.SetClock(offset)
}
