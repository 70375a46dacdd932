package rounds_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/pion/rtp"

	"wardwatch/rounds"
	"wardwatch/ward"
)

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A bedside that never ends what it begins must not fill the memory: 70 MB
// are sent in each way.
func TestUnendedPicturesDoNotFillTheMemory(t *testing.T) {
	for name, c := range map[string]struct {
		codec ward.Codec
		head  func(i int) []byte // of a payload
		mark  bool               // each packet ends a picture
		time  uint32             // ticks between packets
	}{
		"fragments that always begin":     {ward.H264, func(int) []byte { return []byte{0x7c, 0x85} }, true, 3600},
		"fragments that never end":        {ward.H264, func(i int) []byte { return [2][]byte{{0x61, 0}, {0x7c, 0x05}}[i%2] }, false, 1800},
		"one picture of fragments":        {ward.H264, func(int) []byte { return []byte{0x7c, 0x05} }, false, 0},
		"one picture of whole units":      {ward.H264, func(int) []byte { return []byte{0x61, 0} }, false, 0},
		"VP8, one picture":                {ward.VP8, func(int) []byte { return []byte{0x10, 0} }, false, 0},
		"VP8, pictures without beginning": {ward.VP8, func(int) []byte { return []byte{0, 0} }, true, 3600},
	} {
		t.Run(name, func(t *testing.T) {
			p := rounds.NewPictures(c.codec)
			before := heap()
			for i := range 50_000 {
				packet := &rtp.Packet{Payload: append(c.head(i), make([]byte, 1400)...)}
				packet.SequenceNumber, packet.Timestamp, packet.Marker = uint16(i), uint32(i)*c.time, c.mark
				p.Push(packet)
			}
			if grown := int64(heap()) - int64(before); grown > 16<<20 {
				t.Errorf("%d MB are held", grown>>20)
			}
			runtime.KeepAlive(p)
		})
	}
}

func TestALargeUnitIsGivenUpAndTheNextIsWhole(t *testing.T) {
	t.Parallel()
	d := rounds.NALUnits()
	part := func(flags byte) []byte { return append([]byte{0x7c, flags | 5}, make([]byte, 1<<20)...) }
	var err error
	for i := 0; i < 5 && err == nil; i++ {
		_, err = d.Unmarshal(part(map[bool]byte{true: 0x80}[i == 0]))
	}
	if err == nil {
		t.Error("5 MB of fragments were taken")
	}
	if _, err := d.Unmarshal([]byte{0x7c, 0x85, 1, 2}); err != nil {
		t.Fatal(err)
	}
	got, err := d.Unmarshal([]byte{0x7c, 0x45, 3})
	if want := []byte{0, 0, 0, 1, 0x65, 1, 2, 3}; err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v, want %x", len(got), err, want)
	}
}

func TestAPictureAfterAnUnendedOneSaysThatSomethingIsLost(t *testing.T) {
	t.Parallel()
	p := rounds.NewPictures(ward.H264)
	var got [][][]byte
	lost := false
	for i, payload := range [][]byte{{0x7c, 0x85, 1}, {0x61, 0x9a, 2}, {0x61, 0x9a, 3}} {
		packet := &rtp.Packet{Payload: payload}
		packet.SequenceNumber, packet.Timestamp, packet.Marker = uint16(i), uint32(i)*3600, true
		all, l := p.Push(packet)
		got, lost = append(got, all...), lost || l
	}
	if len(got) != 1 || !bytes.Equal(got[0][0], []byte{0x61, 0x9a, 2}) || !lost {
		t.Errorf("got %x, lost %v", got, lost)
	}
}
