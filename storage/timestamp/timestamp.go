// Package timestamp verifies time-stamp tokens (RFC 3161): an authority's word
// that some bytes existed at a time. Package tsa gets them. It must not know
// what the bytes are.
package timestamp

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// Request is a question to an authority. Query is what it is asked (DER).
type Request struct {
	Query   []byte
	message []byte
	nonce   *big.Int
}

// Ask makes the request to stamp message, of which the authority sees the SHA-256.
func Ask(message []byte) (Request, error) {
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return Request{}, err
	}
	query, err := timestamp.CreateRequest(bytes.NewReader(message), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true, Nonce: nonce})
	if err != nil {
		return Request{}, fmt.Errorf("make a time-stamp request: %w", err)
	}
	return Request{query, message, nonce}, nil
}

// Open verifies an authority's answer to r, and returns it without what
// nothing signs, as Verify takes it, with the time in it.
func (r Request) Open(answer []byte, roots *x509.CertPool) ([]byte, time.Time, error) {
	b := withoutText(answer)
	t, err := parse(b, r.message)
	if err != nil {
		return nil, time.Time{}, err
	}
	if t.Nonce == nil || t.Nonce.Cmp(r.nonce) != 0 {
		return nil, time.Time{}, errors.New("the time-stamp authority answered another request")
	}
	at, err := Verify(b, r.message, roots)
	return b, at, err
}

// Verify verifies that response, as Open returned it, says of message that
// it existed, by an authority whose certificate for time stamps leads to
// roots and was valid then, and returns when. nil roots: the certificate is
// not looked at, so that the time is anybody's word.
func Verify(response, message []byte, roots *x509.CertPool) (time.Time, error) {
	t, err := parse(response, message)
	if err != nil || roots == nil {
		return t.Time, err
	}
	p7, err := pkcs7.Parse(t.RawToken)
	if err != nil {
		return time.Time{}, fmt.Errorf("read time stamp: %w", err)
	}
	signer := p7.GetOnlySigner()
	if signer == nil {
		return time.Time{}, errors.New("the time stamp has no single signer")
	}
	between := x509.NewCertPool()
	for _, c := range p7.Certificates {
		between.AddCert(c)
	}
	chains, err := signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return time.Time{}, fmt.Errorf("the time stamp's certificate: %w", err)
	}
	for _, c := range p7.Certificates {
		if !slices.ContainsFunc(slices.Concat(chains...), c.Equal) {
			return time.Time{}, errForm // a certificate that nobody vouches for
		}
	}
	return t.Time, nil
}

// parse reads a response, whose signature by a certificate in it holds, of
// message.
func parse(response, message []byte) (t *timestamp.Timestamp, err error) {
	none := &timestamp.Timestamp{}
	defer func() { // the library panics at some foreign bytes
		if e := recover(); e != nil {
			t, err = none, fmt.Errorf("read time stamp: %v", e)
		}
	}()
	t, err = timestamp.ParseResponse(response)
	if err != nil {
		return none, fmt.Errorf("read time stamp: %w", err)
	}
	if err := checkForm(response); err != nil {
		return none, err
	}
	sum := sha256.Sum256(message)
	if t.HashAlgorithm != crypto.SHA256 || !bytes.Equal(t.HashedMessage, sum[:]) {
		return none, errors.New("the time stamp is of something else")
	}
	if !t.AddTSACertificate {
		return none, errors.New("the time stamp has no certificate, so nothing signed it")
	}
	t.Time = t.Time.UTC()
	return t, nil
}

// Roots reads certificates in PEM.
func Roots(pemBytes []byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	n := 0
	for {
		var b *pem.Block
		if b, pemBytes = pem.Decode(pemBytes); b == nil {
			break
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil || b.Type != "CERTIFICATE" {
			return nil, errors.Join(errors.New("not certificates in PEM"), err)
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, errors.New("no certificate in PEM")
	}
	return pool, nil
}
