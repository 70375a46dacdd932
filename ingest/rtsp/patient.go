package rtsp

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// chunk is how much is read at once, in bytes. It holds the rest of a packet
// (at most 64 kB) and as much again.
const chunk = 128 << 10

// Buffers are shared by the clients of a process: a client holds one only
// while it works on what it read. The zero value is ready.
type Buffers struct{ pool sync.Pool }

func (b *Buffers) get() *[chunk]byte {
	if c, ok := b.pool.Get().(*[chunk]byte); ok {
		return c
	}
	return new([chunk]byte)
}

// patient is a TCP connection. Once Pause is set it reads at most once in
// that time, unless more is waiting than fits a read: a camera sends a
// picture in many packets, and waking up for each costs more than all else.
// All connections read at the same moments, so that the processor wakes up
// for all of them at once.
type patient struct {
	net.Conn
	raw     syscall.RawConn
	buffers *Buffers
	pause   time.Duration // set by the reading goroutine
	drained bool          // the last read took all there was

	// Of one call of take.
	rest []byte
	use  func([]byte)
	n    int
	err  error
}

func newPatient(c net.Conn, b *Buffers) *patient {
	p := &patient{Conn: c, buffers: b}
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			p.raw = raw
		}
	}
	return p
}

func (p *patient) wait() {
	if p.drained && p.pause > 0 {
		time.Sleep(p.pause - time.Duration(time.Now().UnixNano())%p.pause)
	}
}

// Read reads like any connection, patiently. TLS reads with it.
func (p *patient) Read(b []byte) (int, error) {
	p.wait()
	n, err := p.Conn.Read(b)
	p.drained = n < len(b)
	return n, err
}

// take reads once and calls use with rest and what was read behind it. The
// buffer is only borrowed, and not while nothing comes.
func (p *patient) take(rest []byte, use func([]byte)) error {
	if p.raw == nil {
		return takeFrom(p, p.buffers, rest, use)
	}
	p.wait()
	p.rest, p.use = rest, use
	if err := p.raw.Read(p.try); err != nil {
		return err
	}
	return p.err
}

// try is one attempt to read; false means that nothing is there yet.
func (p *patient) try(fd uintptr) bool {
	buf := p.buffers.get()
	defer p.buffers.pool.Put(buf)
	head := copy(buf[:], p.rest)
	for {
		p.n, p.err = syscall.Read(int(fd), buf[head:]) //nolint:gosec // a file descriptor
		if !errors.Is(p.err, syscall.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(p.err, syscall.EAGAIN):
		return false
	case p.err == nil && p.n == 0:
		p.err = io.EOF
	case p.err == nil:
		p.drained = head+p.n < chunk
		p.use(buf[:head+p.n])
	}
	return true
}

// takeFrom is take for a connection that can only be read into a buffer.
func takeFrom(r io.Reader, b *Buffers, rest []byte, use func([]byte)) error {
	buf := b.get()
	defer b.pool.Put(buf)
	head := copy(buf[:], rest)
	n, err := r.Read(buf[head:])
	if n > 0 {
		use(buf[:head+n])
		return nil
	}
	return err
}
