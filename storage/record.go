package storage

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"wardwatch/storage/ledger"
	"wardwatch/storage/ledger/ledgerdb"
	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

const (
	// mostAtOnce events share a transaction: more would keep all others waiting
	// for longer than the commit that they save.
	mostAtOnce = 128
	// recordTimeout ends a transaction of several events, which the request of none of them may end.
	recordTimeout = 30 * time.Second
)

// eventQueue holds the custody events that wait for those before them. The
// first whose turn it is records all that wait, in one transaction: every
// view of a recording is an event, and a commit costs more than its rows.
type eventQueue struct {
	mu      sync.Mutex
	waiting []*newEvent // guarded by mu
	turn    turn
}

// newEvent is a custody event that somebody waits for.
type newEvent struct {
	ward.Custody
	ctx  context.Context //nolint:containedctx // of the one who waits, while it waits
	done chan error      // of capacity 1
}

// turn is held by the one who records.
type turn chan struct{}

// Record stores one custody event: row and ledger leaf in one transaction,
// which it may share with events that wait at the same time. Seq, At (when
// zero) and Leaf are assigned here. An empty CaseID is a view of media outside
// any case. When ctx ends meanwhile, the event may have been recorded.
func (s *Store) Record(ctx context.Context, c ward.Custody) error {
	c.Means = ward.MeansOf(ctx) // it may be recorded beside those of others
	e := &newEvent{c, ctx, make(chan error, 1)}
	s.events.mu.Lock()
	s.events.waiting = append(s.events.waiting, e)
	s.events.mu.Unlock()
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case s.events.turn <- struct{}{}:
	}
	defer func() { <-s.events.turn }()
	for {
		select {
		case err := <-e.done:
			return err
		default:
			s.recordWaiting(ctx)
		}
	}
}

// recordWaiting records the events that have waited longest, in the order in
// which they came. It is called by the one whose turn it is.
func (s *Store) recordWaiting(ctx context.Context) {
	s.events.mu.Lock()
	n := min(len(s.events.waiting), mostAtOnce)
	batch := make([]*newEvent, 0, n)
	for _, e := range s.events.waiting[:n] {
		if e.ctx.Err() == nil {
			batch = append(batch, e)
		} else {
			e.done <- e.ctx.Err()
		}
	}
	s.events.waiting = append([]*newEvent(nil), s.events.waiting[n:]...)
	s.events.mu.Unlock()
	if len(batch) > 1 {
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		defer cancel()
		if s.recordAll(whole, batch) == nil {
			for _, e := range batch {
				e.done <- nil
			}
			return
		}
	}
	for _, e := range batch { // one of them may be at fault
		e.done <- s.recordAll(e.ctx, []*newEvent{e}) //nolint:contextcheck // each has its own
	}
}

func (s *Store) recordAll(ctx context.Context, batch []*newEvent) error {
	return s.change(ctx, "record custody of "+batch[0].Object, func(t *tx) error {
		events := make([]ward.Custody, len(batch))
		for i, e := range batch {
			events[i] = e.Custody
		}
		return t.custodies(ctx, events)
	})
}

// lastEvent is the end of a case's chain.
type lastEvent struct {
	seq  int64
	hash string // of its sealed record, hex; empty: there is none
}

func (t *tx) lastEvent(ctx context.Context, id ward.CaseID) (lastEvent, error) {
	var last lastEvent
	var body []byte
	err := t.QueryRowContext(ctx, `SELECT c.seq, r.body FROM custody c JOIN sealed_record r ON r.leaf = c.leaf
		WHERE c.case_id = $1 ORDER BY c.seq DESC LIMIT 1`, id).Scan(&last.seq, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return lastEvent{}, nil
	}
	if err != nil {
		return last, fmt.Errorf("read last custody event: %w", err)
	}
	sum := sha256.Sum256(body)
	last.hash = hex.EncodeToString(sum[:])
	return last, nil
}

// custodies appends events to their cases' chains, and fills in Seq, At and Leaf.
func (t *tx) custodies(ctx context.Context, events []ward.Custody) error {
	// The lock comes first: two events of one case must not read the same last one.
	if err := t.lockLedger(ctx); err != nil {
		return err
	}
	ends := make(map[ward.CaseID]lastEvent)
	leaves, bodies := make([][]byte, len(events)), make([][]byte, len(events))
	for i := range events {
		c := &events[i]
		last, ok := ends[c.CaseID]
		if !ok {
			var err error
			if last, err = t.lastEvent(ctx, c.CaseID); err != nil {
				return err
			}
		}
		c.Seq = last.seq + 1
		if c.At.IsZero() {
			c.At = t.now
		}
		c.At = at(us(c.At))
		if c.Means == (ward.Means{}) {
			c.Means = ward.MeansOf(ctx)
		}
		var err error
		bodies[i], leaves[i], err = ledger.Record(KindCustody, custodyRef(*c), t.now, sealed.Custody{
			CaseID: c.CaseID, Seq: c.Seq, At: c.At, Actor: c.Actor, Role: c.Role, Action: c.Action, Object: c.Object, SHA256: c.SHA256, Reason: c.Reason, Prev: last.hash, Result: c.Result, Means: c.Means,
		})
		if err != nil {
			return err
		}
		sum := sha256.Sum256(bodies[i])
		ends[c.CaseID] = lastEvent{c.Seq, hex.EncodeToString(sum[:])}
	}
	first, err := ledgerdb.Append(ctx, t.Tx, leaves...)
	if err != nil {
		return fmt.Errorf("append custody to ledger: %w", err)
	}
	var records, rows []any
	for i := range events {
		c := &events[i]
		c.Leaf = first + int64(i)
		records = append(records, c.Leaf, KindCustody, custodyRef(*c), bodies[i])
		rows = append(rows, c.CaseID, c.Seq, us(c.At), c.Actor, c.Role, c.Action, c.Object, c.SHA256, c.Reason, c.Leaf, c.Result, c.Via, c.Scope, c.Address, c.Device)
	}
	if err := ledgerdb.Insert(ctx, t.Tx, `INSERT INTO sealed_record (leaf, kind, ref, body)`, 4, records); err != nil {
		return fmt.Errorf("store sealed custody: %w", err)
	}
	if err := ledgerdb.Insert(ctx, t.Tx, `INSERT INTO custody (case_id, seq, at_us, actor, role, action, object, sha256, reason, leaf, result, via, scope, address, device)`, 15, rows); err != nil {
		return fmt.Errorf("insert custody: %w", err)
	}
	return nil
}

func custodyRef(c ward.Custody) string { return fmt.Sprintf("%s/%d", c.CaseID, c.Seq) }
