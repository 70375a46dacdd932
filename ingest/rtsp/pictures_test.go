package rtsp_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/pion/rtp"

	"wardwatch/ingest/rtsp"
)

// nal is a NAL unit of the type (H.264, or H.265) with a body that begins
// with a slice's first bit set or not, and holds no start code.
func nal(r *rand.Rand, h265 bool, kind byte, first bool, size int) []byte {
	b := make([]byte, 0, size+3)
	if h265 {
		b = append(b, kind<<1, 1)
	} else {
		b = append(b, 3<<5|kind)
	}
	for range size {
		b = append(b, 1+byte(r.IntN(255)))
	}
	at := len(b) - size
	b[at] = b[at]&0x7f | 1
	if first {
		b[at] |= 0x80
	}
	return b
}

// film makes access units as cameras send them: parameter sets, SEI of
// several kinds in odd places, pictures of one and of several slices.
func film(r *rand.Rand, h265 bool) [][][]byte {
	aud, sps, pps, sei, idr, p := byte(9), byte(7), byte(8), byte(6), byte(5), byte(1)
	if h265 {
		aud, sps, pps, sei, idr, p = 35, 33, 34, 39, 19, 1
	}
	var all [][][]byte
	for i := range 60 {
		var au [][]byte
		add := func(kind byte, first bool, size int) { au = append(au, nal(r, h265, kind, first, size)) }
		if r.IntN(2) == 0 {
			add(aud, false, 1)
		}
		kind := p
		if i%12 == 0 {
			kind = idr
			add(sps, false, 20)
			add(pps, false, 5)
		}
		for range r.IntN(3) {
			add(sei, false, 1+r.IntN(60))
		}
		for slice := range 1 + r.IntN(4) {
			add(kind, slice == 0, 1+r.IntN(9000))
		}
		all = append(all, au)
	}
	return all
}

// NAL units come out as they went in, byte by byte and in their order,
// however the camera marks the end of a picture.
func TestNALUnitsAreExact(t *testing.T) {
	t.Parallel()
	for _, h265 := range []bool{false, true} {
		for name, change := range map[string]func(i int, last bool, p *rtp.Packet){
			"markers":                func(int, bool, *rtp.Packet) {},
			"no markers":             func(_ int, _ bool, p *rtp.Packet) { p.Marker = false },
			"markers, constant time": func(_ int, _ bool, p *rtp.Packet) { p.Timestamp = 7 },
			"neither":                func(_ int, _ bool, p *rtp.Packet) { p.Marker, p.Timestamp = false, 7 },
		} {
			t.Run(fmt.Sprintf("h265=%v, %s", h265, name), func(t *testing.T) {
				t.Parallel()
				in := film(rand.New(rand.NewPCG(1, 2)), h265)
				out := send(t, in, h265, change)
				if len(out) < len(in)-1 { // the last is only ended by its marker
					t.Fatalf("%d units, want %d", len(out), len(in))
				}
				for i := range out {
					if !slices.EqualFunc(out[i], in[i], bytes.Equal) {
						t.Fatalf("unit %d: %d NAL units, want %d of the same bytes", i, len(out[i]), len(in[i]))
					}
				}
			})
		}
	}
}

// send packs units into packets of 500 bytes and puts them together again.
func send(t *testing.T, in [][][]byte, h265 bool, change func(i int, last bool, p *rtp.Packet)) (out [][][]byte) {
	t.Helper()
	encode := encoder(t, h265)
	x := &rtsp.Pictures{H265: h265, Buffers: &rtsp.Buffers{}}
	other := &rtsp.Pictures{Buffers: x.Buffers}
	for i, au := range in {
		packets, err := encode(au)
		if err != nil {
			t.Fatal(err)
		}
		for k, p := range packets {
			p.Timestamp = uint32(i) * 3600
			change(i, k == len(packets)-1, p)
			b, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			var q rtsp.Packet
			if err := q.Parse(b); err != nil {
				t.Fatal(err)
			}
			err = x.Push(&q, false, func(au [][]byte, _ uint32, broken bool) {
				if broken {
					t.Errorf("unit %d is broken", len(out))
				}
				out = append(out, au)
			})
			if err != nil {
				t.Fatal(err)
			}
			clear(b) // the packet was only borrowed
			if k%3 == i%3 {
				x.Rest() // nothing comes for a while, but for another camera
				q := rtsp.Packet{Payload: append([]byte{0x41}, bytes.Repeat([]byte{0xff}, 4000)...)}
				if err := other.Push(&q, false, nil); err != nil {
					t.Fatal(err)
				}
				other.Reset()
			}
		}
	}
	return out
}

func encoder(t testing.TB, h265 bool) func([][]byte) ([]*rtp.Packet, error) {
	t.Helper()
	if h265 {
		e := &rtph265.Encoder{PayloadType: 96, PayloadMaxSize: 500}
		if err := e.Init(); err != nil {
			t.Fatal(err)
		}
		return e.Encode
	}
	e := &rtph264.Encoder{PayloadType: 96, PayloadMaxSize: 500, PacketizationMode: 1}
	if err := e.Init(); err != nil {
		t.Fatal(err)
	}
	return e.Encode
}

// Parameter sets that come with a marker of their own belong to the picture
// after them, if that has their time.
func TestMarkerOnParameterSetsEndsNothing(t *testing.T) {
	t.Parallel()
	x := &rtsp.Pictures{}
	var out [][][]byte
	for i, b := range [][]byte{{0x67, 1, 2}, {0x68, 3}, {0x65, 0x88, 4}} {
		p := rtsp.Packet{Marker: true, Sequence: uint16(i), Timestamp: 9, Payload: b}
		if err := x.Push(&p, false, func(au [][]byte, _ uint32, _ bool) { out = append(out, au) }); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) != 1 || len(out[0]) != 3 {
		t.Errorf("got %v, want one unit of three", out)
	}
}

// What a lost packet leaves of a picture is kept, and marked as broken.
func TestALostFragmentLeavesTheRest(t *testing.T) {
	t.Parallel()
	x := &rtsp.Pictures{}
	var got [][]byte
	var damaged bool
	unit := func(au [][]byte, _ uint32, broken bool) { got, damaged = au, broken }
	for i, c := range []struct {
		b    []byte
		lost bool
		end  bool
	}{
		{[]byte{0x06, 5, 1, 1}, false, false},
		{[]byte{0x1c, 0x85, 0x88, 1}, false, false}, // IDR begins
		{[]byte{0x1c, 0x45, 2, 3}, true, false},     // its end, but not its middle
		{[]byte{0x65, 0x08, 4}, false, true},        // another slice
	} {
		p := rtsp.Packet{Sequence: uint16(i), Timestamp: 1, Marker: c.end, Payload: c.b}
		_ = x.Push(&p, c.lost, unit) // the orphaned fragment is an error
	}
	if want := [][]byte{{0x06, 5, 1, 1}, {0x65, 0x08, 4}}; !damaged || !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %v, broken %v", got, damaged)
	}
}

// Some cameras send what belongs into files.
func TestStartCodesAreTakenApart(t *testing.T) {
	t.Parallel()
	x := &rtsp.Pictures{}
	var got [][]byte
	p := rtsp.Packet{Marker: true, Payload: []byte{0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65, 0x88, 4}}
	if err := x.Push(&p, false, func(au [][]byte, _ uint32, _ bool) { got = au }); err != nil {
		t.Fatal(err)
	}
	if want := [][]byte{{0x67, 1, 2}, {0x68, 3}, {0x65, 0x88, 4}}; !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// FuzzPictures: any packets whatever, and memory stays bounded.
func FuzzPictures(f *testing.F) {
	for _, h265 := range []bool{false, true} {
		var seed []byte
		packets, err := encoder(f, h265)(film(rand.New(rand.NewPCG(3, 4)), h265)[0])
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range packets[:min(len(packets), 12)] {
			seed = append(append(seed, byte(len(p.Payload)), 0), p.Payload[:min(len(p.Payload), 255)]...)
		}
		f.Add(h265, seed)
	}
	f.Add(false, []byte{4, 1, 0x18, 0, 1, 0x65, 2, 2, 0x1c, 0x85})
	f.Add(true, []byte{6, 1, 0x60, 1, 0, 2, 0x26, 1, 3, 3, 0x62, 1, 0x93})
	f.Fuzz(func(t *testing.T, h265 bool, b []byte) {
		x := &rtsp.Pictures{H265: h265}
		in, out := 0, 0
		for seq := uint16(0); len(b) >= 2; seq++ {
			n, how := min(int(b[0]), len(b)-2), b[1]
			p := rtsp.Packet{Sequence: seq, Marker: how&1 != 0, Timestamp: uint32(how >> 4), Payload: b[2 : 2+n]}
			b, in = b[2+n:], in+n+2
			_ = x.Push(&p, how&2 != 0, func(au [][]byte, _ uint32, _ bool) {
				for _, n := range au {
					if len(n) == 0 {
						t.Fatal("an empty NAL unit")
					}
					out += len(n)
				}
			})
			if how&4 != 0 {
				x.Rest()
			}
		}
		if out > in {
			t.Errorf("%d bytes out of %d", out, in)
		}
	})
}

// A picture that never ends is given up.
func TestAPictureWithoutEndIsBounded(t *testing.T) {
	t.Parallel()
	x := &rtsp.Pictures{}
	var failed error
	body := make([]byte, 60000)
	for i := range 1000 {
		head := []byte{0x1c, 0x05}
		if i == 0 {
			head[1] = 0x85
		}
		p := rtsp.Packet{Sequence: uint16(i), Payload: append(head, body...)}
		if err := x.Push(&p, false, func([][]byte, uint32, bool) { t.Error("a unit") }); err != nil {
			failed = err
			break
		}
	}
	if failed == nil {
		t.Error("60 MB were taken for a picture")
	}
}
