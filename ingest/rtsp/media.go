package rtsp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

// ErrTransport is the error of a camera that does not send over UDP.
var ErrTransport = errors.New("the camera does not offer this transport")

// Handler takes a medium's packets, which are only borrowed, with the
// moment at which they were read, and the one of the read before: they came
// after it. No two calls of a client's handlers happen at the same time.
type Handler struct {
	RTP  func(b []byte, at, after time.Time)
	RTCP func(b []byte, at time.Time)
	Rest func() // called after each read; may be nil
}

// setup is a medium that was set up.
type setup struct {
	Handler
	link *udpLink // nil over TCP
}

// Setup asks for a medium. ErrTransport: not over UDP.
func (c *Client) Setup(ctx context.Context, d *description.Session, m *description.Media, h Handler) error {
	u, err := m.URL(d.BaseURL)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if u == nil {
		return fmt.Errorf("%w: control %q", ErrAnswer, m.Control)
	}
	s := &setup{Handler: h}
	ch := 2 * len(c.medias)
	ask := "RTP/AVP/TCP;unicast;interleaved=" + strconv.Itoa(ch) + "-" + strconv.Itoa(ch+1)
	if c.cfg.UDP {
		if s.link, err = listenUDP(c.conn.LocalAddr()); err != nil {
			return err
		}
		ask = fmt.Sprintf("RTP/AVP;unicast;client_port=%d-%d", s.link.port, s.link.port+1)
	}
	if err := c.setup(ctx, u, s, ask, ch); err != nil {
		s.close()
		return err
	}
	c.medias = append(c.medias, s)
	return nil
}

func (c *Client) setup(ctx context.Context, u *base.URL, s *setup, ask string, ch int) error {
	a, err := c.asking(ctx, base.Setup, u, base.Header{"Transport": {ask}})
	if a != nil && a.StatusCode == base.StatusUnsupportedTransport && c.cfg.UDP {
		return fmt.Errorf("%w: %w", ErrTransport, err)
	}
	if err != nil {
		return err
	}
	var t headers.Transport
	if v, ok := a.Header["Transport"]; ok {
		if err := t.Unmarshal(v); err != nil {
			return fmt.Errorf("%w: %w", ErrAnswer, err)
		}
	} else if !c.cfg.UDP {
		t.InterleavedIDs, t.Protocol = &[2]int{ch, ch + 1}, headers.TransportProtocolTCP
	}
	if c.cfg.UDP {
		if t.Protocol == headers.TransportProtocolTCP {
			return ErrTransport
		}
		s.link.toward(c.remote, t.ServerPorts)
		return nil
	}
	ids := [2]int{ch, ch + 1}
	if t.InterleavedIDs != nil {
		ids = *t.InterleavedIDs
	}
	return c.listen(ids, s)
}

// listen notes which channels carry the medium.
func (c *Client) listen(ids [2]int, s *setup) error {
	for i, f := range []func(b []byte){
		func(b []byte) { s.RTP(b, c.at(), c.before) },
		func(b []byte) { s.RTCP(b, c.at()) },
	} {
		if ids[i] < 0 || ids[i] > 255 {
			return fmt.Errorf("%w: channel %d", ErrAnswer, ids[i])
		}
		for len(c.channel) <= ids[i] {
			c.channel = append(c.channel, nil)
		}
		c.channel[ids[i]] = f
	}
	c.in.channels = len(c.channel)
	return nil
}

// Play asks for the media. They are handed out by Run, and the first ones by
// Play already.
func (c *Client) Play(ctx context.Context) error {
	for _, s := range c.medias {
		if s.link != nil {
			s.link.open()
		}
	}
	h := base.Header{"Range": {"npt=0.000-"}}
	if c.cfg.Range != "" {
		h["Range"] = base.HeaderValue{c.cfg.Range}
	}
	if strings.HasPrefix(c.cfg.Range, clockRange) {
		h["Require"] = base.HeaderValue{"onvif-replay"}
	}
	a, err := c.asking(ctx, base.Play, c.control, h)
	if err != nil {
		return err
	}
	c.begins = begins(strings.Join(a.Header["Range"], ""))
	c.alive.next = time.Now().Add(c.alive.period(c.cfg.UDP))
	return nil
}

// Run hands out the media until the connection ends, and returns why. It
// calls check about every period; an error of check ends Run. After Close it
// returns net.ErrClosed.
func (c *Client) Run(period time.Duration, check func(now time.Time) error) error {
	for _, s := range c.medias {
		if s.link != nil {
			s.link.start(c, s)
		}
	}
	defer c.udp.Wait()
	defer c.hangUp()
	if !c.cfg.UDP && c.cfg.Pause != nil {
		if err := c.plain.be(c.cfg.Pause); err != nil {
			return err
		}
	}
	var next, deadline time.Time
	for !c.closed.Load() {
		now := c.at()
		if now.After(next) {
			next = now.Add(period)
			if err := errors.Join(check(now), c.keepAliveDue(now), c.report()); err != nil {
				return err
			}
		}
		if c.plain.pause == nil && deadline.Sub(now) < period {
			deadline = now.Add(2 * period)
			if err := c.plain.SetReadDeadline(deadline); err != nil {
				return err
			}
		}
		if err := c.turn(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			if c.closed.Load() {
				break
			}
			return err
		}
	}
	return net.ErrClosed
}

// report sends receiver reports for media over UDP.
func (c *Client) report() error {
	for _, s := range c.medias {
		if s.link != nil {
			s.link.report()
		}
	}
	return nil
}

// Close ends the session: Run returns soon, within Config.Pause and a period.
// It may be called more than once and from any goroutine.
func (c *Client) Close() {
	if c.closed.Swap(true) {
		return
	}
	c.say.Lock()
	defer c.say.Unlock()
	if c.session != "" {
		if err := c.conn.SetWriteDeadline(time.Now().Add(time.Second)); err == nil {
			c.farewell()
		}
	}
	c.hangUp()
}

// farewell asks the camera to free what the session holds: some have few.
func (c *Client) farewell() {
	q := base.Request{Method: base.Teardown, URL: c.control, Header: base.Header{"CSeq": {strconv.Itoa(c.seq + 1000)}, "Session": {c.session}, "User-Agent": {agent}}}
	if c.sender != nil {
		c.sender.AddAuthorization(&q)
	}
	if text, err := q.Marshal(); err == nil {
		_, _ = c.conn.Write(text) // it is over either way
	}
}

func (c *Client) hangUp() {
	_ = c.plain.Close() // over TLS too: no farewell can be awaited
	for _, s := range c.medias {
		s.close()
	}
}

func (s *setup) close() {
	if s.link != nil {
		s.link.close()
	}
}
