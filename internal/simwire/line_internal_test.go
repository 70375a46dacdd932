package simwire

import (
	"encoding/binary"
	"testing"
	"time"
)

// packet is an Ethernet frame of an IPv4 packet.
func packet(protocol byte, from, to uint16, size int) []byte {
	b := make([]byte, size)
	binary.BigEndian.PutUint16(b[12:], ipv4)
	b[14], b[14+9] = 0x45, protocol
	binary.BigEndian.PutUint16(b[34:], from)
	binary.BigEndian.PutUint16(b[36:], to)
	return b
}

func TestALineLosesWhatItDoesNotCarry(t *testing.T) {
	t.Parallel()
	l, err := ParseLine("rate=300 queue=400ms")
	if err != nil {
		t.Fatal(err)
	}
	w := way{line: l, wake: make(chan struct{}, 1)}
	now := time.Now()
	for range 100 { // 120 kB at once: 3.2 s of this line
		w.push(packet(17, 1, 2, 1200), now)
	}
	if n := len(w.frames); n < 13 || n > 15 { // 400 ms of 32 ms each, and the one that begins to wait then
		t.Errorf("%d of 100 frames wait", n)
	}
	if _, wait := w.pop(now); wait != 32*time.Millisecond {
		t.Errorf("the first one leaves after %s", wait)
	}
	n := 0
	for b, _ := w.pop(now.Add(time.Second)); b != nil; b, _ = w.pop(now.Add(time.Second)) {
		n++
	}
	if n < 13 || len(w.frames) != 0 {
		t.Errorf("%d frames came, %d wait", n, len(w.frames))
	}
}

func TestLossAndJitter(t *testing.T) {
	t.Parallel()
	w := way{line: Line{Loss: 5, Delay: 20 * time.Millisecond, Jitter: 50 * time.Millisecond}, wake: make(chan struct{}, 1)}
	now := time.Now()
	for range 20_000 {
		w.push(packet(17, 1, 2, 100), now)
	}
	if n := len(w.frames); n < 18_600 || n > 19_400 { // 5 %, 13 standard deviations either way
		t.Errorf("%d of 20000 frames came", n)
	}
	if b, wait := w.pop(now.Add(20*time.Millisecond - 1)); b != nil || wait <= 0 {
		t.Error("a frame came before its time")
	}
	overtaken := 0
	for last := uint64(0); len(w.frames) > 0; {
		if w.frames[0].n < last {
			overtaken++
		}
		last = w.frames[0].n
		if b, wait := w.pop(now.Add(70 * time.Millisecond)); b == nil {
			t.Fatalf("a frame is %s late", wait)
		}
	}
	if overtaken == 0 {
		t.Error("no frame overtook another")
	}
}

func TestTheFirewall(t *testing.T) {
	t.Parallel()
	l, err := ParseLine("tcp=443")
	if err != nil {
		t.Fatal(err)
	}
	address := make([]byte, 60)
	binary.BigEndian.PutUint16(address[12:], arp)
	six := packet(protocolTCP, 443, 443, 60)
	binary.BigEndian.PutUint16(six[12:], 0x86dd)
	for name, c := range map[string]struct {
		frame []byte
		want  bool
	}{
		"to 443": {packet(protocolTCP, 5000, 443, 60), true}, "from 443": {packet(protocolTCP, 443, 5000, 60), true},
		"another port": {packet(protocolTCP, 5000, 3478, 60), false}, "UDP": {packet(17, 5000, 443, 60), false},
		"ARP": {address, true}, "IPv6": {six, false}, "short": {make([]byte, 20), false}, "nothing": {nil, false},
	} {
		if got := l.passes(c.frame); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	if _, err := ParseLine("speed=3"); err == nil {
		t.Error("an unknown part is taken")
	}
}
