package rtsp

import (
	"encoding/binary"
	"errors"
	"time"
)

// Packet is an RTP packet (RFC 3550 5.1). Payload is borrowed.
type Packet struct {
	Type      uint8 // payload type
	Marker    bool
	Sequence  uint16
	Timestamp uint32
	SSRC      uint32
	Payload   []byte
}

var errPacket = errors.New("not an RTP packet")

// Parse reads b, which Payload then borrows.
func (p *Packet) Parse(b []byte) error {
	if len(b) < 12 || b[0]>>6 != 2 {
		return errPacket
	}
	p.Marker, p.Type = b[1]&0x80 != 0, b[1]&0x7f
	p.Sequence, p.Timestamp, p.SSRC = binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	at := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // a header extension
		if len(b) < at+4 {
			return errPacket
		}
		at += 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	}
	end := len(b)
	if b[0]&0x20 != 0 { // padding
		end -= int(b[end-1])
	}
	if at > end {
		return errPacket
	}
	p.Payload = b[at:end]
	return nil
}

// Report is what an RTCP sender report says of the camera's clock.
type Report struct {
	SSRC uint32
	NTP  time.Time // the camera's clock
	RTP  uint32    // the same moment on the media's clock
}

// FindReport returns the sender report in a compound RTCP packet (RFC 3550
// 6.4.1), if there is one that tells the time.
func FindReport(b []byte) (Report, bool) {
	for len(b) >= 4 && b[0]>>6 == 2 {
		n := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if n > len(b) {
			return Report{}, false
		}
		if b[1] == 200 && n >= 20 {
			ntp := binary.BigEndian.Uint64(b[8:])
			if ntp == 0 {
				return Report{}, false // RFC 3550: a sender without a clock
			}
			return Report{
				SSRC: binary.BigEndian.Uint32(b[4:]),
				NTP:  FromNTP(ntp),
				RTP:  binary.BigEndian.Uint32(b[16:]),
			}, true
		}
		b = b[n:]
	}
	return Report{}, false
}

// receiverReport is an RTCP receiver report that says that all is well with
// the sender; without it some cameras stop sending over UDP.
func receiverReport(own, sender uint32, last uint16) []byte {
	b := make([]byte, 32)
	b[0], b[1], b[3] = 2<<6|1, 201, 7
	binary.BigEndian.PutUint32(b[4:], own)
	binary.BigEndian.PutUint32(b[8:], sender)
	binary.BigEndian.PutUint32(b[16:], uint32(last))
	return b
}
