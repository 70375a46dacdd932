package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/time/rate"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

const (
	// DefaultPerDevice is how many connections a device gets by default: a
	// recorder with 16 channels has main and sub streams at one address.
	DefaultPerDevice = 32
	// maxStarting is how many sessions may be between their first packet and
	// their first picture's request at the same time, and startsASecond how
	// many may begin: when a switch comes back, its cameras come one after
	// the other. 64 starts of 50 ms each are as many as startsASecond.
	maxStarting   = 64
	startsASecond = 1000
)

// errBusy is the error of a device with too many connections.
var errBusy = errors.New("the device has as many connections as it may have")

// doors count who goes through them: connections to each device, and
// sessions that are starting.
type doors struct {
	perDevice int
	pace      *rate.Limiter
	// Cameras whose last attempt failed start in their own lane: those that
	// answer nobody hold a place until they time out, and must not keep the
	// others waiting.
	lanes [2]chan struct{}

	mu   sync.Mutex // guards used
	used map[string]int

	buffers rtsp.Buffers
	fills   chan struct{} // devices that play what they stored
}

func newDoors(perDevice int) *doors {
	if perDevice <= 0 {
		perDevice = DefaultPerDevice
	}
	return &doors{
		perDevice: perDevice, pace: rate.NewLimiter(startsASecond, maxStarting),
		lanes: [2]chan struct{}{make(chan struct{}, maxStarting), make(chan struct{}, maxStarting)}, used: map[string]int{},
		fills: make(chan struct{}, backfills),
	}
}

// device takes a connection to the device at address; leave gives it back.
func (d *doors) device(address string) (leave func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.used[address] >= d.perDevice {
		return nil, &failure{ward.CauseBusy, fmt.Errorf("%d connections to %s: %w", d.perDevice, address, errBusy)}
	}
	d.used[address]++
	return sync.OnceFunc(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.used[address]--; d.used[address] == 0 {
			delete(d.used, address)
		}
	}), nil
}

// start waits until one more session may start; failed says that the last
// attempt did. The caller calls started when media are on their way, or not.
func (d *doors) start(ctx context.Context, failed bool) (started func(), err error) {
	lane := d.lanes[0]
	if failed {
		lane = d.lanes[1]
	}
	select {
	case lane <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := d.pace.Wait(ctx); err != nil {
		<-lane
		return nil, errors.Join(ctx.Err(), err)
	}
	return sync.OnceFunc(func() { <-lane }), nil
}
