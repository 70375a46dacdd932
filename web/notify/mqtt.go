package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// atLeastOnce is the quality of service: a message counts when the broker has acknowledged it.
const atLeastOnce = 1

// What a broker keeps under the status topic of an endpoint, and tells whoever subscribes.
const (
	online  = "online"
	offline = "offline"
)

// errUnencrypted says that a broker would have to be spoken to without TLS.
var errUnencrypted = errors.New("without TLS")

// brokers are the connections to MQTT brokers, one for each endpoint that is
// enabled, kept so that the status that the broker tells is true.
type brokers struct {
	guard *ingest.Guard

	mu   sync.Mutex // guards open
	open map[ward.EndpointID]*broker
}

type broker struct {
	to     string // what it was opened with; another is opened when that changes
	prefix string // of its topics
	client mqtt.Client
}

// publish sends one event and returns in a word what went wrong.
func (b *brokers) publish(ctx context.Context, p ward.Endpoint, unencrypted bool, body []byte) (failure string) {
	ctx, done := context.WithTimeout(ctx, tryTimeout)
	defer done()
	c, err := b.connect(ctx, p, unencrypted)
	if err == nil {
		err = acknowledged(ctx, c.client.Publish(c.prefix+"/events", atLeastOnce, false, body))
	}
	if err == nil {
		return ""
	}
	b.leave(p.ID) // the next try begins anew, with nothing under way
	return word(err)
}

// connect returns the connection to the broker of p, which it opens when
// there is none, and keeps.
func (b *brokers) connect(ctx context.Context, p ward.Endpoint, unencrypted bool) (*broker, error) {
	to := p.URL + " " + p.User + " " + string(p.Secret)
	b.mu.Lock()
	c := b.open[p.ID]
	b.mu.Unlock()
	if c != nil && c.to == to && c.client.IsConnectionOpen() {
		return c, nil
	}
	b.leave(p.ID)
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "mqtts" && !unencrypted {
		return nil, errUnencrypted
	}
	topic, err := p.Topic()
	if err != nil {
		return nil, err
	}
	c = &broker{to: to, prefix: topic}
	status := c.prefix + "/status"
	dialled := make(chan error, 1) // paho's own error does not wrap it
	o := mqtt.NewClientOptions().AddBroker(p.URL).SetClientID("wardwatch-"+string(p.ID)).SetProtocolVersion(4).
		SetUsername(p.User).SetPassword(string(p.Secret)).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).
		SetKeepAlive(30*time.Second).SetConnectTimeout(tryTimeout).SetWriteTimeout(tryTimeout).SetWill(status, offline, atLeastOnce, true).
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) {
			conn, err := b.dial(ctx, u)
			if err != nil {
				dialled <- err
			}
			return conn, err
		})
	c.client = mqtt.NewClient(o)
	if err = acknowledged(ctx, c.client.Connect()); err == nil {
		err = acknowledged(ctx, c.client.Publish(status, atLeastOnce, true, online))
	}
	if err != nil {
		c.client.Disconnect(0)
		select {
		case cause := <-dialled:
			err = errors.Join(cause, err)
		default:
		}
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open[p.ID] = c
	return c, nil
}

// dial connects where the guard allows it.
func (b *brokers) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	d := &net.Dialer{Timeout: dialTimeout, Control: b.guard.Control}
	if u.Scheme == "mqtts" {
		if port == "" {
			port = "8883"
		}
		return (&tls.Dialer{NetDialer: d, Config: &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	}
	if port == "" {
		port = "1883"
	}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
}

// acknowledged waits for what t stands for.
func acknowledged(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return fmt.Errorf("broker: %w", ctx.Err())
	}
}

// leave ends the connection of an endpoint, if there is one, and says so to the broker.
func (b *brokers) leave(id ward.EndpointID) {
	b.mu.Lock()
	c := b.open[id]
	delete(b.open, id)
	b.mu.Unlock()
	if c == nil {
		return
	}
	if c.client.IsConnectionOpen() {
		c.client.Publish(c.prefix+"/status", atLeastOnce, true, offline).WaitTimeout(time.Second)
	}
	c.client.Disconnect(100) // ms
}

// leaveBut ends the connections of all endpoints but those.
func (b *brokers) leaveBut(ids map[ward.EndpointID]bool) {
	b.mu.Lock()
	var gone []ward.EndpointID
	for id := range b.open {
		if !ids[id] {
			gone = append(gone, id)
		}
	}
	b.mu.Unlock()
	for _, id := range gone {
		b.leave(id)
	}
}
