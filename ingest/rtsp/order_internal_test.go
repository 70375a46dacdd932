package rtsp

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func numbered(ssrc uint32, seq uint16) []byte {
	b := make([]byte, 12)
	b[0] = 2 << 6
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return b
}

func TestOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		in, want []uint16
		every    time.Duration // between packets
	}{
		{"in order, over the end of the numbers", []uint16{65534, 65535, 0, 1}, []uint16{65534, 65535, 0, 1}, 0},
		{"overtaken", []uint16{1, 3, 2, 5, 4, 6}, []uint16{1, 2, 3, 4, 5, 6}, 0},
		{"doubles", []uint16{1, 1, 2, 2, 4, 4, 3, 3, 5}, []uint16{1, 2, 3, 4, 5}, 0},
		{"lost, and time goes by", []uint16{1, 3, 4, 5, 6}, []uint16{1, 3, 4, 5, 6}, 60 * time.Millisecond},
		{"far ahead", []uint16{1, 3, 500, 501}, []uint16{1, 3, 500, 501}, 0},
	} {
		var got []uint16
		var o order
		at := time.Now()
		for _, seq := range c.in {
			at = at.Add(c.every)
			o.push(numbered(1, seq), at, func(b []byte) { got = append(got, binary.BigEndian.Uint16(b[2:])) })
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// Whatever the order, nothing comes twice, and a sender that counts anew is followed.
func TestOrderOfAnything(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	var o order
	at, last, out := time.Now(), -1, 0
	for i := range 10000 {
		at = at.Add(time.Millisecond)
		seq := uint16(i + r.IntN(20) - 10)
		o.push(numbered(1, seq), at, func(b []byte) {
			out++
			n := int(binary.BigEndian.Uint16(b[2:]))
			if i > 100 && n <= last {
				t.Fatalf("%d after %d", n, last)
			}
			last = n
		})
	}
	if out < 5000 {
		t.Errorf("%d packets of 10,000", out)
	}
	follow := 0
	for i := range 200 {
		o.push(numbered(1, uint16(30000+i)), at, func([]byte) { follow++ })
	}
	for i := range 200 {
		o.push(numbered(2, uint16(7+i)), at, func([]byte) { follow++ })
	}
	if follow < 300 {
		t.Errorf("%d of 400 packets after the count began anew", follow)
	}
}
