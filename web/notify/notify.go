// Package notify sends what stands in the outbox to the webhooks, mailboxes
// and MQTT brokers that want it: in order for each endpoint, at least once. What an event is and
// who wants it is decided where it is written, in storage; the API of
// endpoints is in web.
package notify

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// lookEvery is how often the outbox is looked at: what an event waits at most when nothing is before it.
	lookEvery = 500 * time.Millisecond
	// giveUpAfter is how long an event is tried before it is given up.
	giveUpAfter = 24 * time.Hour
	// The pause after the first failed try, which doubles up to the longest.
	firstPause   = 2 * time.Second
	longestPause = time.Hour
	sweepEvery   = time.Hour
	// keepEvery is how often a broker that is not connected is tried, so that its status is true also when nothing happens.
	keepEvery = 15 * time.Second
)

// Dispatcher sends. One process of an installation runs it. The fields are set before Run.
type Dispatcher struct {
	Store       *storage.Store
	Mail        MailServer
	Guard       *ingest.Guard    // where endpoints may be
	Unencrypted bool             // allow http
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger

	client  *http.Client
	brokers brokers
}

func (d *Dispatcher) now() time.Time {
	if d.Now != nil {
		return d.Now()
	}
	return time.Now()
}

// Run sends until ctx ends. Each endpoint has a goroutine while something is
// due there, so that a slow one keeps no other waiting.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.client = newClient(d.Guard)
	defer d.client.CloseIdleConnections()
	d.brokers = brokers{guard: d.Guard, open: map[ward.EndpointID]*broker{}}
	defer d.brokers.leaveBut(nil)
	var all sync.WaitGroup
	defer all.Wait()
	busy, done := map[ward.EndpointID]bool{}, make(chan ward.EndpointID, ward.MaxEndpoints)
	begin := func(id ward.EndpointID, f func(context.Context, ward.EndpointID) error) {
		if busy[id] {
			return
		}
		busy[id] = true
		all.Go(func() {
			d.complain(ctx, "notification not sent", f(ctx, id))
			select {
			case done <- id:
			case <-ctx.Done():
			}
		})
	}
	look, keep, sweep := time.NewTicker(lookEvery), time.NewTicker(keepEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer keep.Stop()
	defer sweep.Stop()
	d.keep(ctx, begin)
	for {
		select {
		case <-ctx.Done():
			return nil
		case id := <-done:
			delete(busy, id)
		case <-sweep.C:
			d.complain(ctx, "outbox not swept", d.Store.SweepOutbox(ctx, d.now()))
		case <-keep.C:
			d.keep(ctx, begin)
		case <-look.C:
			due, err := d.Store.DueEndpoints(ctx, d.now())
			d.complain(ctx, "outbox not read", err)
			for _, id := range due {
				begin(id, d.drain)
			}
		}
	}
}

// keep opens the connections to brokers that are to be open, and ends the others.
func (d *Dispatcher) keep(ctx context.Context, begin func(ward.EndpointID, func(context.Context, ward.EndpointID) error)) {
	all, err := d.Store.Endpoints(ctx)
	if err != nil {
		d.complain(ctx, "endpoints not read", err)
		return
	}
	wanted := map[ward.EndpointID]bool{}
	for _, p := range all {
		if p.Kind == ward.MQTT && !p.Disabled {
			wanted[p.ID] = true
			begin(p.ID, d.reach)
		}
	}
	d.brokers.leaveBut(wanted)
}

// reach connects to the broker of an endpoint. That it cannot is said by the
// deliveries, and to whoever subscribes to the status.
func (d *Dispatcher) reach(ctx context.Context, id ward.EndpointID) error {
	p, err := d.Store.SecretEndpoint(ctx, id)
	if err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, tryTimeout)
	defer done()
	_, _ = d.brokers.connect(ctx, p, d.Unencrypted)
	return nil
}

func (d *Dispatcher) complain(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		d.Log.WarnContext(ctx, "notifications are held up", "what", what, "error", err)
	}
}

// drain sends what is due to an endpoint, one after the other, until nothing is.
func (d *Dispatcher) drain(ctx context.Context, id ward.EndpointID) error {
	for ctx.Err() == nil {
		p, vs, err := d.Store.NextDeliveries(ctx, id, d.now())
		if err != nil || len(vs) == 0 {
			return err
		}
		status, failure, err := d.deliver(ctx, p, vs)
		if err != nil || ctx.Err() != nil { // cut off by the end is not the receiver's failure
			return err
		}
		now, rest := d.now(), time.Time{}
		if failure == "" {
			for i := range vs {
				vs[i].State, vs[i].Delivered, vs[i].Next, vs[i].Status, vs[i].Failure = ward.DeliveryDone, now, time.Time{}, status, ""
			}
			if p.Kind == ward.Email {
				rest = now.Add(time.Duration(p.Digest) * time.Minute)
			}
		} else {
			vs = failed(p, vs, status, failure, now)
		}
		if err := d.Store.EndDeliveries(ctx, id, vs, rest); err != nil {
			return err
		}
		if vs[0].State == ward.DeliveryDead {
			d.Log.WarnContext(ctx, "notifications given up after a day", "endpoint", id, "seq", vs[0].Seq, "events", len(vs), "failure", failure)
		}
	}
	return nil
}

// deliver tries once to bring events to an endpoint, and says in one word what
// went wrong there. An error is our own.
func (d *Dispatcher) deliver(ctx context.Context, p ward.Endpoint, vs []ward.Delivery) (status int, failure string, err error) {
	switch p.Kind {
	case ward.Webhook:
		status, failure = d.post(ctx, p, vs[0])
	case ward.MQTT:
		failure = d.brokers.publish(ctx, p, d.Unencrypted, vs[0].Body)
	case ward.Email:
		var subject, body string
		if subject, body, err = d.compose(ctx, vs); err == nil {
			status, failure = d.Mail.send(ctx, p, subject, body, d.now())
		}
	}
	return status, failure, err
}

// failed says what becomes of events that were tried together, of which the
// first was the one that was due: it is tried again, and those that have had
// their day are given up.
func failed(p ward.Endpoint, vs []ward.Delivery, status int, failure string, now time.Time) []ward.Delivery {
	var out []ward.Delivery
	for i, v := range vs {
		v.Status, v.Failure = status, failure
		v = retry(v, now, giveUpAfter+time.Duration(p.Digest)*time.Minute, rand.Float64()) //nolint:gosec // jitter, not a secret
		if i == 0 || v.State == ward.DeliveryDead {
			out = append(out, v)
		}
	}
	return out
}

// retry says when v is tried again after a failed try, or that it is given up
// because its day is over. A mail that waits for others has that much longer.
// The pause doubles; its latter half is by chance (0 to 1), so that receivers
// that come back are not met by all at once.
func retry(v ward.Delivery, now time.Time, day time.Duration, chance float64) ward.Delivery {
	v.Attempts++
	if now.Sub(v.Since) >= day {
		v.State, v.Next = ward.DeliveryDead, time.Time{}
		return v
	}
	pause := longestPause
	if v.Attempts <= 11 { // 2 s · 2^11 is over an hour
		pause = min(pause, firstPause<<(v.Attempts-1))
	}
	v.Next = now.Add(pause/2 + time.Duration(chance*float64(pause/2)))
	return v
}
