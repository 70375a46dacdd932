package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// relayed gives the configuration a relay by TLS at an address of this
// machine, with a certificate of its own in the folder: relay.pem.
func relayed(c *Config, at, folder string) error {
	a, err := net.ResolveTCPAddr("tcp", at)
	if err != nil {
		return fmt.Errorf("address of the relay: %w", err)
	}
	cert, _, err := selfSigned([]net.IP{a.IP}, time.Now())
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return fmt.Errorf("key of the relay: %w", err)
	}
	t := &c.WebRTC.TURN
	t.TLS, t.Host = at, a.IP.String()
	t.Certificate, t.Key = filepath.Join(folder, "relay.pem"), filepath.Join(folder, "relay-key.pem")
	for file, block := range map[string]*pem.Block{t.Certificate: {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, t.Key: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			return err
		}
	}
	free, err := net.ListenPacket("udp", ":0") //nolint:noctx // opens at once
	if err != nil {
		return err
	}
	c.WebRTC.UDPPort = free.LocalAddr().(*net.UDPAddr).Port //nolint:forcetypeassert // of a UDP socket
	return free.Close()
}
