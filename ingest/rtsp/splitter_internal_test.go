package rtsp

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// heard is what a splitter found.
func heard(t testing.TB, b []byte, pieces func() int) (packets, messages []string, s *splitter) {
	t.Helper()
	s = &splitter{
		channels: 4,
		packet:   func(channel int, b []byte) { packets = append(packets, fmt.Sprintf("%d:%s", channel, b)) },
		message:  func(b []byte) error { messages = append(messages, string(b)); return nil },
	}
	for len(b) > 0 && s.err == nil {
		n := min(max(pieces(), 1), len(b), chunk/2)
		s.use(append(bytes.Clone(s.rest), b[:n]...))
		b = b[n:]
	}
	return packets, messages, s
}

func interleaved(channel byte, payload string) string {
	return string([]byte{magic, channel, byte(len(payload) >> 8), byte(len(payload))}) + payload
}

// rtpLike is a payload that begins like an RTP packet.
func rtpLike(text string) string { return "\x80\x60\x00\x01aaaabbbb" + text }

const answer = "RTSP/1.0 200 OK\r\nCSeq: 3\r\ncontent-length: 5\r\n\r\nhello"

func TestSplitterInAnyPieces(t *testing.T) {
	t.Parallel()
	want := []string{rtpLike("one"), rtpLike(strings.Repeat("two", 3000)), rtpLike("$RTSP/1.0")}
	var in string
	for _, w := range want {
		in += interleaved(0, w) + answer
	}
	in += "OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n" + interleaved(1, rtpLike("end"))
	for _, n := range []int{1, 2, 3, 5, 100, 1460, 1 << 20} {
		packets, messages, s := heard(t, []byte(in), func() int { return n })
		if len(packets) != 4 || packets[1] != "0:"+want[1] || packets[3] != "1:"+rtpLike("end") || len(messages) != 4 || messages[0] != answer || s.err != nil {
			t.Errorf("in pieces of %d: %d packets, %q, %v", n, len(packets), messages, s.err)
		}
	}
}

// Bytes between packets are skipped, and what they happen to look like.
func TestSplitterFindsItsWayBack(t *testing.T) {
	t.Parallel()
	in := "\x00\x01noise $\x77\xff\xff$\x01 R RTSPX\r\n" + interleaved(2, rtpLike("good")) + "RT" + interleaved(0, rtpLike("also"))
	packets, _, s := heard(t, []byte(in+strings.Repeat("\x00", 2100)), func() int { return 7 })
	if want := []string{"2:" + rtpLike("good"), "0:" + rtpLike("also")}; !slices.Equal(packets, want) || s.err != nil {
		t.Errorf("got %q, %v", packets, s.err)
	}
}

func TestSplitterRefusesEndlessMessages(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n",
		"RTSP/1.0 200 OK\r\nContent-Length: -5\r\n\r\n",
		"RTSP/1.0 200 OK\r\n" + strings.Repeat("X: y\r\n", 30000),
	} {
		if _, _, s := heard(t, []byte(in), func() int { return 4096 }); s.err == nil {
			t.Errorf("%.40q was taken: %d bytes wait", in, len(s.rest))
		}
	}
}

func FuzzSplitter(f *testing.F) {
	f.Add([]byte(interleaved(0, rtpLike("one"))+answer), 3)
	f.Add([]byte("\x00$\x00\x00\x00RTSP/1.0\r\n\r\n"), 1)
	f.Add([]byte("RTSP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nabc"), 50)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		packets, messages, s := heard(t, b, func() int { return n })
		size := len(s.rest)
		for _, p := range append(packets, messages...) {
			size += len(p)
		}
		if size > len(b)+3*len(packets) { // each is told with its channel
			t.Errorf("%d bytes out of %d", size, len(b))
		}
	})
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte(rtpLike("payload")))
	f.Add([]byte("\xb2\xe0\x00\x01aaaabbbbccccdddd\x00\x00\x00\x01extepayload\x02"))
	f.Add([]byte("\x80\xc8\x00\x06ssss" + "\xe9\x00\x00\x00\x80\x00\x00\x00" + "tttt" + "ppppoooo"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Packet
		if err := p.Parse(b); err == nil && len(p.Payload) > len(b)-12 {
			t.Errorf("a payload of %d bytes in %d", len(p.Payload), len(b))
		}
		FindReport(b)
	})
}
