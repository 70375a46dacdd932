package ingest

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// ErrGuarded is the error of an address at which no camera may be.
var ErrGuarded = errors.New("no camera may be at this address")

// Guard says at which addresses a camera may be: whoever may add cameras must
// not reach what else listens on the server, or in its neighbourhood. The
// zero value refuses loopback, link-local (where clouds keep their
// credentials), multicast, broadcast and unspecified addresses. A nil *Guard
// allows every address.
type Guard struct {
	// Networks, when there are any, are the only ones that are allowed; they
	// may name what the zero value refuses.
	Networks []netip.Prefix
}

// Check returns an error that wraps ErrGuarded when no camera may be at a.
func (g *Guard) Check(a netip.Addr) error {
	if g == nil {
		return nil
	}
	a = a.Unmap().WithZone("")
	if len(g.Networks) > 0 {
		for _, n := range g.Networks {
			if n.Contains(a) {
				return nil
			}
		}
		return fmt.Errorf("%s is in none of the cameras' networks: %w", a, ErrGuarded)
	}
	broadcast := a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	this := a.Is4() && a.As4()[0] == 0 // RFC 1122 3.2.1.3: 0.0.0.0/8 is this host
	if !a.IsValid() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || broadcast || this {
		return fmt.Errorf("%s: %w", a, ErrGuarded)
	}
	return nil
}

// control is a net.Dialer's Control: it sees the address after the name was
// looked up, so that no answer of a name server leads around the check.
func (g *Guard) control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, ErrGuarded)
	}
	return g.Check(a.Addr())
}
