package storage

import (
	"time"

	"golang.org/x/sys/unix"

	"wardwatch/ward"
)

// ReadSync asks the kernel whether the system clock follows a time source,
// and how far off it is at most (adjtimex(2): STA_UNSYNC, maxerror). A kernel
// that does not answer leaves it unknown.
func ReadSync() (ward.ClockSync, time.Duration) { return readSync(unix.Adjtimex) }

func readSync(adjtimex func(*unix.Timex) (int, error)) (ward.ClockSync, time.Duration) {
	var now unix.Timex
	state, err := adjtimex(&now)
	if err != nil {
		return ward.SyncUnknown, 0
	}
	off := time.Duration(now.Maxerror) * time.Microsecond
	if state == unix.TIME_ERROR || now.Status&unix.STA_UNSYNC != 0 {
		return ward.Unsynced, off
	}
	return ward.Synced, off
}
