package rtsp

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

const (
	// magic begins an interleaved packet (RFC 2326 10.12).
	magic = '$'
	// maxMessage bounds an RTSP message, in bytes. Descriptions take 1 to 4 kB.
	maxMessage = 60 << 10
)

var errMessage = errors.New("an RTSP message that is no such thing")

// splitter takes the bytes of a connection apart into interleaved packets
// and RTSP messages. What is neither is skipped.
type splitter struct {
	rest     []byte // of a packet or message that is not complete
	channels int    // channels below it are in use
	packet   func(channel int, b []byte)
	message  func(b []byte) error
	lost     bool // bytes were skipped: a packet must look like one
	err      error
}

// use takes b apart and keeps its end for the next time. b begins with rest.
func (s *splitter) use(b []byte) {
	for len(b) > 0 && s.err == nil {
		n, err := s.one(b)
		if err != nil {
			s.err = err
			return
		}
		if n == 0 {
			break
		}
		b = b[n:]
	}
	// A rest is seldom more than a packet; a large one is not kept for long.
	if cap(s.rest) > 4<<10 && len(b) < 2<<10 {
		s.rest = nil
	}
	s.rest = append(s.rest[:0], b...)
}

// one handles what b begins with, and returns its length; 0 if b is too short.
func (s *splitter) one(b []byte) (int, error) {
	switch {
	case b[0] == magic:
		if len(b) < 4 {
			return 0, nil
		}
		n := 4 + (int(b[2])<<8 | int(b[3]))
		if s.lost && (int(b[1]) >= s.channels || n < 12 || len(b) > 4 && b[4]>>6 != 2) {
			return 1, nil
		}
		if len(b) < n {
			return 0, nil
		}
		s.lost = false
		s.packet(int(b[1]), b[4:n])
		return n, nil
	case b[0] >= 'A' && b[0] <= 'Z':
		n, err := messageLen(b)
		if n < 0 {
			s.lost = true
			return 1, nil
		}
		if n == 0 || err != nil {
			return 0, err
		}
		s.lost = false
		return n, s.message(b[:n])
	}
	s.lost = true
	return 1, nil
}

// messageLen returns the length of the RTSP message that b begins with, 0
// when b is too short to tell, -1 when it begins with none.
func messageLen(b []byte) (int, error) {
	line, _, whole := bytes.Cut(b[:min(len(b), 2048)], []byte("\n"))
	if whole && !bytes.Contains(line, []byte("RTSP/")) || !whole && len(b) >= 2048 {
		return -1, nil
	}
	if i := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\r' && r != '\t' || r == 0xfffd }); i >= 0 {
		return -1, nil
	}
	head, _, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		if len(b) > maxMessage {
			return 0, fmt.Errorf("more than %d bytes: %w", maxMessage, errMessage)
		}
		return 0, nil
	}
	n := len(head) + 4
	for line := range bytes.Lines(head) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if !bytes.EqualFold(bytes.TrimSpace(key), []byte("Content-Length")) {
			continue
		}
		size, err := strconv.Atoi(string(bytes.TrimSpace(value)))
		if err != nil || size < 0 || size > maxMessage-n {
			return 0, fmt.Errorf("content length %q: %w", bytes.TrimSpace(value), errMessage)
		}
		n += size
		break
	}
	if len(b) < n {
		return 0, nil
	}
	return n, nil
}
