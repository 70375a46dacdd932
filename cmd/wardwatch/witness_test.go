package main_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"wardwatch/storage/ledger"
)

// TestWitness is a service and its witness, two processes. The witness is
// killed and comes back; anybody reads its signature under the checkpoint.
func TestWitness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := serve(t, dir, "WARDWATCH_VISION_WORKERS=0")
	c := signIn(t, s)
	var key struct{ Verifier, Fingerprint string }
	c.must(200, "GET", "/api/v1/ledger/key", nil, &key)
	home := t.TempDir()
	watch := func(listen string) (*process, string) {
		p := start(t, nil, "witness", "w.example", "--log", key.Verifier, "--data", home, "--listen", listen)
		until(t, "the witness listens", 20*time.Second, func() bool { return strings.Count(p.out.String(), "\n") == 2 })
		return p, strings.TrimSpace(strings.SplitAfter(p.out.String(), "\n")[1])
	}
	w, peer := watch("127.0.0.1:0")
	url, vkey, _ := strings.Cut(peer, " ")
	who, err := ledger.ParseWitness(vkey)
	if err != nil {
		t.Fatal(peer, err)
	}
	s.terminate()
	s = serve(t, dir, "WARDWATCH_VISION_WORKERS=0", "WARDWATCH_LEDGER_WITNESSES="+peer)
	c.s = s

	var v struct {
		Size      int64
		Witnesses []struct {
			Name, Problem string
			Size          int64
		}
	}
	state := func() bool {
		v.Witnesses = nil
		c.must(200, "GET", "/api/v1/ledger", nil, &v)
		return len(v.Witnesses) == 1 && v.Witnesses[0].Name == "w.example"
	}
	signed := func() bool {
		return state() && v.Size > 0 && v.Witnesses[0].Size == v.Size && v.Witnesses[0].Problem == ""
	}
	grow := func() { // by an alert policy's version
		t.Helper()
		var p map[string]any
		c.must(200, "GET", "/api/v1/alert-policy", nil, &p)
		c.must(200, "PUT", "/api/v1/alert-policy", p, nil)
	}
	grow()
	until(t, "the ledger is cosigned", 40*time.Second, signed)
	_, note := c.call("GET", "/ledger/checkpoint", nil)
	if _, err := ledger.OpenSigned(string(note), key.Verifier); err != nil {
		t.Error(err)
	}
	text, _, _ := strings.Cut(string(note), "\n\n")
	lines := strings.SplitAfter(string(note), "\n")
	if _, err := who.CheckCosignature(text+"\n\n", lines[len(lines)-2]); err != nil {
		t.Errorf("%q: %v", note, err)
	}
	tile := fmt.Sprintf("/ledger/tile/0/000.p/%d", v.Size)
	if status, b := c.call("GET", tile, nil); v.Size < 256 && (status != 200 || int64(len(b)) != 32*v.Size) {
		t.Errorf("%s: %d, %d bytes", tile, status, len(b))
	}
	if status, _ := c.call("GET", "/ledger/tile/entries/000", nil); status != 404 {
		t.Errorf("the leaves themselves: %d", status)
	}

	w.signal(syscall.SIGKILL)
	w.wait(5 * time.Second)
	grow()
	until(t, "the witness is missed", 40*time.Second, func() bool { return state() && v.Witnesses[0].Problem == "away" })
	if again, back := watch(strings.TrimPrefix(url, "http://")); back != peer {
		t.Errorf("it came back as %q, was %q", back, peer)
	} else {
		until(t, "it signs what it missed", 40*time.Second, signed)
		s.terminate()
		if code, out, errs := run(t, s.env, "keys", "rotate", "--overlap", "24h"); code != 0 || !strings.Contains(out, key.Fingerprint) {
			t.Fatalf("exit code %d: %s%s", code, out, errs)
		}
		s = serve(t, dir, "WARDWATCH_VISION_WORKERS=0", "WARDWATCH_LEDGER_WITNESSES="+peer)
		c.s = s
		grow()
		until(t, "the witness that knows the former key signs", 40*time.Second, signed)
		if code, out, _ := run(t, s.env, "keys"); code != 0 || strings.Count(out, "replaced:") != 1 {
			t.Errorf("exit code %d: %s", code, out)
		}
		again.terminate()
	}
	if code, _, errs := run(t, nil, "witness", "a name", "--log", key.Verifier, "--data", home); code != 1 || !strings.Contains(errs, "name") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
