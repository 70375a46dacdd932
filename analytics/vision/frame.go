package vision

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A message on the pipe is a 4-byte big-endian length, a JSON header, a
// 4-byte length and a payload. The caps bound what either side allocates for a
// peer that has gone mad; the worker is fed hostile pictures, so the
// service trusts its answers no further than this.
const (
	MaxHeader  = 1 << 20  // bytes; a reply with 300 boxes is about 60 kB
	MaxPayload = 32 << 20 // bytes; the largest access unit that is looked at; photos are smaller: ward.MaxPhoto
)

// ErrFrame is the error of a message that breaks the framing or its caps.
var ErrFrame = errors.New("vision: malformed message")

func writeFrame(w io.Writer, header, payload []byte) error {
	if len(header) > MaxHeader || len(payload) > MaxPayload {
		return fmt.Errorf("%w: %d + %d bytes", ErrFrame, len(header), len(payload))
	}
	// One write per message keeps a small one in one pipe buffer.
	b := make([]byte, 0, 8+len(header)+len(payload))
	b = binary.BigEndian.AppendUint32(b, uint32(len(header)))
	b = append(b, header...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	b = append(b, payload...)
	_, err := w.Write(b)
	return err
}

// writeMessage writes a header as JSON and its payload.
func writeMessage(w io.Writer, header any, payload []byte) error {
	h, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return writeFrame(w, h, payload)
}

// readMessage reads a message into header and returns its payload; io.EOF
// means that the peer has closed the pipe between two.
func readMessage(r io.Reader, header any) ([]byte, error) {
	h, p, err := readFrame(r)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(h, header); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return p, nil
}

// readFrame returns io.EOF only at a message boundary.
func readFrame(r io.Reader) (header, payload []byte, err error) {
	if header, err = readPart(r, MaxHeader); err != nil {
		return nil, nil, err
	}
	if payload, err = readPart(r, MaxPayload); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return header, payload, err
}

func readPart(r io.Reader, limit uint32) ([]byte, error) {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(n[:])
	if size > limit {
		return nil, fmt.Errorf("%w: %d bytes announced, %d allowed", ErrFrame, size, limit)
	}
	// Allocate as bytes arrive: an announced length costs the peer those bytes.
	var b []byte
	for uint32(len(b)) < size {
		n := min(size-uint32(len(b)), 1<<20)
		b = append(b, make([]byte, n)...)
		if _, err := io.ReadFull(r, b[uint32(len(b))-n:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return b, nil
}
