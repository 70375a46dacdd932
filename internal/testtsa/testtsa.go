// Package testtsa is a time-stamping authority for tests: openssl behind HTTP.
package testtsa

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TSA is a running authority.
type TSA struct {
	URL    string
	CAFile string // PEM
	Roots  *x509.CertPool
	mu     sync.Mutex // of the serial number's file, and away
	away   bool
}

// Away says whether it answers 502 to everybody.
func (s *TSA) Away(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = yes
}

// IsAway says what Away said.
func (s *TSA) IsAway() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

const config = `
[tsa]
default_tsa = one
[one]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
`

// Start makes an authority of its own, with a root of its own.
func Start(t testing.TB) *TSA {
	t.Helper()
	return StartWith(t, "P-256", "sha256")
}

// StartWith is Start with a key (a curve of OpenSSL's, or rsa2048, rsa3072…) and a digest (sha256, sha384, sha512) for signatures.
func StartWith(t testing.TB, key, digest string) *TSA {
	t.Helper()
	kind := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + key}
	if size, ok := strings.CutPrefix(key, "rsa"); ok {
		kind = []string{"-newkey", "rsa:" + size}
	}
	dir := t.TempDir()
	run := func(stdin []byte, args ...string) []byte {
		cmd := exec.CommandContext(t.Context(), "openssl", args...)
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(stdin)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Errorf("openssl %v: %v\n%s", args, err, &errs)
		}
		return out
	}
	for name, text := range map[string]string{"ts.cnf": strings.Replace(config, "signer_digest = sha256", "signer_digest = "+digest, 1), "serial": "01\n", "ext": "extendedKeyUsage=critical,timeStamping\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(nil, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test root")
	run(nil, slices.Concat([]string{"req"}, kind, []string{"-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test TSA"})...)
	run(nil, "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "tsa.pem")
	s := &TSA{CAFile: filepath.Join(dir, "ca.pem"), Roots: x509.NewCertPool()}
	b, err := os.ReadFile(s.CAFile)
	if err != nil || !s.Roots.AppendCertsFromPEM(b) {
		t.Fatal("no root", err)
	}
	s.URL = Serve(t, func(w http.ResponseWriter, req *http.Request) {
		query, err := io.ReadAll(req.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil || s.away {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		name := filepath.Join(dir, "query")
		if err := os.WriteFile(name, query, 0o600); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(run(nil, "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query")) // the client may be gone
	})
	return s
}

// Serve answers by h until the test ends.
func Serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return fmt.Sprint(s.URL, "/")
}
