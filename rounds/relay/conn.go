package relay

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pion/turn/v5"
)

var (
	errQuota = errors.New("the credential holds too many allocations")
	errPeer  = errors.New("relays only to the media port")
	errTCP   = errors.New("relays only UDP")
)

// generator opens the relayed connections (turn.RelayAddressGenerator).
type generator struct{ s *Server }

// Validate implements turn.RelayAddressGenerator.
func (*generator) Validate() error { return nil }

// AllocateListener implements turn.RelayAddressGenerator: no TCP is relayed (RFC 6062).
func (*generator) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (*generator) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errTCP }

// AllocatePacketConn implements turn.RelayAddressGenerator. A port that the
// client asks for is not given: it has no use for one.
func (g *generator) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	if c.Network != "udp4" && c.Network != "udp6" {
		return nil, nil, errTCP
	}
	first := g.s.first(c.Network == "udp4")
	if !first.IsValid() {
		return nil, nil, errPeer
	}
	udp, err := net.ListenUDP(c.Network, nil)
	if err != nil {
		return nil, nil, err
	}
	out := &conn{UDPConn: udp, s: g.s}
	if err := g.s.accounts.take(c.UserID, out); err != nil {
		return nil, nil, errors.Join(err, udp.Close())
	}
	port := udp.LocalAddr().(*net.UDPAddr).Port                           //nolint:forcetypeassert // of a UDP socket
	return out, &net.UDPAddr{IP: first.Addr().AsSlice(), Port: port}, nil // told to the client, who tells nobody: candidates are not admitted
}

// conn is a relayed connection. Whatever permissions its client has, it
// sends to and hears the media port only, and no more than its rate.
type conn struct {
	*net.UDPConn
	s       *Server
	account *account
	once    sync.Once
}

// WriteTo implements net.PacketConn.
func (c *conn) WriteTo(b []byte, to net.Addr) (int, error) {
	u, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, errPeer
	}
	peer := unmapped(u.AddrPort())
	if !c.s.media(peer) {
		return 0, errPeer
	}
	if !c.account.budget.AllowN(time.Now(), len(b)) {
		return len(b), nil // lost, as packets are on a thin line: the sender slows down
	}
	if behind, ok := c.s.config.Behind[peer]; ok {
		peer = behind
	}
	return c.WriteToUDPAddrPort(b, peer)
}

// ReadFrom implements net.PacketConn.
func (c *conn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return n, nil, err
		}
		from = unmapped(from)
		for announced, behind := range c.s.config.Behind {
			if behind == from {
				from = announced
				break
			}
		}
		if c.s.media(from) && c.account.budget.AllowN(time.Now(), n) {
			return n, net.UDPAddrFromAddrPort(from), nil
		}
	}
}

// Close implements net.PacketConn.
func (c *conn) Close() error {
	c.once.Do(func() { c.s.accounts.give(c) })
	return c.UDPConn.Close()
}

// media says whether peer is the process's own media port.
func (s *Server) media(peer netip.AddrPort) bool { return slices.Contains(s.config.Media, peer) }

// knows says whether the media port is at ip: only then is a permission given.
func (s *Server) knows(ip net.IP) bool {
	a, ok := netip.AddrFromSlice(ip)
	for _, m := range s.config.Media {
		if ok && m.Addr() == a.Unmap() {
			return true
		}
	}
	return false
}

// first is a media address of the wanted family.
func (s *Server) first(v4 bool) netip.AddrPort {
	for _, m := range s.config.Media {
		if m.Addr().Is4() == v4 {
			return m
		}
	}
	return netip.AddrPort{}
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
