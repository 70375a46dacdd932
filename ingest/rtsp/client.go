package rtsp

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// agent is how the client calls itself.
const agent = "wardwatch"

// StatusError is the error of a camera that refused a request.
type StatusError struct {
	Method base.Method
	Code   base.StatusCode
	Text   string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("the camera answers %s with %d %q", e.Method, e.Code, e.Text)
}

// ErrAnswer is the error of a camera whose answers cannot be read.
var ErrAnswer = errors.New("the answer cannot be read")

// Config says where a camera is and how to talk to it.
type Config struct {
	URL      *base.URL // without credentials
	User     string
	Password string
	UDP      bool // media over UDP, not over the connection
	// Dial connects over TCP; it decides which addresses are allowed.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config // for rtsps
	// Timeout is how long one answer may take.
	Timeout time.Duration
	// Pause says how long media may gather now, at most, before they are read;
	// nil: they are read as they come.
	Pause   func() time.Duration
	Buffers *Buffers
	// Range is what Play asks for (RFC 2326 12.29); empty: what happens now.
	// With a clock range it is a replay of what the device stored (ONVIF
	// Streaming Specification 6).
	Range string
}

// Client is one connection to a camera. Call Connect, Describe, Setup, Play
// and Run in this order and from one goroutine; Close from any.
type Client struct {
	cfg    Config
	conn   net.Conn // for writing
	plain  *patient
	in     splitter
	read   func() error // reads once, into in
	remote net.IP

	say     sync.Mutex // guards the next four: Close says farewell from elsewhere
	control *base.URL  // of the session
	seq     int
	session string
	sender  *auth.Sender

	alive   keepAlive
	answer  *base.Response // to the request seq
	medias  []*setup
	channel []func([]byte)
	now     time.Time // when what is handled now was read
	before  time.Time // when what came before it was
	begins  time.Time // of what is replayed, as the answer to PLAY tells it

	mu     sync.Mutex // guards the handlers' state: media come from several goroutines over UDP
	udp    sync.WaitGroup
	closed atomic.Bool
}

// Connect connects. ctx covers everything until Run.
func Connect(ctx context.Context, cfg Config) (*Client, error) {
	c := &Client{cfg: cfg, control: cfg.URL}
	dialing, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	conn, err := cfg.Dial(dialing, "tcp", HostPort(cfg.URL))
	if err != nil {
		return nil, err
	}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		c.remote = a.IP
	}
	c.plain = newPatient(conn, cfg.Buffers)
	c.conn = c.plain
	c.in = splitter{packet: c.interleaved, message: c.heard}
	c.read = func() error { return c.plain.take(c.in.rest, c.in.use) }
	if cfg.URL.Scheme == "rtsps" {
		secure := tls.Client(c.plain, cfg.TLS)
		if err := secure.HandshakeContext(dialing); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		c.conn = secure
		c.read = func() error { return takeFrom(secure, cfg.Buffers, c.in.rest, c.in.use) }
	}
	return c, nil
}

// HostPort is where a camera's URL leads.
func HostPort(u *base.URL) string {
	port := u.Port()
	if port == "" {
		port = "554"
		if u.Scheme == "rtsps" {
			port = "322"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// turn reads once and handles what came.
func (c *Client) turn() error {
	c.before, c.now = c.at(), time.Time{}
	if err := c.read(); err != nil {
		return err
	}
	for _, s := range c.medias {
		if s.link == nil && s.Rest != nil {
			s.Rest()
		}
	}
	return c.in.err
}

// at is when what is handled now was read.
func (c *Client) at() time.Time {
	if c.now.IsZero() {
		c.now = time.Now()
	}
	return c.now
}

func (c *Client) interleaved(channel int, b []byte) {
	if channel < len(c.channel) && c.channel[channel] != nil {
		c.channel[channel](b)
	}
}

// heard takes an answer, or a request of the camera's.
func (c *Client) heard(b []byte) error {
	r := bufio.NewReader(bytes.NewReader(b))
	if !bytes.HasPrefix(b, []byte("RTSP/")) {
		var q base.Request
		if err := q.Unmarshal(r); err != nil {
			return nil //nolint:nilerr // not for us
		}
		return c.asked(&q)
	}
	var a base.Response
	if err := a.Unmarshal(r); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	seq, err := strconv.Atoi(strings.TrimSpace(strings.Join(a.Header["CSeq"], "")))
	if err == nil && c.alive.answered(seq, &a) {
		return c.keptAlive(&a)
	}
	if err != nil || seq == c.seq { // some cameras do not say what they answer
		c.answer = &a
	}
	return nil
}

// asked answers a request of the camera's.
func (c *Client) asked(q *base.Request) error {
	a := base.Response{StatusCode: base.StatusNotImplemented, StatusMessage: "Not Implemented", Header: base.Header{"User-Agent": {agent}}}
	switch q.Method { //nolint:exhaustive // the rest is not for clients
	case base.Options, base.GetParameter, base.SetParameter:
		a.StatusCode, a.StatusMessage = base.StatusOK, "OK"
	}
	if seq, ok := q.Header["CSeq"]; ok {
		a.Header["CSeq"] = seq
	}
	text, err := a.Marshal()
	if err != nil {
		return nil //nolint:nilerr // a header of the camera's that cannot be said back
	}
	return c.write(text)
}

func (c *Client) write(b []byte) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.cfg.Timeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(b)
	return err
}
