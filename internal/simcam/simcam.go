// Package simcam is a set of cameras that speak real RTSP: a small server of
// its own that loops coded clips in real time with time stamps that never
// jump, asks for credentials, sends RTCP sender reports, and can be told to
// fail in the ways in which real cameras do, from the start or while it runs.
// Tests and the demo use it; it must know nothing of the product.
package simcam

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// watchEvery is how often sessions are looked at that may have to end.
const watchEvery = 50 * time.Millisecond

// Server serves cameras. Set the fields, call Start, then Run. RTSP and
// RTSPS share its port; the certificate is self-signed and new with each Start.
type Server struct {
	Addr    string // host:port; port 0 is any. Start replaces it by the real one.
	Cameras []Camera
	Log     *slog.Logger

	udp         [2]*net.UDPConn // RTP and RTCP
	tls         *tls.Config
	fingerprint string
	wg          sync.WaitGroup

	mu       sync.Mutex // guards the rest
	began    time.Time
	listener net.Listener       // nil while unplugged
	outlets  map[string]*outlet // by path
	conns    map[*conn]bool
	closed   bool
	stop     chan struct{} // closed by Close
}

// Start binds the port and answers clients; media flow once Run is called.
func (s *Server) Start() error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.outlets, s.conns, s.stop = map[string]*outlet{}, map[*conn]bool{}, make(chan struct{})
	for _, c := range s.Cameras {
		o, err := newOutlet(c)
		if err != nil {
			return fmt.Errorf("simulate camera %s: %w", c.Path, err)
		}
		s.outlets[c.Path] = o
	}
	var err error
	if s.tls, s.fingerprint, err = selfSigned(); err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	if err := s.Plug(); err != nil {
		return fmt.Errorf("start camera simulator on %s: %w", s.Addr, err)
	}
	if err := s.bindUDP(); err != nil {
		s.Close()
		return fmt.Errorf("start camera simulator: %w", err)
	}
	s.wg.Go(s.watch)
	return nil
}

// Plug binds the port again after Unplug.
func (s *Server) Plug() error {
	l, err := net.Listen("tcp", s.Addr) //nolint:noctx // binds a local port, which does not wait
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.listener != nil {
		return errors.Join(errors.New("it is plugged in, or closed"), l.Close())
	}
	s.Addr, s.listener = l.Addr().String(), l
	s.wg.Go(func() { s.accept(l) })
	return nil
}

// Unplug takes the whole device away, as a power cut does: every connection
// ends and new ones are refused until Plug.
func (s *Server) Unplug() {
	s.mu.Lock()
	l := s.listener
	s.listener = nil
	all := s.connections()
	s.mu.Unlock()
	if l != nil {
		_ = l.Close() // nothing is written to it
	}
	for _, c := range all {
		c.close()
	}
}

// connections must be called with the lock.
func (s *Server) connections() []*conn {
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// bindUDP tries port pairs until one is free: RTP must be even, RTCP the next.
func (s *Server) bindUDP() error {
	host, _, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	for range 50 {
		port := 20000 + 2*rand.IntN(15000)
		if s.udp[0], err = listenUDP(host, port); err != nil {
			continue
		}
		if s.udp[1], err = listenUDP(host, port+1); err == nil {
			for _, c := range s.udp {
				s.wg.Go(func() { drain(c) })
			}
			return nil
		}
		err = errors.Join(err, s.udp[0].Close())
	}
	s.udp = [2]*net.UDPConn{}
	return err
}

func listenUDP(host string, port int) (*net.UDPConn, error) {
	a, err := net.ResolveUDPAddr("udp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return net.ListenUDP("udp", a)
}

// drain reads what clients send (receiver reports, hole punching) until the socket closes.
func drain(c *net.UDPConn) {
	b := make([]byte, 2048)
	for {
		if _, _, err := c.ReadFromUDPAddrPort(b); errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

// URL is where the camera at path is, without credentials. It is of this
// machine when the server listens on every address.
func (s *Server) URL(path string) string {
	host := s.Addr
	if a, err := netip.ParseAddrPort(s.Addr); err == nil && a.Addr().IsUnspecified() {
		host = net.JoinHostPort("127.0.0.1", strconv.Itoa(int(a.Port())))
	}
	return "rtsp://" + host + "/" + path
}

// TLSURL is URL for RTSPS.
func (s *Server) TLSURL(path string) string { return "rtsps" + s.URL(path)[len("rtsp"):] }

// Fingerprint is the SHA-256 of the certificate in lower-case hexadecimal.
func (s *Server) Fingerprint() string { return s.fingerprint }

// Began is when clip time 0 was, after Run has begun: a good camera shows
// clip time (now − Began) mod Clip.Length.
func (s *Server) Began() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.began
}

// Run sends media until ctx ends, then closes the server.
func (s *Server) Run(ctx context.Context) error {
	s.mu.Lock()
	s.began = time.Now()
	began := s.began
	var wg sync.WaitGroup
	for _, o := range s.outlets {
		wg.Go(func() { o.live(ctx, began) })
		for _, t := range o.tracks {
			wg.Go(func() { s.play(ctx, o, t, began) })
		}
	}
	s.mu.Unlock()
	wg.Wait()
	<-ctx.Done()
	s.Close()
	return nil
}

// watch ends sessions that have sent no request for too long, and those of
// cameras that lose power, until the server is closed.
func (s *Server) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		outlets := s.outlets
		s.mu.Unlock()
		for _, o := range outlets {
			f := o.faults.Load()
			for _, v := range *o.sessions.Load() {
				if !f.on() || v.expired() {
					v.conn.close()
				}
			}
		}
	}
}

// Close drops every client and frees the ports. A second call does nothing.
func (s *Server) Close() {
	s.mu.Lock()
	again := s.closed || s.stop == nil
	s.closed = true
	s.mu.Unlock()
	if again {
		return
	}
	close(s.stop)
	s.Unplug()
	for _, c := range s.udp {
		if c != nil {
			_ = c.Close() // nothing is kept in it
		}
	}
	s.wg.Wait()
}
