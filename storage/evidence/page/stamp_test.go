package page_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"wardwatch/internal/testpage"
	"wardwatch/internal/testtsa"
	"wardwatch/storage/timestamp"
)

// stamped asks an authority for a response about message, and tells which
// certificate issued the one that signed it.
func stamped(t *testing.T, auth *testtsa.TSA, message []byte) (response, issuer []byte) {
	t.Helper()
	q, err := timestamp.Ask(message)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, auth.URL, bytes.NewReader(q.Query))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response, _, err = q.Open(answer, auth.Roots); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Clean(auth.CAFile))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return response, block.Bytes
}

// The page accepts time stamps by every kind of key that package timestamp
// does, and rejects each changed byte but of the certificates above the
// signer's, which it says that it does not look at.
func TestThePageChecksWhoSignedATimeStamp(t *testing.T) {
	p := testpage.Start(t)
	opened := func(b []byte) (string, bool) {
		var got struct{ Certificate string }
		err := p.Do("stamp", nil, b, &got)
		return got.Certificate, err == nil
	}
	message := []byte("a checkpoint")
	every := 23
	if os.Getenv("WARDWATCH_MUTANTS") == "all" {
		every = 1
	}
	var last []byte
	for _, kind := range [][2]string{{"P-256", "sha256"}, {"P-384", "sha384"}, {"P-256", "sha512"}, {"rsa2048", "sha256"}, {"rsa3072", "sha512"}} {
		response, issuer := stamped(t, testtsa.StartWith(t, kind[0], kind[1]), message)
		if sum, ok := opened(response); !ok || len(sum) != 2*32 {
			t.Errorf("%v: refused", kind)
		}
		from := bytes.Index(response, issuer)
		if from < 0 {
			t.Fatalf("%v: the issuer's certificate is not in the response", kind)
		}
		for i := 0; i < len(response); i += every {
			bad := bytes.Clone(response)
			bad[i] ^= 1 << (i % 8)
			_, ok := opened(bad)
			if inIssuer := i >= from && i < from+len(issuer); ok && !inIssuer {
				t.Errorf("%v: byte %d of %d: accepted", kind, i, len(bad))
			}
			if _, err := timestamp.Verify(bad, message, x509.NewCertPool()); err == nil {
				t.Errorf("%v: byte %d: accepted by the program", kind, i)
			}
		}
		last = response
	}
	for _, bad := range [][]byte{nil, {0x30}, {0x30, 0x80}, bytes.Repeat([]byte{0x30, 0x82}, 500), append(bytes.Clone(last), 0), last[:len(last)-1]} {
		if _, ok := opened(bad); ok {
			t.Errorf("%s…: accepted", hex.EncodeToString(bad)[:min(16, 2*len(bad))])
		}
	}
}
