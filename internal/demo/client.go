package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
)

// Client speaks the public HTTP API, as any other program would.
type Client struct {
	Base  string // http://host:port
	Token string // an API token; empty: the session cookie
	http  *http.Client
}

// NewClient returns a client that keeps its session in a cookie. trust is of
// the server's certificate; nil means the system's.
func NewClient(base string, trust *x509.CertPool) (*Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Client{Base: base, http: &http.Client{Jar: jar, Transport: transport(trust)}}, nil
}

func transport(trust *x509.CertPool) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	t.TLSClientConfig = &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}
	return t
}

// Problem is an answer that refuses (RFC 9457).
type Problem struct { //nolint:errname // the RFC's own name
	Status   int    `json:"status"`
	Code     string `json:"code"`
	DetailEN string `json:"detail_en"`
	Call     string `json:"-"`
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", p.Call, p.Status, p.Code, p.DetailEN)
}

// Do sends in as JSON (or as it is, when it is []byte of contentType) and
// decodes the JSON answer into out, which may be nil.
func (c *Client) Do(ctx context.Context, method, path string, in, out any, headers ...string) error {
	body, err := c.send(ctx, method, path, in, headers...)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // only read
	if out == nil {
		_, err = io.Copy(io.Discard, body)
		return err
	}
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: read answer: %w", method, path, err)
	}
	return nil
}

// Bytes gets a file.
func (c *Client) Bytes(ctx context.Context, path string) ([]byte, error) {
	body, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return b, nil
}

func (c *Client) send(ctx context.Context, method, path string, in any, headers ...string) (io.ReadCloser, error) {
	var body io.Reader
	contentType := "application/json"
	switch v := in.(type) {
	case nil:
	case []byte:
		body, contentType = bytes.NewReader(v), http.DetectContentType(v)
	case string:
		body, contentType = bytes.NewReader([]byte(v)), "application/sdp"
	default:
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode < 300 {
		return res.Body, nil
	}
	p := &Problem{Status: res.StatusCode, Call: method + " " + path}
	err = json.NewDecoder(res.Body).Decode(p)
	if err != nil {
		p.DetailEN = res.Status
	}
	return nil, errors.Join(p, res.Body.Close())
}
