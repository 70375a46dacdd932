package rtsp

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"
)

// connected is a TCP connection, and its other end as a patient one.
func connected(t *testing.T) (net.Conn, *patient) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	here, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.Close(); _ = there.Close() })
	return there, newPatient(here, &Buffers{})
}

// What comes little by little is read at once when the pause is over, and
// much without waiting for that: no camera is kept from sending.
func TestReadsWaitForThePauseOrForMuch(t *testing.T) {
	t.Parallel()
	camera, p := connected(t)
	pause := 300 * time.Millisecond
	if err := p.be(func() time.Duration { return pause }); err != nil {
		t.Fatal(err)
	}
	var got []int
	take := func() error { return p.take(nil, func(b []byte) { got = append(got, len(b)) }) }
	p.drained = true
	if err := take(); !errors.Is(err, os.ErrDeadlineExceeded) || len(got) > 0 {
		t.Fatalf("nothing came: %v, %v", err, got)
	}
	for range 10 { // the pause has just begun
		if _, err := camera.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		<-time.After(2 * time.Millisecond)
	}
	if err := take(); err != nil || len(got) != 1 || got[0] != 1000 {
		t.Fatalf("a little, ten times: %v, %v", err, got)
	}

	_ = camera.SetWriteDeadline(time.Now().Add(5 * time.Second))
	if c, ok := camera.(*net.TCPConn); !ok || c.SetWriteBuffer(4<<10) != nil {
		t.Fatal("the camera's buffer cannot be made small")
	}
	if _, err := camera.Write(make([]byte, roomy/2)); err != nil {
		t.Fatalf("a camera waits for us with %d bytes: %v", roomy/2, err)
	}
	for got = nil; total(got) < roomy/2; {
		if err := take(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}

	pause, got = time.Hour, nil
	if _, err := camera.Write(make([]byte, early)); err != nil {
		t.Fatal(err)
	}
	if err := take(); err != nil || len(got) != 1 || got[0] < early {
		t.Fatalf("much: %v, %v", err, got)
	}
	_ = camera.Close()
	pause = time.Millisecond
	if err := take(); err == nil {
		t.Fatal("the end was not seen")
	}
}

func total(all []int) (sum int) {
	for _, n := range all {
		sum += n
	}
	return sum
}
