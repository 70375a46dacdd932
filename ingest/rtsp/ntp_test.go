package rtsp_test

import (
	"testing"
	"time"

	"wardwatch/ingest/rtsp"
)

func TestNTP(t *testing.T) {
	t.Parallel()
	for at, want := range map[time.Time]uint64{
		time.Unix(0, 0).UTC():                               2208988800 << 32,
		time.Date(2026, 11, 22, 10, 0, 0, 5e8, time.UTC):    (2208988800+1795341600)<<32 | 1<<31,
		time.Date(2036, 2, 7, 6, 28, 15, 0, time.UTC):       0xffffffff << 32,
		time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC):       0, // the count begins anew
		time.Date(2040, 1, 1, 0, 0, 0, 999999999, time.UTC): 123010304<<32 | 4294967291,
	} {
		if got := rtsp.NTP(at); got != want {
			t.Errorf("%s is %x, want %x", at, got, want)
		}
		if got := rtsp.FromNTP(want); !got.Equal(at) {
			t.Errorf("%x is %s, want %s", want, got, at)
		}
	}
}
