package rtsp

import (
	"bytes"
	"errors"
)

const (
	// maxUnit bounds a picture, in bytes: 4K key frames stay below 4 MB.
	maxUnit = 8 << 20
	// maxNALs bounds the NAL units of a picture.
	maxNALs = 1024
)

var (
	errPayload = errors.New("a payload that RFC 6184 or RFC 7798 does not know")
	errLong    = errors.New("a picture without an end")
)

// Pictures puts access units of H.264 (RFC 6184) or H.265 (RFC 7798) together
// from packets in order. NAL units come out byte by byte as they came in, and
// in their order; one of which a packet is missing is left out.
//
// A unit ends with the marker, or where the time stamp changes, or, from a
// camera that uses neither, where a NAL unit begins the next picture. A marker
// on parameter sets alone, which some cameras set, ends nothing.
//
// A unit is put together in a buffer that is only borrowed, and handed out in
// one of its own size: what is recorded keeps it for a second.
type Pictures struct {
	H265    bool
	Buffers *Buffers // nil: its own

	ts      uint32
	buf     []byte       // of the unit so far
	bench   *[chunk]byte // borrowed; holds buf unless that is too long; nil: none
	nals    []span
	open    int  // where the fragmented NAL unit in work begins; -1: none
	picture bool // there is a slice among nals
	markers bool // the camera sets them
	broken  bool // a part of the unit was left out
}

type span struct{ from, to int }

// Push takes a packet; lost says that packets before it are missing. unit is
// called for each access unit that ends with or before p; it may keep au.
// broken says that a part of it is missing.
func (x *Pictures) Push(p *Packet, lost bool, unit func(au [][]byte, ts uint32, broken bool)) error {
	if x.buf == nil && len(x.nals) == 0 {
		x.open = -1
	}
	if lost {
		x.abandon()
	}
	if p.Timestamp != x.ts && (len(x.nals) > 0 || x.open >= 0) {
		x.abandon()
		x.finish(unit)
	}
	x.ts = p.Timestamp
	err := x.payload(p.Payload, unit)
	if err != nil {
		x.broken = true
	}
	if len(x.buf) > maxUnit || len(x.nals) > maxNALs {
		x.nals = nil
		x.clear()
		x.broken = true
		return errLong
	}
	if p.Marker && x.picture {
		x.markers = true
		x.abandon()
		x.finish(unit)
	}
	return err
}

// Reset forgets the unit in work, and says whether there was one.
func (x *Pictures) Reset() bool {
	had := len(x.nals) > 0 || x.open >= 0 && len(x.buf) > 0
	x.clear()
	return had
}

// clear makes room for the next unit.
func (x *Pictures) clear() {
	x.giveBack()
	x.buf, x.nals, x.open, x.picture, x.broken = nil, x.nals[:0], -1, false, false
}

func (x *Pictures) giveBack() {
	if x.bench != nil {
		x.Buffers.pool.Put(x.bench)
		x.bench = nil
	}
}

// Rest gives the borrowed buffer back while nothing comes.
func (x *Pictures) Rest() {
	if x.bench == nil {
		return
	}
	if x.buf = bytes.Clone(x.buf); len(x.buf) == 0 {
		x.buf = nil
	}
	x.giveBack()
}

func (x *Pictures) whole(nal []byte, unit func([][]byte, uint32, bool)) {
	x.before(nal[:min(len(nal), 3)], unit)
	x.room()
	from := len(x.buf)
	x.buf = append(x.buf, nal...)
	x.add(from)
}

// room borrows a buffer for a unit that begins.
func (x *Pictures) room() {
	if x.buf != nil {
		return
	}
	if x.Buffers == nil {
		x.Buffers = &Buffers{}
	}
	x.bench = x.Buffers.get()
	x.buf = x.bench[:0]
}

// before ends the unit if a NAL unit that begins with head starts the next
// picture and the camera does not mark the end of one.
func (x *Pictures) before(head []byte, unit func([][]byte, uint32, bool)) {
	if x.picture && !x.markers && x.starts(head) {
		x.finish(unit)
	}
}

// starts says whether a NAL unit is the first of an access unit, given that a
// picture came before (ITU-T H.264 7.4.1.2.3, H.265 7.4.2.4.4).
func (x *Pictures) starts(head []byte) bool {
	if x.H265 {
		kind := head[0] >> 1 & 0x3f
		return kind >= 32 && kind <= 35 || kind == 39 || kind < 32 && len(head) > 2 && head[2]&0x80 != 0
	}
	kind := head[0] & 0x1f
	return kind >= 6 && kind <= 9 || (kind == 1 || kind == 5) && len(head) > 1 && head[1]&0x80 != 0
}

func (x *Pictures) slice(first byte) bool {
	if x.H265 {
		return first>>1&0x3f < 32
	}
	kind := first & 0x1f
	return kind >= 1 && kind <= 5
}

// add notes the NAL unit that begins at from and has just ended. Some cameras
// send several, with the start codes that belong into files.
func (x *Pictures) add(from int) {
	if !joined(x.buf[from:], x.slice(x.buf[from])) {
		x.nals = append(x.nals, span{from, len(x.buf)})
		x.picture = x.picture || x.slice(x.buf[from])
		return
	}
	for _, n := range apart(x.buf[from:]) {
		s := span{from + n.from, from + n.to}
		if s.from == s.to {
			continue
		}
		x.nals = append(x.nals, s)
		x.picture = x.picture || x.slice(x.buf[s.from])
	}
}

var startCode = []byte{0, 0, 1}

// joined says whether there are start codes in b. In a slice only a leading
// one is looked for: its bytes are many, and nothing follows it in practice.
func joined(b []byte, slice bool) bool {
	if slice {
		return bytes.HasPrefix(b, startCode) || bytes.HasPrefix(b, []byte{0, 0, 0, 1})
	}
	return bytes.Contains(b, startCode)
}

// apart returns the NAL units between start codes.
func apart(b []byte) []span {
	var all []span
	for from := 0; from <= len(b); {
		n := bytes.Index(b[from:], startCode)
		if n < 0 {
			return append(all, span{from, len(b)})
		}
		to := from + n
		for to > from && b[to-1] == 0 {
			to--
		}
		all = append(all, span{from, to})
		from += n + 3
	}
	return all
}

// abandon drops a fragmented NAL unit that will not be completed.
func (x *Pictures) abandon() {
	if x.open >= 0 {
		x.buf, x.open, x.broken = x.buf[:x.open], -1, true
	}
}

func (x *Pictures) finish(unit func([][]byte, uint32, bool)) {
	if len(x.nals) > 0 {
		if x.bench != nil && len(x.buf) <= chunk || cap(x.buf) > len(x.buf)+len(x.buf)/4+1024 {
			x.buf = bytes.Clone(x.buf)
		}
		au := make([][]byte, 0, len(x.nals))
		for _, n := range x.nals {
			au = append(au, x.buf[n.from:n.to:n.to])
		}
		unit(au, x.ts, x.broken)
	}
	x.clear()
}
