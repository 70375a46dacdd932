package rtsp

import (
	"encoding/binary"
	"strings"
	"time"
)

const (
	clockRange = "clock="
	// rangeTime is how a clock range tells a moment (RFC 2326 3.7); a fraction
	// of the second may follow.
	rangeTime = "20060102T150405.999999999Z"
	// replayExtension marks the RTP header extension of a replay (ONVIF
	// Streaming Specification 6.3): the moment of the picture.
	replayExtension = 0xabac
)

// ClockRange asks for what a device stored from from to to, by its clock.
func ClockRange(from, to time.Time) string {
	const second = "20060102T150405Z"
	return clockRange + from.UTC().Format(second) + "-" + to.UTC().Format(second)
}

// begins is the beginning of a clock range; zero when it tells none.
func begins(header string) time.Time {
	value, ok := strings.CutPrefix(strings.TrimSpace(header), clockRange)
	if !ok {
		return time.Time{}
	}
	value, _, _ = strings.Cut(value, "-")
	t, err := time.Parse(rangeTime, strings.TrimSpace(value))
	if err != nil {
		return time.Time{}
	}
	return t
}

// Begins is when what is replayed begins, by the device's clock, as it said
// in its answer to PLAY; zero when it did not.
func (c *Client) Begins() time.Time { return c.begins }

// ReplayTime is when the device recorded what an RTP packet carries, if the
// packet tells it.
func ReplayTime(b []byte) (time.Time, bool) {
	if len(b) < 12 || b[0]&0x10 == 0 {
		return time.Time{}, false
	}
	at := 12 + 4*int(b[0]&0x0f)
	if len(b) < at+12 || binary.BigEndian.Uint16(b[at:]) != replayExtension || binary.BigEndian.Uint16(b[at+2:]) < 2 {
		return time.Time{}, false
	}
	sec, frac := binary.BigEndian.Uint32(b[at+4:]), binary.BigEndian.Uint32(b[at+8:])
	if sec == 0 && frac == 0 {
		return time.Time{}, false
	}
	return time.Unix(int64(sec)-ntpEpoch, int64(frac)*int64(time.Second)>>32).UTC(), true
}
