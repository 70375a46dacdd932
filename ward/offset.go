package ward

import "time"

// ClockOffset is how far the cameras' clock is ahead of an institution's
// billing system, estimated from when people stood at its counters: what
// billing says happened at t, the cameras saw at t + Offset. The rules use it;
// Settlement.At stays what billing said.
type ClockOffset struct {
	InstitutionID InstitutionID
	Offset        time.Duration // at most 10 minutes either way
	Spread        time.Duration // half the width of the offsets that fit nearly as well
	Samples       int           // settlements that it rests on
	At            time.Time     // of the estimate
}
