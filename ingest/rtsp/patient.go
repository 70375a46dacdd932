package rtsp

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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

const (
	// early is how much may gather, in bytes, before it is read without waiting
	// for the end of the pause.
	early = 64 << 10
	// roomy is how much a camera may send at least without waiting for us, in
	// bytes: 2 s at 2 Mbit/s. The kernel begins with 64 kB; it gives more to
	// those who wait for more.
	roomy = 512 << 10
)

// patient is a TCP connection. Once patience is set it reads when a pause is
// over, or when early bytes wait: a camera sends a picture in many packets,
// and waking up for each costs more than all else. The kernel wakes nobody for
// less. All connections read at the same moments, so that the processor wakes
// up for all of them at once.
type patient struct {
	net.Conn
	raw     syscall.RawConn // nil: a connection that is none of the kernel's, and is read as it comes
	buffers *Buffers
	pause   func() time.Duration // set by be; nil: reads as they come
	drained bool                 // the last read took all there was
	woken   bool                 // of one call of wait

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

// be makes p patient from now on; pause is asked before each wait. Reads then
// end with os.ErrDeadlineExceeded when nothing came in a pause.
func (p *patient) be(pause func() time.Duration) error {
	if p.raw == nil {
		return nil
	}
	var failed error
	err := p.raw.Control(func(fd uintptr) {
		for _, n := range []int{roomy, early} {
			failed = errors.Join(failed, syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n)) //nolint:gosec // a file descriptor
		}
	})
	p.pause = pause
	return errors.Join(err, failed)
}

// wait waits until it is time to read. After its last deadline a connection
// can only be read by Control.
func (p *patient) wait() error {
	if !p.drained {
		return nil
	}
	now := time.Now()
	pause := p.pause()
	if err := p.SetReadDeadline(now.Add(pause - time.Duration(now.UnixNano())%pause)); err != nil {
		return err
	}
	p.woken = false
	if err := p.raw.Read(p.wake); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil
}

// wake has wait wait once, if that is not too late already.
func (p *patient) wake(fd uintptr) bool {
	woken := p.woken
	p.woken = true
	if woken {
		return true
	}
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCINQ) //nolint:gosec // a file descriptor
	return err == nil && n >= early
}

// Read reads like any connection, patiently. TLS reads with it.
func (p *patient) Read(b []byte) (n int, err error) {
	if p.pause == nil {
		return p.Conn.Read(b)
	}
	if err := p.wait(); err != nil {
		return 0, err
	}
	if e := p.raw.Control(func(fd uintptr) { n, err = read(fd, b) }); e != nil {
		return 0, e
	}
	p.drained = n < len(b)
	return n, err
}

// read reads from a socket without waiting.
func read(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b) //nolint:gosec // a file descriptor
		switch {
		case err == nil && n == 0:
			return 0, io.EOF
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, os.ErrDeadlineExceeded
		case !errors.Is(err, syscall.EINTR):
			return 0, err
		}
	}
}

// take reads once and calls use with rest and what was read behind it. The
// buffer is only borrowed, and not while nothing comes.
func (p *patient) take(rest []byte, use func([]byte)) error {
	if p.raw == nil {
		return takeFrom(p, p.buffers, rest, use)
	}
	p.rest, p.use = rest, use
	var err error
	if p.pause == nil {
		err = p.raw.Read(p.try)
	} else if err = p.wait(); err == nil {
		err = p.raw.Control(p.once)
	}
	if err != nil {
		return err
	}
	return p.err
}

func (p *patient) once(fd uintptr) { p.try(fd) }

// try is one attempt to read; false means that nothing is there yet.
func (p *patient) try(fd uintptr) bool {
	buf := p.buffers.get()
	defer p.buffers.pool.Put(buf)
	head := copy(buf[:], p.rest)
	p.n, p.err = read(fd, buf[head:])
	p.drained = head+p.n < chunk
	if p.err == nil {
		p.use(buf[:head+p.n])
	}
	return !errors.Is(p.err, os.ErrDeadlineExceeded)
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
