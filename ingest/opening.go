package ingest

import (
	"time"

	"wardwatch/ward"
)

// This is the one way to a camera. The recorder, the probe and sub streams do
//
//	s, err := f.open(ctx, cam, opening{})
//	if err != nil {
//		return causeOf(err) // and errors.Is/As for more: net.DNSError, syscall.ECONNREFUSED, ErrGuarded, errBusy, *UntrustedError
//	}
//	defer s.Close()
//	reader := s.Stream.Subscribe(depth, true)
//	...
//	err = s.Wait(ctx)
//
// open takes cam's URL (put the sub stream's there), credentials, transport
// and certificate's fingerprint; it refuses what Fleet.Guard refuses, and a
// device with Fleet.PerDevice connections, and waits while too many sessions
// start. Errors hold no credentials.

// opening is what open may be told; the zero value is fine.
type opening struct {
	use     use                                                                  // what for
	failed  bool                                                                 // the last attempt did: do not keep the others waiting
	overTCP bool                                                                 // TransportAuto: UDP was tried in vain before
	stats   *counters                                                            // nil: not counted
	step    func(step)                                                           // called before each step; for the probe
	replay  *replay                                                              // of what the device stored; nil: what happens now
	event   func(kind ward.RecordingEventKind, off time.Duration, detail string) // called from the media's goroutine, must not block
}

// use says what a session is for, where a device has few connections.
type use int

const (
	useAsked       use = iota // a viewer, a probe, a fill
	useMain                   // the main stream of a camera
	useDispensable            // what looks at it can take the main stream instead
)

// step is one of the things that open does, in this order. A step that is not
// needed is left out.
type step string

const (
	stepConnect  step = "connect"  // look the name up, connect, TLS
	stepDescribe step = "describe" // ask what there is: credentials, path, codec
	stepSetup    step = "setup"    // ports or channels
	stepPlay     step = "play"     // the media are on their way when it is done
)
