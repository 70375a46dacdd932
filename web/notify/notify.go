// Package notify sends what stands in the outbox to the webhooks that want
// it: signed, in order for each endpoint, at least once. What an event is and
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
)

// Dispatcher sends. One process of an installation runs it. The fields are set before Run.
type Dispatcher struct {
	Store       *storage.Store
	Guard       *ingest.Guard    // where endpoints may be
	Unencrypted bool             // allow http
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger

	client *http.Client
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
	var all sync.WaitGroup
	defer all.Wait()
	busy, done := map[ward.EndpointID]bool{}, make(chan ward.EndpointID, ward.MaxEndpoints)
	look, sweep := time.NewTicker(lookEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case id := <-done:
			delete(busy, id)
		case <-sweep.C:
			d.complain(ctx, "outbox not swept", d.Store.SweepOutbox(ctx, d.now()))
		case <-look.C:
			due, err := d.Store.DueEndpoints(ctx, d.now())
			d.complain(ctx, "outbox not read", err)
			for _, id := range due {
				if busy[id] {
					continue
				}
				busy[id] = true
				all.Go(func() {
					d.complain(ctx, "notification not sent", d.drain(ctx, id))
					select {
					case done <- id:
					case <-ctx.Done():
					}
				})
			}
		}
	}
}

func (d *Dispatcher) complain(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		d.Log.WarnContext(ctx, "notifications are held up", "what", what, "error", err)
	}
}

// drain sends what is due to an endpoint, one after the other, until nothing is.
func (d *Dispatcher) drain(ctx context.Context, id ward.EndpointID) error {
	for ctx.Err() == nil {
		p, v, ok, err := d.Store.NextDelivery(ctx, id, d.now())
		if err != nil || !ok {
			return err
		}
		status, failure := d.post(ctx, p, v)
		if ctx.Err() != nil {
			break // cut off by the end: not the receiver's failure
		}
		v.Status, v.Failure = status, failure
		if failure == "" {
			v.State, v.Delivered, v.Next = ward.DeliveryDone, d.now(), time.Time{}
		} else {
			v = retry(v, d.now(), rand.Float64()) //nolint:gosec // jitter, not a secret
		}
		if err := d.Store.EndDelivery(ctx, v); err != nil {
			return err
		}
		if v.State == ward.DeliveryDead {
			d.Log.WarnContext(ctx, "notification given up after a day", "endpoint", id, "seq", v.Seq, "failure", failure)
		}
	}
	return nil
}

// retry says when v is tried again after a failed try, or that it is given up.
// The pause doubles; its latter half is by chance (0 to 1), so that receivers
// that come back are not met by all at once.
func retry(v ward.Delivery, now time.Time, chance float64) ward.Delivery {
	v.Attempts++
	if now.Sub(v.Since) >= giveUpAfter {
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
