package ingest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/bluenviron/gortsplib/v4/pkg/base"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
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

// fail gives an error of the RTSP client its cause.
func fail(err error) error {
	if _, ok := errors.AsType[*failure](err); ok {
		return err
	}
	cause := ward.CauseGarbage // an answer that is no RTSP, no SDP, no TLS
	var netErr net.Error
	status, refused := errors.AsType[*rtsp.StatusError](err)
	switch {
	case refused:
		cause = causeOfStatus(status.Code)
	case errors.Is(err, rtsp.ErrAnswer):
	case errors.Is(err, rtsp.ErrElsewhere), errors.Is(err, rtsp.ErrTransport), errors.Is(err, ErrGuarded), errors.As(err, new(*UntrustedError)),
		errors.As(err, &netErr), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.As(err, new(*os.SyscallError)), isErrno(err):
		cause = ward.CauseUnreachable
	}
	return &failure{cause, err}
}

func causeOfStatus(code base.StatusCode) ward.Cause {
	switch code { //nolint:exhaustive // the rest is alike
	case base.StatusUnauthorized, base.StatusForbidden:
		return ward.CauseAuth
	case base.StatusNotFound:
		return ward.CauseNotFound
	case base.StatusNotEnoughBandwidth, base.StatusServiceUnavailable: // how cameras say that all their sessions are taken
		return ward.CauseBusy
	}
	return ward.CauseUnreachable
}

// isErrno says whether err is the system's: a connection that was reset.
func isErrno(err error) bool {
	_, ok := errors.AsType[syscall.Errno](err)
	return ok
}
