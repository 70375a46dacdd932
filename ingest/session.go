package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"wardwatch/ward"
)

const (
	// udpReadBuffer is the socket buffer: with the default of the kernel,
	// 108 packets were lost in 20 s at 4 Mbit/s.
	udpReadBuffer = 2 << 20
	// DefaultStall is how long a camera may send no media before it is dropped.
	DefaultStall = 10 * time.Second
	// firstUDP is how long the first UDP packet may take before TCP is tried.
	firstUDP = 3 * time.Second
)

// failure is an error with its cause for the gap row. Its text holds no
// credentials.
type failure struct {
	cause ward.Cause
	err   error
}

func (f *failure) Error() string { return string(f.cause) + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// causeOf is the cause of a session's error.
func causeOf(err error) ward.Cause {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.cause
	}
	return ward.CauseUnreachable
}

// fail maps an error of the RTSP client.
func fail(err error) error {
	var cause ward.Cause
	var status liberrors.ErrClientBadStatusCode
	var netErr net.Error
	switch {
	case errors.Is(err, errElsewhere), errors.Is(err, ErrGuarded), errors.As(err, new(*UntrustedError)):
		cause = ward.CauseUnreachable
	case errors.As(err, &status):
		switch status.Code { //nolint:exhaustive // the rest is alike
		case base.StatusUnauthorized, base.StatusForbidden:
			cause = ward.CauseAuth
		case base.StatusNotFound:
			cause = ward.CauseNotFound
		default:
			cause = ward.CauseUnreachable
		}
	case errors.As(err, &liberrors.ErrClientAuthSetup{}):
		cause = ward.CauseAuth
	case errors.As(err, &liberrors.ErrClientUDPTimeout{}), errors.As(err, &liberrors.ErrClientTCPTimeout{}):
		cause = ward.CauseStalled
	case errors.As(err, &netErr), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, context.DeadlineExceeded), errors.As(err, &liberrors.ErrClientRequestTimedOut{}), errors.As(err, &liberrors.ErrClientTerminated{}):
		cause = ward.CauseUnreachable
	default:
		cause = ward.CauseGarbage // an answer that is no RTSP, no SDP
	}
	return &failure{cause, err}
}

// This is the one way to a camera. The recorder, the probe and sub streams do
//
//	s, err := f.open(ctx, cam, opening{})
//	if err != nil {
//		return causeOf(err) // and errors.Is/As for more: net.DNSError, syscall.ECONNREFUSED, ErrGuarded, errBusy, *UntrustedError
//	}
//	defer s.Close()
//	reader := s.Stream.Subscribe(depth, true)
//	...
//	err = s.Wait(ctx)
//
// open takes cam's URL (put the sub stream's there), credentials, transport
// and certificate's fingerprint; it refuses what Fleet.Guard refuses, and a
// device with Fleet.PerDevice connections, and waits while too many sessions
// start. Errors hold no credentials.

// opening is what open may be told; the zero value is fine.
type opening struct {
	failed bool                                                                 // the last attempt did: do not keep the others waiting
	stats  *counters                                                            // nil: not counted
	step   func(step)                                                           // called before each step; for the probe
	event  func(kind ward.RecordingEventKind, off time.Duration, detail string) // called from the media's goroutine, must not block
}

// step is one of the things that open does, in this order. A step that is not
// needed is left out.
type step string

const (
	stepConnect  step = "connect"  // look the name up, connect, TLS
	stepDescribe step = "describe" // ask what there is: credentials, path, codec
	stepSetup    step = "setup"    // ports or channels
	stepPlay     step = "play"     // the media are on their way when it is done
)

// session is one RTSP connection with media. One goroutine uses it.
type session struct {
	Stream *Stream
	// Fingerprint is the SHA-256 of the certificate that an rtsps camera
	// showed, in hex; empty for rtsp.
	Fingerprint string

	cam    ward.Camera
	told   opening
	stall  time.Duration
	log    *slog.Logger
	noKey  chan struct{} // has room for one: the recorder waits in vain for a key frame
	client *gortsplib.Client
	leave  func() // gives the device's connection back

	lastPacket atomic.Int64 // of any media, µs since 1970
	lastUnit   atomic.Int64 // of video
	firstUnit  atomic.Int64 // of video; 0 before
}

// open connects to the camera and returns when its media are on their way.
// The caller must Close the session. ctx covers only the opening.
func (f *Fleet) open(ctx context.Context, cam ward.Camera, o opening) (*session, error) {
	s := &session{cam: cam, told: o, stall: f.Stall, log: f.logger().With("camera", cam.ID), noKey: make(chan struct{}, 1)}
	if s.stall <= 0 {
		s.stall = DefaultStall
	}
	if o.stats == nil {
		s.told.stats = &counters{}
	}
	u, err := s.url()
	if err != nil {
		return nil, err
	}
	d := f.doors()
	if s.leave, err = d.device(hostPort(u)); err != nil {
		return nil, err
	}
	started, err := d.start(ctx, o.failed)
	if err != nil {
		s.leave()
		return nil, err
	}
	defer started()
	if err := s.connect(ctx, u, f.Guard); err != nil {
		s.leave()
		return nil, errors.Join(ctx.Err(), err)
	}
	return s, nil
}

func (s *session) connect(ctx context.Context, u *base.URL, g *Guard) error {
	dial := &sameHost{dial: (&net.Dialer{Control: g.control}).DialContext}
	s.client = &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Transport: transportOf(s.cam.Transport), UDPReadBufferSize: udpReadBuffer, InitialUDPReadTimeout: firstUDP,
		ReadTimeout: s.stall, WriteTimeout: s.stall, AnyPortEnable: true, UserAgent: "wardwatch", DialContext: dial.DialContext,
		TLSConfig:     trust(u.Hostname(), s.cam.TLSFingerprint, func(shown string) { s.Fingerprint = shown }),
		OnPacketsLost: func(uint64) {}, // counted per track
		OnDecodeError: func(error) { s.told.stats.garbage.Add(1) },
		OnTransportSwitch: func(error) {
			s.tell(ward.OverTCP, 0, "no media over UDP")
		},
	}
	if err := s.client.Start2(); err != nil {
		return fail(err)
	}
	stop := context.AfterFunc(ctx, s.client.Close)
	err := s.play(u)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.client.Close()
	}
	return err
}

func (s *session) tell(kind ward.RecordingEventKind, off time.Duration, detail string) {
	if s.told.event != nil {
		s.told.event(kind, off, detail)
	}
}

func (s *session) doing(what step) {
	if s.told.step != nil {
		s.told.step(what)
	}
}

// Close ends the session and its stream, and gives the connection back. It
// may be called more than once.
func (s *session) Close() {
	s.client.Close()
	s.Stream.Close()
	s.leave()
}

func (s *session) url() (*base.URL, error) {
	u, err := base.ParseURL(s.cam.URL)
	if err != nil {
		return nil, &failure{ward.CauseUnreachable, errors.New("the camera's address cannot be parsed")}
	}
	if s.cam.User != "" || s.cam.Password != "" {
		u.User = url.UserPassword(s.cam.User, string(s.cam.Password))
	}
	return u, nil
}

// hostPort is where a camera's address leads.
func hostPort(u *base.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"rtsp": "554", "rtsps": "322"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

func transportOf(t ward.Transport) *gortsplib.Transport {
	var tp gortsplib.Transport
	switch t {
	case ward.TransportTCP:
		tp = gortsplib.TransportTCP
	case ward.TransportUDP:
		tp = gortsplib.TransportUDP
	case ward.TransportAuto:
		return nil
	}
	return &tp
}

// play sets up what can be recorded and starts the media.
func (s *session) play(u *base.URL) error {
	s.doing(stepConnect)
	desc, _, err := s.client.Describe(u)
	if err != nil {
		return fail(err)
	}
	taps := s.choose(desc)
	if len(taps) == 0 || !taps[0].track.Video() {
		return &failure{ward.CauseCodec, fmt.Errorf("no video that can be recorded among %s", formatsOf(desc))}
	}
	s.doing(stepSetup)
	tracks := make([]Track, 0, len(taps))
	for i, t := range taps {
		t.track.ID = i + 1
		tracks = append(tracks, t.track)
		if _, err := s.client.Setup(desc.BaseURL, t.media, 0, 0); err != nil {
			return fail(err)
		}
	}
	s.Stream = NewStream(ward.Source{Kind: ward.FromCamera, ID: string(s.cam.ID)}, s.cam.InstitutionID, tracks)
	for _, t := range taps {
		t.listen(s, s.Stream)
	}
	s.doing(stepPlay)
	s.lastPacket.Store(time.Now().UnixMicro())
	s.lastUnit.Store(time.Now().UnixMicro())
	if _, err := s.client.Play(nil); err != nil {
		s.Stream.Close()
		return fail(err)
	}
	return nil
}

func formatsOf(desc *description.Session) []string {
	var all []string
	for _, m := range desc.Medias {
		for _, f := range m.Formats {
			all = append(all, f.Codec())
		}
	}
	return all
}

// Wait waits for the end of the session: the client's error, no packet for
// the stall time, or packets that make no picture; or ctx's end, whose error
// it returns.
func (s *session) Wait(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- s.client.Wait() }() // ends at the latest with client.Close
	tick := time.NewTicker(s.stall / 20)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-ended:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fail(err)
		case <-s.noKey: // most cameras begin a connection with one
			return &failure{ward.CauseCodec, errors.New("no key frame for as long as ten segments, or 2 GB")}
		case now := <-tick.C:
			switch {
			case now.Sub(time.UnixMicro(s.lastPacket.Load())) > s.stall:
				return &failure{ward.CauseStalled, fmt.Errorf("no media for %s", s.stall)}
			case now.Sub(time.UnixMicro(s.lastUnit.Load())) > s.stall:
				return &failure{ward.CauseGarbage, fmt.Errorf("packets, and no picture for %s", s.stall)}
			}
		}
	}
}
