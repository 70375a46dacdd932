package notify_test

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
	"wardwatch/web/notify"
)

// taken is what brokers acknowledged of the events of one endpoint.
type taken struct {
	broker.HookBase
	deaths atomic.Int32 // so many events are not acknowledged first: the broker hangs up
	mu     sync.Mutex   // guards events
	events []string
}

// Provides says that OnPublish is to be asked.
func (k *taken) Provides(b byte) bool { return b == broker.OnPublish }

// OnPublish sees what came, before it is acknowledged.
func (k *taken) OnPublish(c *broker.Client, p packets.Packet) (packets.Packet, error) {
	if p.TopicName == "city/ward/events" && (p.FixedHeader.Qos != 1 || k.deaths.Add(-1) >= 0) {
		c.Stop(errors.New("dead"))
		return p, packets.ErrRejectPacket
	}
	return p, nil
}

func (k *taken) seen() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.events...)
}

// startBroker starts a broker with TLS that one user may sign in to, at address, and returns where it is.
func startBroker(t *testing.T, address string, k *taken) (at string, stop func()) {
	t.Helper()
	s := broker.New(&broker.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
	rules := &auth.Ledger{Auth: auth.AuthRules{{Username: "ward", Password: "secret", Allow: true}}, ACL: auth.ACLRules{{Username: "ward", Filters: auth.Filters{"#": auth.ReadWrite}}}}
	must(t, s.AddHook(new(auth.Hook), &auth.Options{Ledger: rules}))
	must(t, s.AddHook(k, nil))
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: address, TLSConfig: &tls.Config{Certificates: []tls.Certificate{trusted}, MinVersion: tls.VersionTLS12}})
	until(t, "the address is free", func() bool { return s.AddListener(l) == nil }) // others bind ports meanwhile
	must(t, s.Subscribe("city/ward/events", 1, func(_ *broker.Client, _ packets.Subscription, p packets.Packet) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.events = append(k.events, string(p.Payload))
	}))
	must(t, s.Serve())
	stop = sync.OnceFunc(func() { must(t, s.Close()) })
	t.Cleanup(stop)
	return l.Address(), stop
}

// status is what a broker tells somebody who subscribes to the status now.
func status(t *testing.T, address string) string {
	t.Helper()
	kept := make(chan string, 1)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("ssl://" + address).SetClientID("receiver").SetUsername("ward").SetPassword("secret"))
	for _, k := range []func() mqtt.Token{c.Connect, func() mqtt.Token {
		return c.Subscribe("city/ward/status", 1, func(_ mqtt.Client, m mqtt.Message) {
			if m.Retained() {
				kept <- string(m.Payload())
			}
		})
	}} {
		if token := k(); !token.WaitTimeout(time.Minute) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	defer c.Disconnect(100)
	select {
	case text := <-kept:
		return text
	case <-time.After(time.Second):
		return "" // there is none yet
	}
}

// Events are published in order, once acknowledged; a broker that went away
// gets what it missed; the status says whether we are there.
func TestPublishesToABroker(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		var got taken
		at, stopBroker := startBroker(t, "127.0.0.1:0", &got)
		must(t, s.AddEndpoint(t.Context(), ward.Endpoint{ID: "b", Kind: ward.MQTT, Name: "x", URL: "mqtts://" + at + "/city/ward", User: "ward", Secret: "secret", Created: time.Now()}))
		stop := run(t, &notify.Dispatcher{Store: s, Guard: local()})
		until(t, "the status", func() bool { return status(t, at) == "online" })
		send := func(n int) {
			for range n {
				must(t, s.SendTest(t.Context(), "b"))
			}
		}
		arrived := func() bool {
			ds := deliveries(t, s, "b")
			return len(distinct(got.seen())) == len(ds) && ds[len(ds)-1].State == ward.DeliveryDone
		}
		got.deaths.Store(2)
		send(3)
		until(t, "the first three", arrived)
		if d := deliveries(t, s, "b")[0]; d.Attempts != 2 {
			t.Errorf("an event that nobody acknowledged was tried %d times more", d.Attempts)
		}
		stopBroker()
		send(2)
		until(t, "a try failed", func() bool { return deliveries(t, s, "b")[3].Attempts > 0 })
		startBroker(t, at, &got)
		until(t, "what was missed", arrived)
		for i, body := range distinct(got.seen()) {
			if want := string(deliveries(t, s, "b")[i].Body); body != want {
				t.Errorf("event %d: got %s, want %s", i, body, want)
			}
		}
		until(t, "the status again", func() bool { return status(t, at) == "online" })
		stop()
		until(t, "the end in the status", func() bool { return status(t, at) == "offline" })
	})
}

// distinct are the events without those that came before.
func distinct(events []string) (out []string) {
	known := map[string]bool{}
	for _, e := range events {
		if !known[e] {
			out = append(out, e)
		}
		known[e] = true
	}
	return out
}

// What keeps a broker from taking events is said.
func TestBrokerFailures(t *testing.T) {
	s := teststore.SQLite(t)
	at, _ := startBroker(t, "127.0.0.1:0", &taken{})
	for id, p := range map[ward.EndpointID]ward.Endpoint{
		"sign_in": {URL: "mqtts://" + at + "/x", User: "ward", Secret: "wrong"},
		"https":   {URL: "mqtt://" + at + "/x"},
		"guarded": {URL: "mqtts://[::1]:8883/x"},
	} {
		p.ID, p.Kind, p.Name, p.Created = id, ward.MQTT, "x", time.Now()
		must(t, s.AddEndpoint(t.Context(), p))
		must(t, s.SendTest(t.Context(), id))
	}
	run(t, &notify.Dispatcher{Store: s, Guard: local()})
	for _, id := range []ward.EndpointID{"sign_in", "https", "guarded"} {
		until(t, "a failure of "+string(id), func() bool { return deliveries(t, s, id)[0].Failure != "" })
		if got := deliveries(t, s, id)[0].Failure; got != string(id) {
			t.Errorf("got %q, want %q", got, id)
		}
	}
}
