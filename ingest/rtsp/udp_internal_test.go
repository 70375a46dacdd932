package rtsp

import (
	"net"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/base"
)

// A socket whose reads only fail keeps no processor busy for ever.
func TestABrokenPortIsGivenUp(t *testing.T) {
	t.Parallel()
	l, err := listenUDP(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if err := l.rtp.SetReadDeadline(time.Unix(1, 0)); err != nil { // every read fails at once
		t.Fatal(err)
	}
	done := make(chan struct{})
	begun := time.Now()
	go func() { defer close(done); l.read(l.rtp, func([]byte, time.Time) {}) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it still reads")
	}
	if took := time.Since(begun); took < maxUDPErrors*udpPause {
		t.Errorf("given up after %s", took)
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		`Digest realm="r", nonce="n", stale=true`: true, `Digest nonce="n", Stale = "TRUE"`: true, `Digest stale="true"`: true,
		`Digest realm="r", nonce="n"`: false, `Digest stale=false`: false, ``: false,
	} {
		if got := stale(base.HeaderValue{text}); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}
