package rtsp

import "time"

// ntpEpoch is 1900-01-01, from which NTP counts, in seconds before 1970.
const ntpEpoch = 2208988800

// NTP is t as an NTP timestamp: seconds since 1900 and their fractions, 32
// bits each. The seconds begin anew in 2036; see FromNTP.
func NTP(t time.Time) uint64 {
	frac := uint64(t.Nanosecond()) << 32 / uint64(time.Second) //nolint:gosec // below 10^9
	return uint64(uint32(t.Unix()+ntpEpoch))<<32 | frac        //nolint:gosec // meant to wrap
}

// FromNTP is the reverse, rounded to nanoseconds. As RFC 4330 3 has it, a
// timestamp without the highest bit is from 2036 or later.
func FromNTP(ntp uint64) time.Time {
	sec := int64(ntp>>32) - ntpEpoch //nolint:gosec // 32 bits
	if ntp>>63 == 0 {
		sec += 1 << 32
	}
	nsec := (ntp&0xffffffff*uint64(time.Second) + 1<<31) >> 32
	return time.Unix(sec, int64(nsec)).UTC() //nolint:gosec // below 10^9
}
