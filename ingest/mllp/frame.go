package mllp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The bytes around a message.
const (
	frameBegin  = 0x0b
	frameEnd    = 0x1c
	frameReturn = 0x0d
)

var (
	errEnd    = errors.New("the sender hung up")
	errFrame  = errors.New("what came is no MLLP frame")
	errTooBig = fmt.Errorf("a frame has more than %d bytes", maxFrame)
)

// readFrame reads one message. first: nothing came yet, the handshake of TLS neither.
func readFrame(ctx context.Context, c net.Conn, r *bufio.Reader, first bool) ([]byte, error) {
	wait := idleLimit
	if first {
		wait = frameLimit
	}
	if err := deadline(ctx, c, wait); err != nil {
		return nil, err
	}
	switch b, err := r.ReadByte(); {
	case errors.Is(err, io.EOF):
		return nil, errEnd
	case err != nil:
		return nil, err
	case b != frameBegin:
		return nil, errFrame
	}
	if err := deadline(ctx, c, frameLimit); err != nil {
		return nil, err
	}
	var raw []byte
	for {
		part, err := r.ReadSlice(frameEnd)
		raw = append(raw, part...)
		if len(raw) > maxFrame {
			return nil, errTooBig
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		break
	}
	if b, err := r.ReadByte(); err != nil || b != frameReturn {
		return nil, errors.Join(errFrame, err)
	}
	return raw[:len(raw)-1], nil
}

// deadline bounds the next reads, unless the server stops.
func deadline(ctx context.Context, c net.Conn, d time.Duration) error {
	if err := c.SetReadDeadline(time.Now().Add(d)); err != nil {
		return err
	}
	if ctx.Err() != nil { // it may have been set past now
		return errEnd
	}
	return nil
}

func frame(b []byte) []byte {
	return append(append([]byte{frameBegin}, b...), frameEnd, frameReturn)
}
