package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// sweptTogether is how many old events one transaction removes.
const sweptTogether = 1000

// outboxDays is how long what was delivered or given up can be replayed.
const outboxDays = 30

const deliveryColumns = `SELECT endpoint_id, seq, event_id, type, body, at_us, since_us, next_us, attempts, state, http_status, failure, delivered_us FROM notify_outbox`

// digestMost is how many events one mail tells of at most.
const digestMost = 500

// DueEndpoints returns the enabled endpoints whose oldest waiting event is to
// be sent by now. An event waits for the one before it, so that they come in order.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time) ([]ward.EndpointID, error) {
	return listed(ctx, s, "list due endpoints", func(r row) (id ward.EndpointID, err error) {
		err = r.Scan(&id)
		return id, err
	}, `SELECT e.id FROM notify_endpoint e WHERE e.disabled = 0 AND e.rest_us <= $1 AND (SELECT o.next_us FROM notify_outbox o
		WHERE o.endpoint_id = e.id AND o.state = 'pending' ORDER BY o.seq LIMIT 1) <= $1 ORDER BY e.id`, us(now))
}

// NextDeliveries returns the oldest waiting event of an enabled endpoint, for
// Email as many as one mail tells of, and the endpoint with its secret. There
// are none when the oldest is not due by now, or mail must rest.
func (s *Store) NextDeliveries(ctx context.Context, id ward.EndpointID, now time.Time) (ward.Endpoint, []ward.Delivery, error) {
	p, err := s.SecretEndpoint(ctx, id)
	if ward.KindOf(err) == ward.NotFound || err == nil && p.Disabled {
		return p, nil, nil
	}
	if err != nil {
		return p, nil, err
	}
	most := 1
	if p.Kind == ward.Email {
		most = digestMost
	}
	ds, err := listed(ctx, s, "read next deliveries to "+string(id), scanDelivery,
		deliveryColumns+` WHERE endpoint_id = $1 AND state = 'pending' AND (SELECT rest_us FROM notify_endpoint WHERE id = $1) <= $2 ORDER BY seq LIMIT $3`, id, us(now), most)
	if err != nil || len(ds) == 0 || ds[0].Next.After(now) {
		return p, nil, err
	}
	return p, ds, nil
}

// EndDeliveries notes how a try of the events ds of one endpoint ended: their
// State, Status, Failure, Attempts, Next and Delivered. Nothing is sent there
// before rest, if that is not zero. When a replay began meanwhile, the try of
// an event does not count.
func (s *Store) EndDeliveries(ctx context.Context, id ward.EndpointID, ds []ward.Delivery, rest time.Time) error {
	return s.change(ctx, "note deliveries to "+string(id), func(t *tx) error {
		if _, err := t.ExecContext(ctx, `UPDATE notify_endpoint SET rest_us = $2 WHERE id = $1 AND rest_us < $2`, id, us(rest)); err != nil {
			return err
		}
		for _, d := range ds {
			_, err := t.ExecContext(ctx, `UPDATE notify_outbox SET state = $4, http_status = $5, failure = $6, attempts = $7, next_us = $8, delivered_us = $9
				WHERE endpoint_id = $1 AND seq = $2 AND since_us = $3 AND state = 'pending'`,
				id, d.Seq, us(d.Since), d.State, d.Status, d.Failure, d.Attempts, us(d.Next), us(d.Delivered))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Replay lets every event of an endpoint from the number seq on be sent again,
// in order and with its old id, and returns how many there are. What was given
// up is tried for another day.
func (s *Store) Replay(ctx context.Context, id ward.EndpointID, seq int64, now time.Time) (n int64, err error) {
	err = s.change(ctx, "replay to "+string(id), func(t *tx) error {
		res, err := t.ExecContext(ctx, `UPDATE notify_outbox SET state = 'pending', attempts = 0, next_us = 0, since_us = $3, delivered_us = 0
			WHERE endpoint_id = $1 AND seq >= $2`, id, seq, us(now))
		if err == nil {
			n, err = res.RowsAffected()
		}
		return err
	})
	return n, err
}

// SendTest puts an event of type ward.TestEvent into the outbox of one endpoint, whatever it filters.
func (s *Store) SendTest(ctx context.Context, id ward.EndpointID) error {
	return s.change(ctx, "send test to "+string(id), func(t *tx) error {
		return t.enqueue(ctx, id, cloudEvent{ID: ward.NewID[string](t.now), Type: ward.TestEvent, Data: struct{}{}})
	})
}

// DeliveryFilter narrows Deliveries; a zero field does not.
type DeliveryFilter struct {
	State  ward.DeliveryState
	Before int64 // seq: the last of the page before
	Limit  int   // 1 to 500; 0 means 50
}

// Deliveries lists what goes or went to an endpoint in the last 30 days, the newest first.
func (s *Store) Deliveries(ctx context.Context, id ward.EndpointID, f DeliveryFilter) ([]ward.Delivery, error) {
	args := []any{id}
	where := ` WHERE endpoint_id = $1`
	if f.State != "" {
		args = append(args, f.State)
		where += fmt.Sprintf(` AND state = $%d`, len(args))
	}
	if f.Before > 0 {
		args = append(args, f.Before)
		where += fmt.Sprintf(` AND seq < $%d`, len(args))
	}
	args = append(args, pageSize(f.Limit))
	return listed(ctx, s, "list deliveries to "+string(id), scanDelivery, deliveryColumns+where+fmt.Sprintf(` ORDER BY seq DESC LIMIT $%d`, len(args)), args...)
}

// Backlogs says what has not arrived, of the endpoints that have anything like that.
func (s *Store) Backlogs(ctx context.Context) (map[ward.EndpointID]ward.Backlog, error) {
	all := map[ward.EndpointID]ward.Backlog{}
	_, err := listed(ctx, s, "count what waits in the outbox", func(r row) (b ward.Backlog, err error) {
		var id ward.EndpointID
		var oldest int64
		err = r.Scan(&id, &b.Waiting, &oldest)
		b.Oldest = at(oldest)
		all[id] = b
		return b, err
	}, `SELECT endpoint_id, COUNT(*), MIN(at_us) FROM notify_outbox WHERE state = 'pending' GROUP BY endpoint_id`)
	if err != nil {
		return nil, err
	}
	_, err = listed(ctx, s, "count what was given up in the outbox", func(r row) (b ward.Backlog, err error) {
		var id ward.EndpointID
		var dead int64
		err = r.Scan(&id, &dead)
		b = all[id]
		b.Dead = dead
		all[id] = b
		return b, err
	}, `SELECT endpoint_id, COUNT(*) FROM notify_outbox WHERE state = 'dead' GROUP BY endpoint_id`)
	return all, err
}

// SweepOutbox removes what was delivered or given up, or waits for an endpoint
// that is disabled, and is 30 days old, a
// thousand at a time, so that nobody waits for it long.
func (s *Store) SweepOutbox(ctx context.Context, now time.Time) error {
	for {
		var n int64
		err := s.change(ctx, "sweep outbox", func(t *tx) error {
			res, err := t.ExecContext(ctx, `DELETE FROM notify_outbox WHERE (endpoint_id, seq) IN
				(SELECT endpoint_id, seq FROM notify_outbox WHERE at_us < $1 AND (state <> 'pending' OR endpoint_id IN (SELECT id FROM notify_endpoint WHERE disabled = 1)) ORDER BY at_us LIMIT $2)`, us(now.AddDate(0, 0, -outboxDays)), sweptTogether)
			if err == nil {
				n, err = res.RowsAffected()
			}
			return err
		})
		if err != nil || n < sweptTogether {
			return err
		}
	}
}

func scanDelivery(r row) (ward.Delivery, error) {
	var d ward.Delivery
	var body string
	var when, since, next, delivered int64
	err := r.Scan(&d.EndpointID, &d.Seq, &d.EventID, &d.Type, &body, &when, &since, &next, &d.Attempts, &d.State, &d.Status, &d.Failure, &delivered)
	d.Body, d.At, d.Since, d.Next, d.Delivered = []byte(body), at(when), at(since), at(next), at(delivered)
	return d, err
}
