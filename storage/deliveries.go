package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"wardwatch/ward"
)

// outboxDays is how long what was delivered or given up can be replayed.
const outboxDays = 30

const deliveryColumns = `SELECT endpoint_id, seq, event_id, type, body, at_us, since_us, next_us, attempts, state, http_status, failure, delivered_us FROM notify_outbox`

// headOf is the oldest delivery that waits, of the endpoint $1.
const headOf = ` WHERE endpoint_id = $1 AND state = 'pending' ORDER BY seq LIMIT 1`

// DueEndpoints returns the enabled endpoints whose oldest waiting event is to
// be sent by now. An event waits for the one before it, so that they come in order.
func (s *Store) DueEndpoints(ctx context.Context, now time.Time) ([]ward.EndpointID, error) {
	return listed(ctx, s, "list due endpoints", func(r row) (id ward.EndpointID, err error) {
		err = r.Scan(&id)
		return id, err
	}, `SELECT e.id FROM notify_endpoint e WHERE e.disabled = 0 AND (SELECT o.next_us FROM notify_outbox o
		WHERE o.endpoint_id = e.id AND o.state = 'pending' ORDER BY o.seq LIMIT 1) <= $1 ORDER BY e.id`, us(now))
}

// NextDelivery returns the oldest waiting event of an enabled endpoint and
// the endpoint with its secret; ok is false when there is none that is due by now.
func (s *Store) NextDelivery(ctx context.Context, id ward.EndpointID, now time.Time) (p ward.Endpoint, d ward.Delivery, ok bool, err error) {
	fail := func(err error) (ward.Endpoint, ward.Delivery, bool, error) {
		if errors.Is(err, sql.ErrNoRows) {
			return p, d, false, nil
		}
		return p, d, false, fmt.Errorf("next delivery to %s: %w", id, err)
	}
	if d, err = scanDelivery(s.read.QueryRowContext(ctx, deliveryColumns+headOf, id)); err != nil {
		return fail(err)
	}
	if p, err = scanEndpoint(s.read.QueryRowContext(ctx, endpointColumns+` WHERE id = $1`, id)); err != nil {
		return fail(err)
	}
	var sealed []byte
	if err = s.read.QueryRowContext(ctx, `SELECT secret_sealed FROM notify_endpoint WHERE id = $1`, id).Scan(&sealed); err != nil {
		return fail(err)
	}
	secret, err := s.seal.open(sealed, endpointCell(id))
	if err != nil {
		return fail(err)
	}
	p.Secret = ward.Secret(secret)
	return p, d, !p.Disabled && !d.Next.After(now), nil
}

// EndDelivery notes how a try of d ended: its State, Status, Failure,
// Attempts, Next and Delivered. When a replay began meanwhile, the try does not count.
func (s *Store) EndDelivery(ctx context.Context, d ward.Delivery) error {
	return s.change(ctx, fmt.Sprintf("note delivery %s/%d", d.EndpointID, d.Seq), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE notify_outbox SET state = $4, http_status = $5, failure = $6, attempts = $7, next_us = $8, delivered_us = $9
			WHERE endpoint_id = $1 AND seq = $2 AND since_us = $3 AND state = 'pending'`,
			d.EndpointID, d.Seq, us(d.Since), d.State, d.Status, d.Failure, d.Attempts, us(d.Next), us(d.Delivered))
		return err
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

// SweepOutbox removes what was delivered or given up and is 30 days old.
func (s *Store) SweepOutbox(ctx context.Context, now time.Time) error {
	return s.change(ctx, "sweep outbox", func(t *tx) error {
		_, err := t.ExecContext(ctx, `DELETE FROM notify_outbox WHERE at_us < $1 AND state <> 'pending'`, us(now.AddDate(0, 0, -outboxDays)))
		return err
	})
}

func scanDelivery(r row) (ward.Delivery, error) {
	var d ward.Delivery
	var body string
	var when, since, next, delivered int64
	err := r.Scan(&d.EndpointID, &d.Seq, &d.EventID, &d.Type, &body, &when, &since, &next, &d.Attempts, &d.State, &d.Status, &d.Failure, &delivered)
	d.Body, d.At, d.Since, d.Next, d.Delivered = []byte(body), at(when), at(since), at(next), at(delivered)
	return d, err
}
