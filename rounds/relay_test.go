package rounds_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"wardwatch/ingest"
	"wardwatch/internal/simbed"
	"wardwatch/rounds"
	"wardwatch/rounds/relay"
	"wardwatch/ward"
)

// relayed gives an engine a media port of its own and a relay to it, by TCP
// only: what a hospital leaves that lets no UDP out.
func relayed(t *testing.T) func(*rounds.Engine) {
	t.Helper()
	free, err := net.ListenPacket("udp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port
	free.Close()
	config := ingest.WebRTCConfig{UDPPort: port, Loopback: true}
	a, closeAPI, err := ingest.NewWebRTC(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closeAPI() })
	media, behind, err := config.Media()
	if err != nil {
		t.Fatal(err)
	}
	s, err := relay.Open(relay.Config{TCP: "127.0.0.1:0", Host: "127.0.0.1", Media: media, Behind: behind})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return func(e *rounds.Engine) { e.API, e.Relay = a, s }
}

// TestAVisitByTheRelay: the media of a bedside come through TURN over TCP.
func TestAVisitByTheRelay(t *testing.T) {
	t.Parallel()
	r := newRig(t, relayed(t))
	r.admit("", 0)
	link := r.order(time.Hour)
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := simbed.Run(ctx, simbed.Options{Server: r.url, Link: link.Token, Behaviour: simbed.Loop, Clip: clip(t, "franck", false), RelayOnly: true})
		done <- err
	}()
	r.until(link.Visit.ID, time.Minute, func(v ward.Visit) bool { return v.State == ward.VisitChecking })
	leave()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTheRelayIsForVisits: its credentials are only for the device that
// opened a link, and for those who may join, while the visit lasts.
func TestTheRelayIsForVisits(t *testing.T) {
	t.Parallel()
	r := newRig(t, relayed(t))
	r.admit("", 0)
	link := r.order(time.Hour)
	if _, err := r.engine.BedsideICE(t.Context(), "nobody"); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := r.engine.CallICE(link.Visit, inspector); !errors.Is(err, &ward.Error{Code: "visit.state"}) {
		t.Errorf("before the link is opened: %v", err)
	}
	device, _, _, err := r.engine.Open(t.Context(), link.Token)
	if err != nil {
		t.Fatal(err)
	}
	ice, err := r.engine.BedsideICE(t.Context(), device)
	if err != nil || len(ice.Servers) != 1 || ice.Servers[0].Credential == "" {
		t.Fatalf("%+v, %v", ice, err)
	}
	v, err := r.store.Visit(t.Context(), link.Visit.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.engine.CallICE(v, ward.User{ID: "x", Role: ward.Operator, AllInstitutions: true}); !errors.Is(err, &ward.Error{Kind: ward.Forbidden}) {
		t.Errorf("an operator: %v", err)
	}
	if ice, err := r.engine.CallICE(v, inspector); err != nil || len(ice.Servers) != 1 {
		t.Errorf("the inspector: %+v, %v", ice, err)
	}
	if err := r.engine.Consent(t.Context(), device, false); err != nil {
		t.Fatal(err)
	}
	if _, err := r.engine.BedsideICE(t.Context(), device); err == nil {
		t.Error("after the refusal")
	}
}
