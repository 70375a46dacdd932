package drand_test

import (
	"context"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"wardwatch/internal/testdrand"
	"wardwatch/rounds/drand"
)

// TestQuicknet verifies a round that the League of Entropy published, and
// that the built-in chain is the one that its hash names.
func TestQuicknet(t *testing.T) {
	c := drand.Quicknet()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/quicknet-1000.json")
	if err != nil {
		t.Fatal(err)
	}
	round, sig, err := drand.ParseBeacon(b)
	if err != nil || round != 1000 {
		t.Fatalf("round %d: %v", round, err)
	}
	if err := c.Verify(round, sig); err != nil {
		t.Error(err)
	}
	if err := c.Verify(round+1, sig); !errors.Is(err, drand.ErrSignature) {
		t.Errorf("the signature of round 1000 passed for 1001: %v", err)
	}
	for i := range sig {
		for bit := range 8 {
			bad := append([]byte{}, sig...)
			bad[i] ^= 1 << bit
			if err := c.Verify(round, bad); err == nil {
				t.Fatalf("byte %d with bit %d turned still verifies", i, bit)
			}
		}
	}
}

// TestChainHash: whoever changes anything of a chain gets another hash.
func TestChainHash(t *testing.T) {
	other := testdrand.New(t, "other", time.Now()).Chain
	if err := other.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*drand.Chain){
		"key":     func(c *drand.Chain) { c.PublicKey = other.PublicKey },
		"no key":  func(c *drand.Chain) { c.PublicKey = "" },
		"period":  func(c *drand.Chain) { c.Period = 30 },
		"genesis": func(c *drand.Chain) { c.Genesis -= 3 },
		"group":   func(c *drand.Chain) { c.GroupHash = other.GroupHash },
		"name":    func(c *drand.Chain) { c.BeaconID = "quicknet-t" },
		"hash":    func(c *drand.Chain) { c.Hash = other.Hash },
	} {
		c := drand.Quicknet()
		change(&c)
		if c.Check() == nil {
			t.Errorf("a chain with another %s passes", name)
		}
	}
}

func TestRounds(t *testing.T) {
	c := drand.Chain{Period: 3, Genesis: 1000}
	for _, v := range []struct{ at, round, out int64 }{{0, 1, 1000}, {1000, 1, 1000}, {1001, 2, 1003}, {1003, 2, 1003}, {1004, 3, 1006}} {
		got := c.RoundAt(time.Unix(v.at, 0))
		if got != v.round || c.TimeOf(got).Unix() != v.out {
			t.Errorf("at %d: round %d at %d, want %d at %d", v.at, got, c.TimeOf(got).Unix(), v.round, v.out)
		}
	}
	if got := c.RoundAt(time.Unix(1000, 1)); got != 2 {
		t.Errorf("a nanosecond after round 1: %d", got)
	}
}

// TestFetchPastASilentRelay: relays that take a connection and never answer do
// not keep the one that does from being heard.
func TestFetchPastASilentRelay(t *testing.T) {
	s := testdrand.New(t, "right", time.Now().Add(-time.Minute))
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	silent := "http://" + l.Addr().String()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // as long as a draw asks
	defer cancel()
	sig, err := s.Chain.Fetch(ctx, http.DefaultClient, []string{silent, silent, s.URL}, 5)
	if err != nil || hex.EncodeToString(sig) != hex.EncodeToString(s.Sign(5)) {
		t.Fatalf("%x: %v", sig, err)
	}
}

// TestFetch asks a relay that is away, one of another chain, and the right one.
func TestFetch(t *testing.T) {
	s := testdrand.New(t, "right", time.Now().Add(-time.Minute))
	away, wrong := testdrand.New(t, "away", time.Now()), testdrand.New(t, "wrong", time.Now())
	away.Away.Store(true)
	sig, err := s.Chain.Fetch(t.Context(), http.DefaultClient, []string{away.URL, wrong.URL, s.URL}, 5)
	if err != nil || hex.EncodeToString(sig) != hex.EncodeToString(s.Sign(5)) {
		t.Fatalf("%x: %v", sig, err)
	}
	if _, err := s.Chain.Fetch(t.Context(), http.DefaultClient, []string{s.URL}, s.Chain.RoundAt(time.Now().Add(time.Hour))); err == nil {
		t.Error("a round of the future was answered")
	}
	if _, err := s.Chain.Fetch(t.Context(), http.DefaultClient, nil, 5); err == nil {
		t.Error("nobody was asked, and there is no error")
	}
}
