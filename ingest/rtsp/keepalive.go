package rtsp

import (
	"slices"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

const (
	// defaultTimeout is a session's when the camera names none (RFC 2326 12.37).
	defaultTimeout = 60 * time.Second
	// udpKeepAlive is for firewalls and NAT between us and the camera, which
	// forget a UDP flow after 30 s.
	udpKeepAlive = 25 * time.Second
)

// keepAlive tells the camera, at 0.8 of the time after which it would end
// the session, that somebody is still there.
type keepAlive struct {
	timeout time.Duration // that the camera announced; 0: none
	methods []base.Method // the ones to try, best first
	next    time.Time
	asked   int  // number of the last request; 0: it was answered
	retried bool // with new credentials, since the last that was sent on time
}

// offer orders the methods by what the camera says it knows. GET_PARAMETER
// is first: some servers count nothing else as a sign of life. OPTIONS is
// what every server must know. Cameras that offer the first may yet refuse
// it, with 454 or 405 or 501: then the next is used.
func (k *keepAlive) offer(public base.HeaderValue) {
	k.methods = []base.Method{base.Options, base.GetParameter, base.SetParameter}
	known := strings.Split(strings.ToUpper(strings.Join(public, ",")), ",")
	if slices.ContainsFunc(known, func(m string) bool { return strings.TrimSpace(m) == string(base.GetParameter) }) {
		k.methods = []base.Method{base.GetParameter, base.Options, base.SetParameter}
	}
}

func (k *keepAlive) period(udp bool) time.Duration {
	t := k.timeout
	if t == 0 {
		t = defaultTimeout
	}
	t = t * 8 / 10
	if udp {
		t = min(t, udpKeepAlive)
	}
	return t
}

// answered says whether seq is of a keep-alive. Other answers' numbers are not.
func (k *keepAlive) answered(seq int, a *base.Response) bool {
	if k.asked == 0 || seq != k.asked {
		return false
	}
	k.asked = 0
	return a != nil
}

// keepAliveDue sends a sign of life when it is time for one. It does not
// wait for the answer, which some cameras never give.
func (c *Client) keepAliveDue(now time.Time) error {
	if now.Before(c.alive.next) {
		return nil
	}
	c.alive.next = now.Add(c.alive.period(c.cfg.UDP))
	c.alive.retried = false
	return c.signOfLife()
}

func (c *Client) signOfLife() error {
	seq, err := c.send(c.alive.methods[0], c.control, nil)
	c.alive.asked = seq
	return err
}

// keptAlive takes the answer to a sign of life. A refusal does not end the
// session: only missing media do. The next method is tried at once, since
// the camera may be about to give up.
func (c *Client) keptAlive(a *base.Response) error {
	switch {
	case a.StatusCode == base.StatusOK:
		return nil
	case a.StatusCode == base.StatusUnauthorized && !c.alive.retried && c.authorize(a, false):
		c.alive.retried = true // the nonce was too old
		return c.signOfLife()
	case len(c.alive.methods) > 1:
		c.alive.methods = c.alive.methods[1:]
		return c.signOfLife()
	}
	return nil
}
