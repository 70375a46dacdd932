package storage

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wardwatch/ward"
)

func TestReadSync(t *testing.T) {
	for name, tc := range map[string]struct {
		now   unix.Timex
		state int
		err   error
		want  ward.ClockSync
		off   time.Duration
	}{
		"follows a source":          {unix.Timex{Status: unix.STA_PLL, Maxerror: 2500}, unix.TIME_OK, nil, ward.Synced, 2500 * time.Microsecond},
		"in a leap second":          {unix.Timex{Status: unix.STA_PLL | unix.STA_INS, Maxerror: 40}, unix.TIME_INS, nil, ward.Synced, 40 * time.Microsecond},
		"runs by itself":            {unix.Timex{Status: unix.STA_UNSYNC, Maxerror: 16000000}, unix.TIME_ERROR, nil, ward.Unsynced, 16 * time.Second},
		"unsynchronised, no error":  {unix.Timex{Status: unix.STA_UNSYNC}, unix.TIME_OK, nil, ward.Unsynced, 0},
		"an error of the clock":     {unix.Timex{Status: unix.STA_PLL}, unix.TIME_ERROR, nil, ward.Unsynced, 0},
		"the kernel does not allow": {unix.Timex{}, -1, unix.EPERM, ward.SyncUnknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			sync, off := readSync(func(now *unix.Timex) (int, error) { *now = tc.now; return tc.state, tc.err })
			if sync != tc.want || off != tc.off {
				t.Errorf("%q ±%v, want %q ±%v", sync, off, tc.want, tc.off)
			}
		})
	}
	if sync, off := ReadSync(); sync == ward.Synced && off == 0 {
		t.Error("this machine's clock is said to be exact")
	}
}
