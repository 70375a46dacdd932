// Package tsa asks a time-stamping authority for tokens over HTTP.
package tsa

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"wardwatch/storage/timestamp"
)

// maxResponse bounds an authority's answer: with its certificates it is some
// 6 kB.
const maxResponse = 64 << 10

// Authority is a time-stamping authority (TSA).
type Authority struct {
	URL   string
	Roots *x509.CertPool // who must have signed the authority's certificate
}

// Stamp has the authority stamp message, of which it sees the SHA-256, and
// returns its verified response (DER, as `openssl ts -verify -in` reads it)
// with the time in it.
func (a Authority) Stamp(ctx context.Context, client *http.Client, message []byte) (_ []byte, _ time.Time, err error) {
	ask, err := timestamp.Ask(message)
	if err != nil {
		return nil, time.Time{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(ask.Query))
	if err != nil {
		return nil, time.Time{}, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	res, err := client.Do(req)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("ask the time-stamp authority: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, time.Time{}, fmt.Errorf("ask the time-stamp authority: status %d", res.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxResponse+1))
	if err != nil || len(b) > maxResponse {
		return nil, time.Time{}, errors.Join(errors.New("the time-stamp authority's answer is too long or was cut off"), err)
	}
	return ask.Open(b, a.Roots)
}
