package rtsp

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

// send sends a request and returns its number.
func (c *Client) send(m base.Method, u *base.URL, h base.Header) (int, error) {
	c.say.Lock()
	defer c.say.Unlock()
	c.seq++
	q := base.Request{Method: m, URL: u, Header: base.Header{"CSeq": {strconv.Itoa(c.seq)}, "User-Agent": {agent}}}
	maps.Copy(q.Header, h)
	if c.session != "" {
		q.Header["Session"] = base.HeaderValue{c.session}
	}
	if c.sender != nil {
		c.sender.AddAuthorization(&q)
	}
	text, err := q.Marshal()
	if err != nil {
		return 0, fmt.Errorf("ask %s: %w", m, err)
	}
	return c.seq, c.write(text)
}

// do sends a request and waits for its answer, with credentials if the
// camera asks for them.
func (c *Client) do(ctx context.Context, m base.Method, u *base.URL, h base.Header) (*base.Response, error) {
	var a *base.Response
	for try := 0; ; try++ {
		var err error
		if a, err = c.once(ctx, m, u, h); err != nil {
			return nil, fmt.Errorf("ask %s: %w", m, err)
		}
		if a.StatusCode != base.StatusUnauthorized || try == 2 || !c.authorize(a, try > 0) {
			break
		}
	}
	var s headers.Session
	if v, ok := a.Header["Session"]; ok && s.Unmarshal(v) == nil {
		c.say.Lock()
		c.session = s.Session
		c.say.Unlock()
		if s.Timeout != nil && *s.Timeout > 0 {
			c.alive.timeout = time.Duration(min(*s.Timeout, 3600)) * time.Second
		}
	}
	return a, nil
}

// once sends a request and waits for its answer.
func (c *Client) once(ctx context.Context, m base.Method, u *base.URL, h base.Header) (*base.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	end := time.Now().Add(c.cfg.Timeout)
	if err := c.plain.SetReadDeadline(end); err != nil {
		return nil, err
	}
	// The connection knows nothing of ctx.
	stop := context.AfterFunc(ctx, func() { _ = c.plain.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	c.answer = nil
	if _, err := c.send(m, u, h); err != nil {
		return nil, err
	}
	for c.answer == nil {
		err := c.turn()
		if err == nil && time.Now().After(end) { // media come, and no answer
			err = context.DeadlineExceeded
		}
		switch {
		case err != nil && ctx.Err() == nil && c.in.lost:
			return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
		case err != nil:
			return nil, errors.Join(ctx.Err(), err)
		}
	}
	return c.answer, nil
}

// authorize takes up the camera's challenge, and says whether asking again
// can help: not when the same credentials were just refused.
func (c *Client) authorize(a *base.Response, again bool) bool {
	if c.cfg.User == "" && c.cfg.Password == "" {
		return false
	}
	if again && !stale(a.Header["WWW-Authenticate"]) {
		return false
	}
	s := &auth.Sender{WWWAuth: a.Header["WWW-Authenticate"], User: c.cfg.User, Pass: c.cfg.Password}
	if s.Initialize() != nil {
		return false
	}
	c.say.Lock()
	defer c.say.Unlock()
	c.sender = s
	return true
}

// stale says whether a challenge refuses the nonce only, not the credentials.
// Cameras quote the word or not, and put blanks around it.
func stale(challenge base.HeaderValue) bool {
	bare := strings.NewReplacer(" ", "", `"`, "").Replace(strings.Join(challenge, ","))
	return strings.Contains(strings.ToLower(bare), "stale=true")
}

// asking is do for requests that must succeed.
func (c *Client) asking(ctx context.Context, m base.Method, u *base.URL, h base.Header) (*base.Response, error) {
	a, err := c.do(ctx, m, u, h)
	if err == nil && a.StatusCode != base.StatusOK {
		return a, &StatusError{m, a.StatusCode, a.StatusMessage}
	}
	return a, err
}
