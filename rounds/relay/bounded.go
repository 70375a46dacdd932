package relay

import (
	"crypto/tls"
	"net"
	"os"
	"sync"
	"time"
)

const (
	streamsMax = 4000             // TCP connections of a listener; more are closed at once
	idle       = 90 * time.Second // without a byte a connection is closed: whoever calls sends all the time
)

// bounded is a listener of at most streamsMax connections, whose idle ones end.
type bounded struct {
	net.Listener

	mu   sync.Mutex // guards open
	open map[net.Conn]struct{}
}

// Accept implements net.Listener.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		c, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		full := len(b.open) >= streamsMax
		if !full {
			b.open[c] = struct{}{}
		}
		b.mu.Unlock()
		if !full {
			return &stream{Conn: c, of: b}, nil
		}
		_ = c.Close()
	}
}

// drop closes every connection.
func (b *bounded) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.open {
		_ = c.Close()
	}
}

// stream is one connection of a bounded listener.
type stream struct {
	net.Conn
	of *bounded
}

// Read implements net.Conn.
func (c *stream) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write implements net.Conn. Whoever does not read in time is not waited for.
func (c *stream) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		_ = c.Close() // half a frame may have gone out: nothing after it could be read
	}
	return n, err
}

// Close implements net.Conn.
func (c *stream) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c.Conn)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// secure hides that its connections are TLS: the library would shake hands
// itself, and leave a connection open whose handshake fails.
type secure struct{ net.Listener }

// Accept implements net.Listener.
func (l secure) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return struct{ net.Conn }{c}, err
}

// certificate is a key pair that is read again when its file changes.
type certificate struct {
	cert, key string

	mu   sync.Mutex // guards the rest
	read time.Time  // modification time of what pair holds
	pair *tls.Certificate
}

// get is a tls.Config's GetCertificate. While the new files are no pair (one
// is written after the other), the old one serves.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.cert)
	if err == nil && c.pair != nil && info.ModTime().Equal(c.read) {
		return c.pair, nil
	}
	pair, pairErr := tls.LoadX509KeyPair(c.cert, c.key)
	switch {
	case pairErr == nil && err == nil:
		c.pair, c.read = &pair, info.ModTime()
	case c.pair == nil && pairErr != nil:
		return nil, pairErr
	case c.pair == nil:
		return nil, err
	}
	return c.pair, nil
}
