package rtsp

import (
	"bytes"
	"encoding/binary"
	"time"
)

const (
	// window is how many packets may overtake a missing one, and late how
	// long it is waited for.
	window = 64
	late   = 100 * time.Millisecond
)

// order puts a sender's packets in order and drops doubles; a packet that
// stays away is given up after window packets or late.
type order struct {
	begun  bool
	ssrc   uint32
	next   uint16 // the sequence number to hand out
	held   [window][]byte
	count  int
	since  time.Time // of the first one held
	behind int       // packets in a row that come too late
}

// push takes a packet and hands out what is next; out only borrows.
func (o *order) push(b []byte, at time.Time, out func([]byte)) {
	if len(b) < 12 {
		out(b)
		return
	}
	seq, ssrc := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	ahead := int(int16(seq - o.next)) //nolint:gosec // sequence numbers wrap
	switch {
	case !o.begun || ssrc != o.ssrc:
		o.flush(out)
		o.begun, o.ssrc, o.next, o.behind = true, ssrc, seq, 0
		ahead = 0
	case ahead < 0:
		if o.behind++; o.behind < window {
			return
		}
		o.flush(out) // it began to count anew
		o.next, ahead = seq, 0
	case ahead >= window:
		o.flush(out)
		o.next, ahead = seq, 0
	}
	o.behind = 0
	if ahead == 0 {
		out(b)
		o.next++
		o.run(out)
		o.since = at
		return
	}
	if i := seq % window; o.held[i] == nil {
		o.held[i] = bytes.Clone(b)
		o.count++
	}
	if o.count == 1 {
		o.since = at
	}
	if at.Sub(o.since) > late {
		o.flush(out)
	}
}

// run hands out what follows without a hole.
func (o *order) run(out func([]byte)) {
	for o.count > 0 {
		b := o.held[o.next%window]
		if b == nil {
			return
		}
		o.held[o.next%window] = nil
		o.count--
		out(b)
		o.next++
	}
}

// flush hands out all that is held, with its holes.
func (o *order) flush(out func([]byte)) {
	for o.count > 0 {
		if o.held[o.next%window] == nil {
			o.next++
			continue
		}
		o.run(out)
	}
}
