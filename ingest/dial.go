package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// maxDials is how often one session may connect: once, again for TCP when
// nothing comes over UDP, and some redirects of the camera to itself.
const maxDials = 4

// errElsewhere is the error of a camera that sends its client away.
var errElsewhere = errors.New("the camera redirects to another address, which is not followed; store that address instead")

// sameHost dials the first address that it is asked for, and no other: the
// RTSP client follows redirects to wherever a camera points, with the
// camera's credentials, any number of times.
type sameHost struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex // guards the rest
	first string
	dials int
}

// DialContext dials. errElsewhere is the error for another host or port, and
// for more than maxDials dials.
func (d *sameHost) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	if d.first == "" {
		d.first = address
	}
	d.dials++
	refused := address != d.first || d.dials > maxDials
	dials := d.dials
	d.mu.Unlock()
	if refused {
		return nil, fmt.Errorf("connection %d, to %s: %w", dials, address, errElsewhere)
	}
	return d.dial(ctx, network, address)
}
