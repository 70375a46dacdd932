package simcam

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/auth"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
)

const (
	realm         = "IP Camera"
	controlPrefix = "trackID="
)

// handle answers one request; false ends the connection.
func (c *conn) handle(req *base.Request) bool {
	o := c.lookUp(req)
	if o == nil {
		if req.Method == base.Options { // of the server: *
			return c.answer(req, &base.Response{StatusCode: base.StatusOK, Header: base.Header{"Public": public(true)}})
		}
		return c.answer(req, &base.Response{StatusCode: base.StatusNotFound})
	}
	o.note(req.Method)
	c.camera = o
	f := o.faults.Load()
	c.rate.Store(int64(f.WriteRate))
	if c.session != nil {
		c.session.asked.Store(time.Now().UnixMicro())
	}
	if !f.on() || f.Answer == answerClose {
		return false
	}
	if f.Answer == answerNever {
		return true
	}
	if f.AnswerAfter > 0 && !c.wait(f.AnswerAfter) {
		return false
	}
	if f.Garbage == "rtsp" {
		return c.send(noise(200))
	}
	if f.Garbage == "endless_sdp" && req.Method == base.Describe {
		return c.endless(req, f)
	}
	res := c.respond(req, o, f)
	if !c.answer(req, res) {
		return false
	}
	if req.Method == base.Play && res.StatusCode == base.StatusOK {
		if p := c.replayed(req, o, f); p != nil {
			c.s.wg.Go(p.run)
		} else {
			c.session.play() // after the answer: no media before it
		}
	}
	if req.Method == base.Teardown {
		return c.send(nil) // hangs up once the answer is written
	}
	return true
}

// lookUp finds the camera that a request names; one for the session alone,
// such as a keep-alive, is for the session's camera.
func (c *conn) lookUp(req *base.Request) *outlet {
	if req.URL != nil {
		path, _, _ := strings.Cut(req.URL.Path, "/"+controlPrefix)
		if o, err := c.s.outlet(path); err == nil {
			return o
		}
	}
	if c.session != nil {
		return c.camera
	}
	return nil
}

func (c *conn) answer(req *base.Request, res *base.Response) bool {
	if res.Header == nil {
		res.Header = base.Header{}
	}
	res.Header["CSeq"] = req.Header["CSeq"]
	b, err := res.Marshal()
	return err == nil && c.send(b)
}

func (c *conn) respond(req *base.Request, o *outlet, f *setting) *base.Response {
	if res := c.challenge(req, o, f); res != nil && req.Method != base.Options {
		return res
	}
	switch req.Method {
	case base.Options:
		return &base.Response{StatusCode: base.StatusOK, Header: base.Header{"Public": public(f.GetParameter == 0 || f.GetParameter == 454)}}
	case base.Describe:
		c.card = asked(req.URL.RawQuery)
		return c.describe(req, o, f)
	case base.Setup:
		return c.setup(req, o, f)
	case base.Play:
		if c.session == nil {
			return &base.Response{StatusCode: base.StatusMethodNotValidInThisState}
		}
		return c.played(req, o, f)
	case base.GetParameter:
		if f.GetParameter != 0 {
			return &base.Response{StatusCode: base.StatusCode(f.GetParameter)}
		}
		return c.ok()
	case base.SetParameter, base.Teardown, base.Pause:
		return c.ok()
	case base.Announce, base.Record:
		return &base.Response{StatusCode: base.StatusMethodNotAllowed}
	default:
		return &base.Response{StatusCode: base.StatusNotImplemented}
	}
}

func (c *conn) ok() *base.Response {
	if c.session != nil {
		return c.session.response()
	}
	return &base.Response{StatusCode: base.StatusOK}
}

func public(getParameter bool) base.HeaderValue {
	methods := "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, TEARDOWN, SET_PARAMETER"
	if getParameter {
		methods += ", GET_PARAMETER"
	}
	return base.HeaderValue{methods}
}

// challenge is the answer to a request without the right credentials, nil to any other.
func (c *conn) challenge(req *base.Request, o *outlet, f *setting) *base.Response {
	if o.cam.User == "" {
		return nil
	}
	method, verified := auth.VerifyMethodDigestMD5, realm
	switch f.Auth {
	case "basic":
		method = auth.VerifyMethodBasic
	case "sha256":
		method = auth.VerifyMethodDigestSHA256
	case "wrong_realm":
		verified = "another realm"
	}
	methods := []auth.VerifyMethod{method}
	if auth.Verify(req, o.cam.User, o.cam.Password, methods, verified, c.nonce) == nil {
		return nil
	}
	return &base.Response{StatusCode: base.StatusUnauthorized, Header: base.Header{"WWW-Authenticate": auth.GenerateWWWAuthenticate(methods, realm, c.nonce)}}
}

func (c *conn) setup(req *base.Request, o *outlet, f *setting) *base.Response {
	_, control, _ := strings.Cut(req.URL.String(), "/"+controlPrefix)
	index, err := strconv.Atoi(control)
	if control == "" {
		index, err = 0, nil // of the stream as a whole: its first track
	}
	if err != nil || index < 0 || index >= len(o.tracks) && !f.OddCodec {
		return &base.Response{StatusCode: base.StatusNotFound}
	}
	var wanted headers.Transports
	if err := wanted.Unmarshal(req.Header["Transport"]); err != nil {
		return &base.Response{StatusCode: base.StatusBadRequest}
	}
	for _, t := range wanted {
		udp := t.Protocol == headers.TransportProtocolUDP
		multicast := t.Delivery != nil && *t.Delivery == headers.TransportDeliveryMulticast
		if t.Secure || multicast || udp && (c.secure || f.Transport == "tcp_only" || t.ClientPorts == nil) || !udp && f.Transport == "udp_only" {
			continue
		}
		if c.session == nil {
			c.session = newSession(c, o, f)
		}
		if !o.join(c.session) {
			return &base.Response{StatusCode: base.StatusNotEnoughBandwidth}
		}
		res := c.session.response()
		res.Header["Transport"] = c.session.add(index, t).Marshal()
		return res
	}
	return &base.Response{StatusCode: base.StatusUnsupportedTransport}
}

// session headers name a session and its timeout.
func (v *session) response() *base.Response {
	seconds := uint(max(1, v.timeout/time.Second)) //nolint:gosec // a few seconds
	return &base.Response{StatusCode: base.StatusOK, Header: base.Header{"Session": headers.Session{Session: v.id, Timeout: &seconds}.Marshal()}}
}

// endless answers DESCRIBE with a description that never ends.
func (c *conn) endless(req *base.Request, f *setting) bool {
	head := fmt.Sprintf("RTSP/1.0 200 OK\r\nCSeq: %s\r\nContent-Type: application/sdp\r\nContent-Length: 2147483647\r\n\r\nv=0\r\n", strings.Join(req.Header["CSeq"], ""))
	for b := []byte(head); c.send(b); b = []byte("a=x-" + strconv.Itoa(rand.Int()) + ":and so on\r\n") { //nolint:gosec // noise
		if !f.on() {
			return false
		}
	}
	return false
}
