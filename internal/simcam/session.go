package simcam

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

// defaultTimeout is what most cameras announce.
const defaultTimeout = 60 * time.Second

// session is what one client set up.
type session struct {
	conn    *conn
	outlet  *outlet
	id      string
	timeout time.Duration

	asked   atomic.Int64              // when the client last sent a request, µs since 1970
	playing atomic.Int64              // since when, likewise; 0: not yet
	senders atomic.Pointer[[]*sender] // by track; nil where the client wants none
}

func newSession(c *conn, o *outlet, f *setting) *session {
	v := &session{conn: c, outlet: o, id: fmt.Sprintf("%016x", rand.Uint64()), timeout: f.SessionTimeout}
	if v.timeout == 0 {
		v.timeout = defaultTimeout
	}
	v.asked.Store(time.Now().UnixMicro())
	none := make([]*sender, max(1, len(o.tracks)))
	v.senders.Store(&none)
	return v
}

// add sets up one track and returns what to answer.
func (v *session) add(index int, wanted headers.Transport) headers.Transport {
	unicast := headers.TransportDeliveryUnicast
	t := headers.Transport{Protocol: wanted.Protocol, Delivery: &unicast}
	k := &sender{session: v, ssrc: rand.Uint32(), seq: uint16(rand.Uint32())} //nolint:gosec // any will do
	if wanted.Protocol == headers.TransportProtocolTCP {
		t.InterleavedIDs = wanted.InterleavedIDs
		if t.InterleavedIDs == nil {
			t.InterleavedIDs = &[2]int{2 * index, 2*index + 1}
		}
		k.channels = *t.InterleavedIDs
	} else {
		t.ClientPorts = wanted.ClientPorts
		t.ServerPorts = &[2]int{port(v.conn.s.udp[0]), port(v.conn.s.udp[1])}
		host := v.conn.net.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap() //nolint:forcetypeassert // of a TCP listener
		k.udp = true
		for i, p := range wanted.ClientPorts {
			k.to[i] = netip.AddrPortFrom(host, uint16(p)) //nolint:gosec // the kernel refuses what is none
		}
	}
	all := append([]*sender(nil), *v.senders.Load()...)
	all[index] = k
	v.senders.Store(&all)
	return t
}

func port(c *net.UDPConn) int { return c.LocalAddr().(*net.UDPAddr).Port } //nolint:forcetypeassert // of a UDP socket

func (v *session) play() { v.playing.CompareAndSwap(0, time.Now().UnixMicro()) }

func (v *session) end() { v.outlet.leave(v) }

// expired says whether the client has been silent for longer than the
// session lasts.
func (v *session) expired() bool { return time.Since(time.UnixMicro(v.asked.Load())) > v.timeout }

// age is how long media have been flowing; 0 before.
func (v *session) age() time.Duration {
	since := v.playing.Load()
	if since == 0 {
		return 0
	}
	return max(1, time.Since(time.UnixMicro(since)))
}

// sendTCP queues packets for channel 0 (RTP) or 1 (RTCP) as one message.
func (k *sender) sendTCP(channel int, packets [][]byte) {
	n := 0
	for _, p := range packets {
		n += 4 + len(p)
	}
	b := make([]byte, 0, n)
	for _, p := range packets {
		b = append(b, '$', byte(k.channels[channel]))
		b = binary.BigEndian.AppendUint16(b, uint16(len(p))) //nolint:gosec // of an RTP packet
		b = append(b, p...)
	}
	k.session.conn.offer(b)
}

// sendUDP sends packets with pauses: a big key frame sent at once overflows a
// receiver's buffer.
func (k *sender) sendUDP(channel int, packets [][]byte) {
	for i, p := range packets {
		if i%burst == burst-1 {
			time.Sleep(time.Millisecond)
		}
		// A client that is gone is noticed by its connection.
		_, _ = k.session.conn.s.udp[channel].WriteToUDPAddrPort(p, k.to[channel])
	}
}
