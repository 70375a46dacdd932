package simcam

import (
	"bufio"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	rtspconn "github.com/bluenviron/gortsplib/v4/pkg/conn"
)

const (
	// outQueue is how many pictures a client may be behind before the
	// camera drops some.
	outQueue = 256
	// tlsHello is the first byte of a TLS connection.
	tlsHello = 0x16
	// dribs is how often a slow writer writes, a second.
	dribs = 20
)

// conn is one RTSP connection.
type conn struct {
	s      *Server
	net    net.Conn
	secure bool
	nonce  string
	out    chan []byte // to the writer; a nil message closes the connection
	gone   chan struct{}
	once   sync.Once
	rate   atomic.Int64 // bytes a second of a slow writer; 0: none

	session *session // belongs to the reading goroutine
	camera  *outlet  // that was asked for last; likewise
	card    stretch  // that DESCRIBE asked for; likewise
}

// accept takes connections until the listener closes.
func (s *Server) accept(l net.Listener) {
	for {
		n, err := l.Accept()
		if err != nil {
			return
		}
		s.wg.Go(func() { s.serve(n) })
	}
}

// peeked is a connection of which some bytes are buffered.
type peeked struct {
	net.Conn

	r *bufio.Reader
}

func (p peeked) Read(b []byte) (int, error) { return p.r.Read(b) }

func (s *Server) serve(n net.Conn) {
	p := peeked{n, bufio.NewReader(n)}
	nonce, err := auth.GenerateNonce()
	if err != nil {
		_ = n.Close()
		return
	}
	c := &conn{s: s, net: p, nonce: nonce, out: make(chan []byte, outQueue), gone: make(chan struct{})}
	s.mu.Lock()
	if s.closed || s.listener == nil {
		s.mu.Unlock()
		_ = n.Close()
		return
	}
	s.conns[c] = true
	s.mu.Unlock()
	defer func() {
		c.close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	first, err := p.r.Peek(1)
	if err != nil {
		return
	}
	stream := net.Conn(p)
	if first[0] == tlsHello {
		c.secure = true
		stream = tls.Server(p, s.tls)
	}
	var writer sync.WaitGroup
	writer.Go(func() { c.write(stream) })
	defer writer.Wait()
	defer c.close()
	c.read(rtspconn.NewConn(stream))
}

// read answers requests until the client goes or is thrown out.
func (c *conn) read(r *rtspconn.Conn) {
	defer func() {
		if c.session != nil {
			c.session.end()
		}
	}()
	for {
		what, err := r.Read()
		if err != nil {
			return
		}
		if req, ok := what.(*base.Request); ok && !c.handle(req) {
			return
		}
	}
}

// write writes what is queued. A camera with a write rate dribbles it.
func (c *conn) write(w net.Conn) {
	defer c.close()
	for {
		var b []byte
		select {
		case <-c.gone:
			return
		case b = <-c.out:
		}
		if b == nil {
			return
		}
		for len(b) > 0 {
			n, pause := len(b), time.Duration(0)
			if rate := c.rate.Load(); rate > 0 {
				n, pause = min(n, max(1, int(rate)/dribs)), time.Second/dribs
			}
			if _, err := w.Write(b[:n]); err != nil {
				return
			}
			b = b[n:]
			if pause > 0 && !c.wait(pause) {
				return
			}
		}
	}
}

// wait is false when the connection ended meanwhile.
func (c *conn) wait(d time.Duration) bool {
	select {
	case <-c.gone:
		return false
	case <-time.After(d):
		return true
	}
}

// send queues a message that must not be lost, and is false when the connection ended.
func (c *conn) send(b []byte) bool {
	select {
	case <-c.gone:
		return false
	case c.out <- b:
		return true
	}
}

// offer queues media, or drops them when the client is too slow.
func (c *conn) offer(b []byte) {
	select {
	case c.out <- b:
	default:
	}
}

// close ends the connection at once. It may be called by anybody, any number of times.
func (c *conn) close() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.net.Close() // what is unsent is meant to be lost
	})
}
