package simwire

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Line is what is wrong with a cable, the same both ways. The zero Line is a
// good one.
type Line struct {
	Rate   int           // bits a second; 0: any
	Queue  time.Duration // of packets that wait for their turn at Rate; what waits longer is lost. 0 means 400 ms
	Loss   float64       // percent of the IP packets, at random
	Delay  time.Duration
	Jitter time.Duration // at most, added to Delay, another for every packet: they overtake each other
	TCP    int           // port; when set, nothing but TCP from and to it passes
}

const defaultQueue = 400 * time.Millisecond

// ParseLine reads "rate=300 loss=5 delay=20ms jitter=50ms tcp=443": the rate in kbit/s, each part optional.
func ParseLine(text string) (l Line, err error) {
	for part := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "rate":
			l.Rate, err = strconv.Atoi(value)
			l.Rate *= 1000
		case "queue":
			l.Queue, err = time.ParseDuration(value)
		case "loss":
			l.Loss, err = strconv.ParseFloat(value, 64)
		case "delay":
			l.Delay, err = time.ParseDuration(value)
		case "jitter":
			l.Jitter, err = time.ParseDuration(value)
		case "tcp":
			l.TCP, err = strconv.Atoi(value)
		default:
			err = fmt.Errorf("a line has no %q", name)
		}
		if err != nil {
			return Line{}, fmt.Errorf("line %q: %w", text, err)
		}
	}
	return l, nil
}

const (
	etherHeader = 14
	ipv4        = 0x0800
	arp         = 0x0806
	protocolTCP = 6
)

// etherType is that of a frame, 0 when it is too short to have one.
func etherType(frame []byte) uint16 {
	if len(frame) < etherHeader {
		return 0
	}
	return binary.BigEndian.Uint16(frame[12:])
}

// passes says whether the firewall lets a frame through.
func (l Line) passes(frame []byte) bool {
	if l.TCP == 0 || etherType(frame) == arp {
		return true
	}
	if etherType(frame) != ipv4 || len(frame) < etherHeader+20 {
		return false
	}
	packet := frame[etherHeader:]
	head := int(packet[0]&0x0f) * 4
	if packet[9] != protocolTCP || len(packet) < head+4 {
		return false
	}
	from, to := binary.BigEndian.Uint16(packet[head:]), binary.BigEndian.Uint16(packet[head+2:])
	return int(from) == l.TCP || int(to) == l.TCP
}
