package rtsp

import (
	"bytes"
	"fmt"
)

func (x *Pictures) payload(b []byte, unit func([][]byte, uint32, bool)) error {
	if x.H265 {
		return x.payload265(b, unit)
	}
	if len(b) == 0 {
		return fmt.Errorf("empty: %w", errPayload)
	}
	switch kind := b[0] & 0x1f; {
	case kind == 28: // FU-A
		if len(b) < 2 {
			return fmt.Errorf("fragment of %d bytes: %w", len(b), errPayload)
		}
		return x.fragment([2]byte{b[0]&0xe0 | b[1]&0x1f}, b[2:], b[1]&0x80 != 0, b[1]&0x40 != 0, unit)
	case kind == 24: // STAP-A
		x.abandon()
		return x.aggregate(b[1:], unit)
	case kind > 24:
		x.abandon()
		return fmt.Errorf("packet type %d: %w", kind, errPayload)
	}
	x.abandon()
	x.whole(b, unit)
	return nil
}

func (x *Pictures) payload265(b []byte, unit func([][]byte, uint32, bool)) error {
	if len(b) < 2 {
		return fmt.Errorf("%d bytes: %w", len(b), errPayload)
	}
	switch kind := b[0] >> 1 & 0x3f; {
	case kind == 49: // FU
		if len(b) < 3 {
			return fmt.Errorf("fragment of %d bytes: %w", len(b), errPayload)
		}
		return x.fragment([2]byte{b[0]&0x81 | b[2]&0x3f<<1, b[1]}, b[3:], b[2]&0x80 != 0, b[2]&0x40 != 0, unit)
	case kind == 48: // AP
		x.abandon()
		return x.aggregate(b[2:], unit)
	case kind > 49:
		x.abandon()
		return fmt.Errorf("packet type %d: %w", kind, errPayload)
	}
	x.abandon()
	x.whole(b, unit)
	return nil
}

// fragment takes a part of a NAL unit whose header is head.
func (x *Pictures) fragment(head [2]byte, b []byte, start, end bool, unit func([][]byte, uint32, bool)) error {
	if start {
		x.abandon()
		n := 1
		if x.H265 {
			n = 2
		}
		if x.picture && !x.markers {
			x.before(append(head[:n:n], b[:min(len(b), 2)]...), unit)
		}
		x.room()
		x.open = len(x.buf)
		x.buf = append(x.buf, head[:n]...)
	}
	if x.open < 0 {
		x.broken = true
		return fmt.Errorf("a fragment without a beginning: %w", errPayload)
	}
	x.buf = append(x.buf, b...)
	if end {
		from := x.open
		x.open = -1
		x.add(from)
	}
	return nil
}

func (x *Pictures) aggregate(b []byte, unit func([][]byte, uint32, bool)) error {
	for len(b) > 0 {
		if len(b) < 2 {
			return fmt.Errorf("aggregate: %w", errPayload)
		}
		n := int(b[0])<<8 | int(b[1])
		b = b[2:]
		if n == 0 && len(bytes.Trim(b, "\x00")) == 0 {
			return nil // padding
		}
		if n == 0 || n > len(b) {
			return fmt.Errorf("aggregate: %w", errPayload)
		}
		x.whole(b[:n], unit)
		b = b[n:]
	}
	return nil
}
