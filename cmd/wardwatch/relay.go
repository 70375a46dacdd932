package main

import (
	"net/url"

	"wardwatch/ingest"
	"wardwatch/rounds/relay"
)

// openRelay starts the TURN server when the configuration has one.
func (s *service) openRelay(media ingest.WebRTCConfig) error {
	t := s.config.WebRTC.TURN
	if !t.on() {
		return nil
	}
	addresses, behind, err := media.Media()
	if err != nil {
		return err
	}
	host := t.Host
	if u, err := url.Parse(s.config.PublicURL); host == "" && err == nil {
		host = u.Hostname()
	}
	if host == "" {
		host = "127.0.0.1" // as the console is then reached
	}
	r, err := relay.Open(relay.Config{
		UDP: t.UDP, TCP: t.TCP, TLS: t.TLS, Certificate: t.Certificate, Key: t.Key, Host: host, Media: addresses, Behind: behind,
	})
	if err != nil {
		return err
	}
	s.close = append(s.close, r.Close)
	s.rounds.Relay = r
	return nil
}
