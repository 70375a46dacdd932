package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// tryTimeout of a whole try; Standard Webhooks asks for 15 to 30 s.
	tryTimeout  = 15 * time.Second
	dialTimeout = 5 * time.Second
	// maxAnswer is how much of an answer is read, so that its connection can serve again.
	maxAnswer = 4 << 10
)

// newClient posts to addresses that the guard allows, which it asks after the
// name was looked up. It follows no redirection and uses no proxy, since
// either would lead around the guard.
func newClient(guard *ingest.Guard) *http.Client {
	return &http.Client{
		Timeout:       tryTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: dialTimeout, Control: guard.Control}).DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
}

// Sign is the value of the header webhook-signature of Standard Webhooks:
// "v1," and the base64 of HMAC-SHA256 over "id.unix-seconds.body".
func Sign(key []byte, id string, at time.Time, body []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// post sends d once. status is that of the answer, 0 when none came; failure
// says in one word what went wrong, and is empty after an answer of 2xx.
func (d *Dispatcher) post(ctx context.Context, p ward.Endpoint, v ward.Delivery) (status int, failure string) {
	key, err := p.SigningKey()
	if err != nil {
		return 0, "secret"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(v.Body))
	if err != nil {
		return 0, "address"
	}
	if req.URL.Scheme != "https" && !d.Unencrypted {
		return 0, "https"
	}
	now := d.now()
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	req.Header.Set("User-Agent", "wardwatch")
	req.Header.Set("Webhook-Id", v.EventID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", Sign(key, v.EventID, now, v.Body))
	res, err := d.client.Do(req)
	if err != nil {
		return 0, word(err)
	}
	defer res.Body.Close()                                          //nolint:errcheck // the answer counts, not its rest
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // only to use the connection again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return res.StatusCode, fmt.Sprintf("status_%d", res.StatusCode)
	}
	return res.StatusCode, ""
}

// word says in one word why no answer came; the error itself has the address,
// which may hold a token.
func word(err error) string {
	var timeout net.Error
	var cert *tls.CertificateVerificationError
	var dns *net.DNSError
	switch {
	case errors.Is(err, errUnencrypted):
		return "https"
	case errors.Is(err, ingest.ErrGuarded):
		return "guarded"
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		return "sign_in"
	case errors.As(err, &cert):
		return "certificate"
	case errors.As(err, &dns):
		return "name"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "connection"
}
