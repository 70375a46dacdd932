package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestSelfSignedIsTrustedByItsPoolAlone(t *testing.T) {
	cert, pool, err := selfSigned([]net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	s.StartTLS()
	defer s.Close()
	get := func(c *tls.Config) error {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c}}
		res, err := client.Get(s.URL)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	if err := get(&tls.Config{RootCAs: pool}); err != nil {
		t.Errorf("with its pool: %v", err)
	}
	if err := get(&tls.Config{}); err == nil {
		t.Error("the system trusts it")
	}
}
