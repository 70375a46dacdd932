package rtsp

import (
	"errors"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"
)

const (
	// udpBuffer is the socket buffer: with the default of the kernel, 108
	// packets were lost in 20 s at 4 Mbit/s.
	udpBuffer = 2 << 20
	// maxDatagram is more than any camera sends in a packet.
	maxDatagram = 64 << 10
	// maxUDPErrors is how many reads in a row may fail, with udpPause after
	// each, before a port counts as broken.
	maxUDPErrors = 100
	udpPause     = 10 * time.Millisecond
	// reportEvery is how often a receiver report goes out.
	reportEvery = 5 * time.Second
)

// udpLink is the pair of ports for a medium's RTP and RTCP.
type udpLink struct {
	port      int
	rtp, rtcp *net.UDPConn
	from      net.IP          // only what comes from there counts
	to        [2]*net.UDPAddr // where the camera listens; nil: unknown
	own       uint32          // our SSRC
	sender    atomic.Uint32
	last      atomic.Uint32 // sequence number
	reported  time.Time
	order     order
}

// listenUDP binds an even port and the next (RFC 3550 11) on the interface
// that leads to the camera.
func listenUDP(local net.Addr) (*udpLink, error) {
	var ip net.IP
	var zone string
	if a, ok := local.(*net.TCPAddr); ok {
		ip, zone = a.IP, a.Zone
	}
	var last error
	for range 100 {
		l := &udpLink{port: 10000 + 2*rand.IntN(27000), own: rand.Uint32()}
		if l.rtp, last = net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: l.port, Zone: zone}); last != nil {
			continue
		}
		if l.rtcp, last = net.ListenUDP("udp", &net.UDPAddr{IP: ip, Port: l.port + 1, Zone: zone}); last != nil {
			last = errors.Join(last, l.rtp.Close())
			continue
		}
		_ = l.rtp.SetReadBuffer(udpBuffer) // less than that still works
		return l, nil
	}
	return nil, last
}

// toward notes where the camera is.
func (l *udpLink) toward(ip net.IP, ports *[2]int) {
	l.from = ip
	if ports != nil && ports[0] > 1 && ports[1] > 1 && ports[0] < 1<<16 && ports[1] < 1<<16 {
		l.to = [2]*net.UDPAddr{{IP: ip, Port: ports[0]}, {IP: ip, Port: ports[1]}}
	}
}

// open sends a packet to the camera's ports, so that firewalls between let
// its packets in.
func (l *udpLink) open() {
	if l.to[0] != nil {
		_, _ = l.rtp.WriteToUDP([]byte{2 << 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, l.to[0]) // a datagram may be lost anyway
		_, _ = l.rtcp.WriteToUDP([]byte{2 << 6, 201, 0, 1, 0, 0, 0, 0}, l.to[1])          // an empty receiver report
	}
}

// start reads both ports until they are closed.
func (l *udpLink) start(c *Client, s *setup) {
	c.udp.Go(func() {
		l.read(l.rtp, func(b []byte, at time.Time) {
			c.mu.Lock()
			defer c.mu.Unlock()
			l.order.push(b, at, func(b []byte) {
				var p Packet
				if p.Parse(b) == nil {
					l.sender.Store(p.SSRC)
					l.last.Store(uint32(p.Sequence))
				}
				s.RTP(b, at, at)
			})
		})
	})
	c.udp.Go(func() {
		l.read(l.rtcp, func(b []byte, at time.Time) {
			c.mu.Lock()
			defer c.mu.Unlock()
			s.RTCP(b, at)
		})
	})
}

// read reads until conn is closed, or gives only errors: then no media come,
// and the session ends as one that stalls.
func (l *udpLink) read(conn *net.UDPConn, use func(b []byte, at time.Time)) {
	b := make([]byte, maxDatagram)
	for failed := 0; failed < maxUDPErrors; {
		n, from, err := conn.ReadFromUDP(b)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // an ICMP answer to what we sent, or a socket that is broken
			failed++
			time.Sleep(udpPause)
			continue
		case from.IP.Equal(l.from):
			use(b[:n], time.Now())
		}
		failed = 0
	}
}

// report says that somebody receives; called by one goroutine.
func (l *udpLink) report() {
	now := time.Now()
	if l.to[1] == nil || l.sender.Load() == 0 || now.Sub(l.reported) < reportEvery {
		return
	}
	l.reported = now
	_, _ = l.rtcp.WriteToUDP(receiverReport(l.own, l.sender.Load(), uint16(l.last.Load())), l.to[1]) //nolint:gosec // stored from one
}

func (l *udpLink) close() {
	_ = l.rtp.Close() // only read from
	_ = l.rtcp.Close()
}
