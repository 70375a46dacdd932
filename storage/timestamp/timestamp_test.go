package timestamp_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wardwatch/internal/testtsa"
	"wardwatch/storage/timestamp"
	"wardwatch/storage/timestamp/tsa"
)

func TestStamp(t *testing.T) {
	auth := testtsa.Start(t)
	message := []byte("a checkpoint")
	a := tsa.Authority{URL: auth.URL, Roots: auth.Roots}
	token, at, err := a.Stamp(t.Context(), http.DefaultClient, message)
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Fatal(at, err)
	}
	if again, err := timestamp.Verify(token, message, auth.Roots); err != nil || !again.Equal(at) {
		t.Error(again, err)
	}
	if _, err := timestamp.Verify(token, []byte("another"), auth.Roots); err == nil {
		t.Error("of another message: accepted")
	}
	if _, err := timestamp.Verify(token, message, x509.NewCertPool()); err == nil {
		t.Error("a stranger's: accepted")
	}
	if _, err := timestamp.Verify(token, message, testtsa.Start(t).Roots); err == nil {
		t.Error("another authority's: accepted")
	}

	// The court has openssl.
	dir := t.TempDir()
	for name, b := range map[string][]byte{"x.tsr": token, "x": message} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "openssl", "ts", "-verify", "-in", "x.tsr", "-data", "x", "-CAfile", auth.CAFile)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verification: OK") {
		t.Errorf("openssl: %v\n%s", err, out)
	}
}

func TestEveryChangedByteIsRejected(t *testing.T) {
	auth := testtsa.Start(t)
	message := []byte("a checkpoint")
	token, _, err := tsa.Authority{URL: auth.URL, Roots: auth.Roots}.Stamp(t.Context(), http.DefaultClient, message)
	if err != nil {
		t.Fatal(err)
	}
	for i := range token {
		bad := bytes.Clone(token)
		bad[i] ^= 1 << (i % 8)
		if _, err := timestamp.Verify(bad, message, auth.Roots); err == nil {
			t.Errorf("byte %d of %d: accepted", i, len(token))
		}
	}
	for n := range token {
		if _, err := timestamp.Verify(token[:n], message, auth.Roots); err == nil {
			t.Errorf("%d of %d bytes are accepted", n, len(token))
		}
	}
}

func TestAuthorityThatMisbehaves(t *testing.T) {
	auth := testtsa.Start(t)
	old, _, err := tsa.Authority{URL: auth.URL, Roots: auth.Roots}.Stamp(t.Context(), http.DefaultClient, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for name, answer := range map[string]http.HandlerFunc{
		"an error":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"nothing":      func(http.ResponseWriter, *http.Request) {},
		"a page":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"without end":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte{48}, 100_000)) },
		"an older one": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(old) },
	} {
		url := testtsa.Serve(t, answer)
		if b, _, err := (tsa.Authority{URL: url, Roots: auth.Roots}).Stamp(t.Context(), http.DefaultClient, []byte("x")); err == nil {
			t.Errorf("%s: accepted %s", name, hex.EncodeToString(b))
		}
	}
}

func FuzzVerify(f *testing.F) {
	auth := testtsa.Start(f)
	token, at, err := tsa.Authority{URL: auth.URL, Roots: auth.Roots}.Stamp(f.Context(), http.DefaultClient, []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := timestamp.Verify(b, []byte("x"), auth.Roots); err == nil && !got.Equal(at) {
			t.Errorf("%x: %v", b, got)
		}
	})
}
