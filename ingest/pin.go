package ingest

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"strings"
)

// UntrustedError is the error of an rtsps camera that shows a certificate
// other than the stored one, or that no authority signed.
type UntrustedError struct {
	Fingerprint string // SHA-256 of the certificate shown, in hex
	Err         error
}

func (e *UntrustedError) Error() string {
	return "certificate " + e.Fingerprint + " is not trusted: " + e.Err.Error()
}

func (e *UntrustedError) Unwrap() error { return e.Err }

var errOtherCertificate = errors.New("it is not the stored one")

// trust returns the TLS settings for a camera at host. With a pin (SHA-256
// of the camera's certificate, in hex; colons and case do not matter) that
// certificate is trusted and no other; without, what the system trusts. seen
// is told the certificate's fingerprint.
func trust(host, pin string, seen func(fingerprint string)) *tls.Config {
	pin = strings.ToLower(strings.ReplaceAll(pin, ":", ""))
	return &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection does it
		VerifyConnection: func(c tls.ConnectionState) error {
			sum := sha256.Sum256(c.PeerCertificates[0].Raw)
			shown := hex.EncodeToString(sum[:])
			seen(shown)
			if pin != "" {
				if subtle.ConstantTimeCompare([]byte(shown), []byte(pin)) == 1 {
					return nil
				}
				return &UntrustedError{Fingerprint: shown, Err: errOtherCertificate}
			}
			between := x509.NewCertPool()
			for _, p := range c.PeerCertificates[1:] {
				between.AddCert(p)
			}
			if _, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: between}); err != nil {
				return &UntrustedError{Fingerprint: shown, Err: err}
			}
			return nil
		},
	}
}
