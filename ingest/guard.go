package ingest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// ErrGuarded is the error of an address at which no camera may be.
var ErrGuarded = errors.New("no camera may be at this address")

// Guard says at which addresses a camera may be: whoever may add cameras must
// not reach what else listens on the server, or in its neighbourhood. The
// zero value refuses loopback, the server's own addresses, link-local,
// multicast, broadcast and unspecified addresses; no Guard allows those where
// clouds keep their credentials. A nil *Guard allows every address.
type Guard struct {
	// Networks, when there are any, are the only ones that are allowed; they
	// may name what the zero value refuses.
	Networks []netip.Prefix
}

// isMetadata says whether a is where a cloud tells its machines their
// credentials: no camera is there, whatever network it is in.
func isMetadata(a netip.Addr) bool {
	switch a {
	case netip.AddrFrom4([4]byte{169, 254, 169, 254}), // most clouds
		netip.AddrFrom4([4]byte{169, 254, 170, 2}),   // Amazon's containers
		netip.AddrFrom4([4]byte{169, 254, 170, 23}),  // and pods
		netip.AddrFrom4([4]byte{169, 254, 0, 23}),    // Tencent
		netip.AddrFrom4([4]byte{100, 100, 100, 200}), // Alibaba
		netip.AddrFrom4([4]byte{168, 63, 129, 16}),   // Azure
		netip.AddrFrom4([4]byte{192, 0, 0, 192}),     // Oracle
		netip.MustParseAddr("fd00:ec2::254"),         // Amazon
		netip.MustParseAddr("fd00:ec2::23"),          // Amazon's pods
		netip.MustParseAddr("fd20:ce::254"),          // Google
		netip.MustParseAddr("fe80::a9fe:a9fe"):       // OpenStack
		return true
	}
	return false
}

// Check returns an error that wraps ErrGuarded when no camera may be at a.
func (g *Guard) Check(a netip.Addr) error {
	if g == nil {
		return nil
	}
	a = a.Unmap().WithZone("")
	if isMetadata(a) {
		return fmt.Errorf("%s: %w", a, ErrGuarded)
	}
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
	own, err := isOwn(a)
	if err == nil && own {
		err = ErrGuarded
	}
	if err != nil {
		return fmt.Errorf("%s: %w", a, err)
	}
	return nil
}

// isOwn says whether a is an address of this machine, as it is now.
func isOwn(a netip.Addr) (bool, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false, fmt.Errorf("list this machine's addresses: %w", err)
	}
	for _, own := range all {
		if n, ok := own.(*net.IPNet); ok {
			if is, ok := netip.AddrFromSlice(n.IP); ok && is.Unmap() == a {
				return true, nil
			}
		}
	}
	return false, nil
}

// Control is a net.Dialer's Control: it sees the address after the name was
// looked up, so that no answer of a name server leads around the check.
func (g *Guard) Control(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %s: %w", address, ErrGuarded)
	}
	return g.Check(a.Addr())
}
