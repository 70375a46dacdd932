package simbed

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"
)

// Network is how weak the way to the server is. The zero value is loopback as it is.
type Network struct {
	Loss   float64       // share of packets lost, each way, 0 to 1
	Jitter time.Duration // a packet to the server is late by up to so much; later ones may overtake it
}

// weakConn is a UDP socket behind a weak network.
type weakConn struct {
	net.PacketConn

	is   Network
	mu   sync.Mutex // guards draw
	draw *rand.Rand
}

// weaken puts the weak network between the connection and its socket.
func (b *bedside) weaken(ctx context.Context, settings *webrtc.SettingEngine) error {
	if b.o.Network == (Network{}) {
		return nil
	}
	var l net.ListenConfig
	c, err := l.ListenPacket(ctx, "udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w := &weakConn{PacketConn: c, is: b.o.Network, draw: rand.New(rand.NewPCG(b.o.Seed, 2))} //nolint:gosec // a simulation that can be repeated
	mux := webrtc.NewICEUDPMux(nil, w)
	settings.SetICEUDPMux(mux)
	b.mux = mux
	return nil
}

// lost draws what becomes of a packet.
func (w *weakConn) lost() (lost bool, late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.is.Jitter > 0 {
		late = time.Duration(w.draw.Int64N(int64(w.is.Jitter)))
	}
	return w.draw.Float64() < w.is.Loss, late
}

// WriteTo implements net.PacketConn. A packet that is under way when the socket closes is lost.
func (w *weakConn) WriteTo(b []byte, to net.Addr) (int, error) {
	lost, late := w.lost()
	switch {
	case lost:
		return len(b), nil
	case late == 0:
		return w.PacketConn.WriteTo(b, to)
	}
	sent := append([]byte(nil), b...)
	time.AfterFunc(late, func() { _, _ = w.PacketConn.WriteTo(sent, to) })
	return len(b), nil
}

// ReadFrom implements net.PacketConn.
func (w *weakConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := w.PacketConn.ReadFrom(b)
		if err != nil {
			return n, from, err
		}
		if lost, _ := w.lost(); !lost {
			return n, from, nil
		}
	}
}
