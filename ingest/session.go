package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
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
	case errors.Is(err, errElsewhere):
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

// session is one RTSP connection, from DESCRIBE until it fails.
type session struct {
	cam    ward.Camera
	stall  time.Duration
	log    *slog.Logger
	stats  *counters
	noKey  chan struct{} // has room for one: the recorder waits in vain for a key frame
	client *gortsplib.Client

	lastPacket atomic.Int64 // of any media, µs since 1970
	lastUnit   atomic.Int64 // of video
	firstUnit  atomic.Int64 // of video; 0 before
}

// run connects, calls live with the stream once media may flow, and returns
// why the session ended. The stream is closed by then. It returns ctx's
// error when ctx ended.
func (s *session) run(ctx context.Context, live func(*Stream)) error {
	u, err := s.url()
	if err != nil {
		return err
	}
	dial := &sameHost{dial: (&net.Dialer{}).DialContext}
	s.client = &gortsplib.Client{
		Scheme: u.Scheme, Host: u.Host, Transport: transportOf(s.cam.Transport), UDPReadBufferSize: udpReadBuffer, InitialUDPReadTimeout: firstUDP,
		ReadTimeout: s.stall, WriteTimeout: s.stall, AnyPortEnable: true, UserAgent: "wardwatch", DialContext: dial.DialContext,
		OnPacketsLost:     func(uint64) {}, // counted per track
		OnDecodeError:     func(error) { s.stats.garbage.Add(1) },
		OnTransportSwitch: func(error) { s.log.InfoContext(ctx, "no media over UDP, using TCP") },
	}
	if err = s.client.Start2(); err != nil {
		return fail(err)
	}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.client.Close()
		close(closed)
	})
	defer func() {
		if !stop() {
			<-closed
			return
		}
		s.client.Close()
	}()
	stream, err := s.play(u)
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	defer stream.Close()
	live(stream)
	return s.watch(ctx)
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
func (s *session) play(u *base.URL) (*Stream, error) {
	desc, _, err := s.client.Describe(u)
	if err != nil {
		return nil, fail(err)
	}
	taps := s.choose(desc)
	if len(taps) == 0 || !taps[0].track.Video() {
		return nil, &failure{ward.CauseCodec, fmt.Errorf("no video that can be recorded among %s", formatsOf(desc))}
	}
	tracks := make([]Track, 0, len(taps))
	for i, t := range taps {
		t.track.ID = i + 1
		tracks = append(tracks, t.track)
		if _, err := s.client.Setup(desc.BaseURL, t.media, 0, 0); err != nil {
			return nil, fail(err)
		}
	}
	stream := NewStream(ward.Source{Kind: ward.FromCamera, ID: string(s.cam.ID)}, s.cam.InstitutionID, tracks)
	for _, t := range taps {
		t.listen(s, stream)
	}
	s.lastPacket.Store(time.Now().UnixMicro())
	s.lastUnit.Store(time.Now().UnixMicro())
	if _, err := s.client.Play(nil); err != nil {
		stream.Close()
		return nil, fail(err)
	}
	return stream, nil
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

// watch waits for the end of the session: the client's error, no packet for
// the stall time, or packets that make no picture.
func (s *session) watch(ctx context.Context) error {
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
