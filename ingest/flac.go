package ingest

import (
	"encoding/binary"
	"math/bits"
)

// G.711 has no sample entry in the MP4 registration authority's list, and no
// browser plays linear samples in MP4. FLAC is lossless, is registered
// ("Encapsulation of FLAC in ISO Base Media File Format") and plays
// everywhere. One RTP packet becomes one FLAC frame (RFC 9639).

const (
	flacOrders  = 5     // the fixed predictors 0 to 4, RFC 9639 §9.2.5
	flacMaxRice = 14    // 15 escapes
	flacBlock   = 65535 // the most samples of a frame
)

// flacEncoder writes frames of 16-bit samples. It keeps its memory from
// frame to frame.
type flacEncoder struct {
	rate, channels int

	residual []int32
	out      bitWriter
}

// frame returns a frame of the interleaved samples, at most flacBlock a
// channel; at is how many samples a channel came before it.
func (e *flacEncoder) frame(samples []int16, at int64) []byte {
	n := len(samples) / e.channels
	w := &e.out
	*w = bitWriter{b: make([]byte, 0, 32+len(samples)*2)}
	w.b = append(w.b, 0xff, 0xf9) // frames of varying length
	rate := byte(0)               // the stream's
	switch e.rate {
	case 8000:
		rate = 4
	case 16000:
		rate = 5
	}
	w.b = append(w.b, 0x70|rate, byte(e.channels-1)<<4|4<<1) // 16 bits of length; 16 bits a sample
	w.b = appendCoded(w.b, uint64(max(at, 0)))
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(n-1)) //nolint:gosec // at most flacBlock
	w.b = append(w.b, crc8(w.b))
	for c := range e.channels {
		e.subframe(samples[c:], n)
	}
	w.align()
	return binary.BigEndian.AppendUint16(w.b, crc16(w.b))
}

// subframe writes one channel: the samples s[0], s[channels], …
func (e *flacEncoder) subframe(s []int16, n int) {
	var all int32
	same := true
	for i := range n {
		v := int32(s[i*e.channels])
		all |= v
		same = same && v == int32(s[0])
	}
	if same {
		e.out.put(0, 8) // constant
		e.out.put(uint64(uint16(s[0])), 16)
		return
	}
	// G.711 leaves the low bits zero; those are not stored.
	waste := bits.TrailingZeros32(uint32(all))
	order, rice, size := e.predict(s, n, waste)
	width := 16 - waste
	if size >= n*width { // noise
		e.header(1, waste)
		for i := range n {
			e.out.put(uint64(uint32(s[i*e.channels]>>waste)), width)
		}
		return
	}
	e.header(8|order, waste)
	for i := range order {
		e.out.put(uint64(uint32(s[i*e.channels]>>waste)), width)
	}
	e.out.put(uint64(rice), 2+4+4) // Rice code of 4-bit parameters, one partition: 2 + 4 zero bits
	for _, r := range e.residual[:n-order] {
		folded := uint64(uint32(r<<1) ^ uint32(r>>31))
		e.out.put(0, int(folded>>rice))
		e.out.put(1, 1)
		e.out.put(folded, rice)
	}
}

func (e *flacEncoder) header(kind, waste int) {
	if waste == 0 {
		e.out.put(uint64(kind)<<1, 8)
		return
	}
	e.out.put(uint64(kind)<<1|1, 8)
	e.out.put(1, waste) // waste-1 in unary
}

// predict chooses the predictor with the smallest residual, leaves the latter
// in e.residual, and returns its Rice parameter and about its size in bits.
func (e *flacEncoder) predict(s []int16, n, waste int) (order, rice, size int) {
	var sums [flacOrders]uint64
	var last [flacOrders]int32 // differences of the orders, of the sample before
	for i := range n {
		d := int32(s[i*e.channels] >> waste)
		for o := range min(flacOrders, i+1) {
			sums[o] += uint64(max(d, -d))
			d, last[o] = d-last[o], d
		}
	}
	for o := range min(flacOrders, n) {
		if sums[o] < sums[order] {
			order = o
		}
	}
	e.residual = e.residual[:0]
	var diff [flacOrders]int32
	for i := range n {
		d := int32(s[i*e.channels] >> waste)
		for o := range order {
			d, diff[o] = d-diff[o], d
		}
		if i >= order {
			e.residual = append(e.residual, d)
		}
	}
	mean := 2 * sums[order] / uint64(n-order)
	rice = min(max(bits.Len64(mean)-1, 0), flacMaxRice)
	for _, r := range e.residual {
		size += int((uint32(r<<1)^uint32(r>>31))>>rice) + 1 + rice
	}
	return order, rice, size
}

// bitWriter appends bits, the highest first.
type bitWriter struct {
	b    []byte
	free int // bits of the last byte that are not written
}

// put appends the low n bits of v; n may be more than 64 when v is 0.
func (w *bitWriter) put(v uint64, n int) {
	for n > 0 {
		if w.free == 0 {
			w.b, w.free = append(w.b, 0), 8
		}
		k := min(n, w.free)
		part := byte(0)
		if n-k < 64 {
			part = byte(v >> (n - k) & (1<<k - 1))
		}
		w.b[len(w.b)-1] |= part << (w.free - k)
		w.free -= k
		n -= k
	}
}

func (w *bitWriter) align() { w.free = 0 }

// appendCoded appends v as UTF-8 would, with up to 36 bits (RFC 9639 §9.1.5).
func appendCoded(b []byte, v uint64) []byte {
	v &= 1<<36 - 1
	if v < 0x80 {
		return append(b, byte(v))
	}
	more := 1
	for v >= 1<<(6*more+6-more) {
		more++
	}
	b = append(b, byte(0xff<<(7-more))|byte(v>>(6*more)))
	for more--; more >= 0; more-- {
		b = append(b, 0x80|byte(v>>(6*more))&0x3f)
	}
	return b
}

// crc8 is RFC 9639 §9.1.8: polynomial x^8 + x^2 + x + 1.
func crc8(b []byte) (c byte) {
	for _, v := range b {
		c ^= v
		for range 8 {
			top := c >> 7
			c = c<<1 ^ top*0x07
		}
	}
	return c
}

// crc16 is RFC 9639 §9.3: polynomial x^16 + x^15 + x^2 + 1.
func crc16(b []byte) (c uint16) {
	for _, v := range b {
		c ^= uint16(v) << 8
		for range 8 {
			top := c >> 15
			c = c<<1 ^ top*0x8005
		}
	}
	return c
}
