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

	mu      sync.Mutex // guards devices
	devices map[string]device

	buffers rtsp.Buffers
	fills   chan struct{} // devices that play what they stored
}

func newDoors(perDevice int) *doors {
	if perDevice <= 0 {
		perDevice = DefaultPerDevice
	}
	return &doors{
		perDevice: perDevice, pace: rate.NewLimiter(startsASecond, maxStarting),
		lanes: [2]chan struct{}{make(chan struct{}, maxStarting), make(chan struct{}, maxStarting)}, devices: map[string]device{},
		fills: make(chan struct{}, backfills),
	}
}

// device counts the connections of one address.
type device struct {
	used    int // connections
	main    int // of those the main streams of cameras
	cameras int // that are kept connected
	replays int // of those, how many may be asked for what they stored
}

// room says whether there is one more connection for the use: a main stream,
// a viewer and a fill take what there is; what can be done without leaves room
// for every camera and one fill.
func (v device) room(most int, u use) bool {
	if u == useDispensable {
		return v.used+max(v.cameras-v.main, 0)+min(v.replays, 1) < most
	}
	return v.used < most
}

// change counts at an address; what is not counted any more is forgotten.
func (d *doors) change(address string, by device) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count(address, by)
}

// count is change; called locked.
func (d *doors) count(address string, by device) {
	v := d.devices[address]
	v = device{v.used + by.used, v.main + by.main, v.cameras + by.cameras, v.replays + by.replays}
	if d.devices[address] = v; v == (device{}) {
		delete(d.devices, address)
	}
}

// expect counts a camera that is kept connected until done is called.
func (d *doors) expect(address string, replays bool) (done func()) {
	by, back := device{cameras: 1}, device{cameras: -1}
	if replays {
		by.replays, back.replays = 1, -1
	}
	d.change(address, by)
	return func() { d.change(address, back) }
}

// device takes a connection to the device at address; leave gives it back.
func (d *doors) device(address string, u use) (leave func(), err error) {
	by, back := device{used: 1}, device{used: -1}
	if u == useMain {
		by.main, back.main = 1, -1
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.devices[address].room(d.perDevice, u) {
		return nil, &failure{ward.CauseBusy, fmt.Errorf("%d connections to %s: %w", d.perDevice, address, errBusy)}
	}
	d.count(address, by)
	return sync.OnceFunc(func() { d.change(address, back) }), nil
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
