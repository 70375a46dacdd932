package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"wardwatch/ward"
)

// HoldState is how far the object store is with withholding an object.
type HoldState string

// The states.
const (
	HoldWanted HoldState = "wanted" // the store does not withhold it yet
	HoldPlaced HoldState = "held"   // the store said so, and was asked again
	HoldEnding HoldState = "ending" // no case holds it any more
)

// Why the store does not withhold an object yet.
const (
	HoldNoLock  = "no_lock" // it cannot: its bucket was made without object lock
	HoldMissing = "missing" // it does not have the object, or not yet
	HoldRefused = "refused" // it is away, full or refuses
	holdNone    = ""        // it was not asked yet, or said yes
)

// ObjectHold is one object that the store is to withhold from deletion.
type ObjectHold struct {
	Key   string
	State HoldState
	Since time.Time // when it was wanted
	Done  time.Time // when the store last said yes; zero: never
	Why   string
	gen   int64
}

const objectHoldColumns = `SELECT object_key, state, gen, since_us, done_us, why FROM object_hold`

func scanObjectHold(r row) (ObjectHold, error) {
	var h ObjectHold
	var since, done int64
	err := r.Scan(&h.Key, &h.State, &h.gen, &since, &done, &h.Why)
	h.Since, h.Done = at(since), at(done)
	return h, err
}

// objectsUnder are the keys of the objects that a hold on the source of kind
// $1 and id $2 over [$3, $4] touches. $5 is $4 and MaxSighting.
var objectsUnder = `SELECT held_key FROM (` + spansUnder + `) touched`

// spansUnder are these objects with the first and the last microsecond that a
// hold touches them with. The limit is no argument: SQLite would
// parse the statement again for every hold.
var spansUnder = `SELECT object_key AS held_key, start_us + 1 AS first_us, end_us - 1 AS last_us FROM segment
		WHERE source_kind = $1 AND source_id = $2 AND start_us >= $3 AND start_us < $4 AND end_us > $3 AND (state IN ('spooled', 'archived') OR state = 'deleting' AND removing = 0)
	UNION ALL SELECT object_key, start_us + 1, end_us - 1 FROM (SELECT object_key, start_us, end_us, state, removing FROM segment
		WHERE source_kind = $1 AND source_id = $2 AND start_us < $3 AND start_us < $4 ORDER BY start_us DESC LIMIT ` + strconv.Itoa(maxBefore) + `) earlier
		WHERE end_us > $3 AND (state IN ('spooled', 'archived') OR state = 'deleting' AND removing = 0)
	UNION ALL SELECT snapshot_key, from_us, to_us FROM sighting WHERE $1 = 'camera' AND camera_id = $2 AND snapshot_key <> '' AND to_us >= $3 AND to_us <= $5 AND from_us <= $4
		AND (picture_state = '' OR picture_state = 'deleting' AND removing = 0)`

func underArgs(h ward.Hold) []any {
	to := us(h.To)
	return []any{h.Source.Kind, h.Source.ID, us(h.From), to, to + MaxSighting.Microseconds()}
}

// stillHeld says whether something holds the object with the key $1.
const stillHeld = `SELECT 1 WHERE EXISTS (SELECT 1 FROM segment WHERE object_key = $1 AND NOT ` + notHeld + `)
	OR EXISTS (SELECT 1 FROM sighting v JOIN hold h ON h.source_kind = 'camera' AND h.source_id = v.camera_id AND h.from_us <= v.to_us AND h.to_us >= v.from_us
		WHERE v.snapshot_key = $1 AND h.release_id = '')
	OR EXISTS (SELECT 1 FROM evidence e WHERE e.kind IN ('snapshot', 'file') AND e.ref = $1 AND e.release_id = '')`

// wantHold queues that the store withholds the objects.
func (t *tx) wantHold(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		_, err := t.ExecContext(ctx, `INSERT INTO object_hold (object_key, state, gen, since_us, done_us, retry_us, why) VALUES ($1, 'wanted', 1, $2, 0, 0, '')
			ON CONFLICT (object_key) DO UPDATE SET state = 'wanted', gen = object_hold.gen + 1, since_us = excluded.since_us, retry_us = 0, why = ''
			WHERE object_hold.state = 'ending'`, key, us(t.now))
		if err != nil {
			return fmt.Errorf("queue the hold of object %s: %w", key, err)
		}
	}
	return nil
}

// wantUnder queues that the store withholds what h touches.
func (t *tx) wantUnder(ctx context.Context, h ward.Hold) error {
	rows, err := t.QueryContext(ctx, objectsUnder, underArgs(h)...)
	if err != nil {
		return fmt.Errorf("list the objects of %s: %w", h.Source, err)
	}
	keys, err := collect(rows, scanKey)
	if err != nil {
		return err
	}
	return t.wantHold(ctx, keys...)
}

// QueueHolds queues what came under a hold after that was placed: recordings
// that were stored late, pictures, and what an older version left. It returns
// how many objects it queued.
func (s *Store) QueueHolds(ctx context.Context) (n int, err error) {
	for last := ward.HoldID(""); ; {
		holds, err := listed(ctx, s, "list holds", scanHold, holdColumns+` WHERE id > $1 AND release_id = '' ORDER BY id LIMIT $2`, last, holdsPage)
		if err != nil {
			return n, err
		}
		for _, h := range holds {
			last = h.ID
			more, err := s.queueMissing(ctx, `SELECT held_key FROM (`+objectsUnder+`) u WHERE NOT EXISTS (SELECT 1 FROM object_hold o WHERE o.object_key = u.held_key)`, underArgs(h)...)
			n += more
			if err != nil {
				return n, err
			}
		}
		if len(holds) < holdsPage {
			break
		}
	}
	more, err := s.queueMissing(ctx, `SELECT e.ref FROM evidence e WHERE e.kind IN ('snapshot', 'file') AND e.release_id = '' AND NOT EXISTS (SELECT 1 FROM object_hold o WHERE o.object_key = e.ref)`)
	return n + more, err
}

// holdsPage is how many holds are read at a time.
const holdsPage = 500

func (s *Store) queueMissing(ctx context.Context, query string, args ...any) (int, error) {
	keys, err := listed(ctx, s, "list objects without a hold", scanKey, query, args...)
	if err != nil || len(keys) == 0 {
		return 0, err
	}
	return len(keys), s.change(ctx, "queue holds of objects", func(t *tx) error { return t.wantHold(ctx, keys...) })
}

// HoldsToDo returns objects whose hold is to be placed or taken away, and
// whose time to try has come, the earliest first.
func (s *Store) HoldsToDo(ctx context.Context, now time.Time, limit int) ([]ObjectHold, error) {
	return listed(ctx, s, "list holds to be placed", scanObjectHold, objectHoldColumns+` WHERE state <> 'held' AND retry_us <= $1 ORDER BY retry_us, object_key LIMIT $2`, us(now), limit)
}

// MayUnhold says whether nothing holds the object any more. If something does,
// what was ending is wanted again.
func (s *Store) MayUnhold(ctx context.Context, h ObjectHold) (may bool, err error) {
	err = s.change(ctx, "look whether object "+h.Key+" is still held", func(t *tx) error {
		// Whoever places a hold has this lock.
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		var one int
		err := t.QueryRowContext(ctx, stillHeld, h.Key).Scan(&one)
		if may = errors.Is(err, sql.ErrNoRows); may {
			return nil
		}
		if err != nil {
			return err
		}
		return t.wantHold(ctx, h.Key)
	})
	return may, err
}

// HoldDone records that the store did what h asks for: a hold that ended is
// forgotten. When something else was asked meanwhile the store is asked again.
func (s *Store) HoldDone(ctx context.Context, h ObjectHold) error {
	return s.change(ctx, "record the hold of object "+h.Key, func(t *tx) error {
		query, args := `UPDATE object_hold SET state = 'held', done_us = $3, retry_us = 0, why = '' WHERE object_key = $1 AND gen = $2 AND state = 'wanted'`, []any{h.Key, h.gen, us(t.now)}
		if h.State == HoldEnding {
			query, args = `DELETE FROM object_hold WHERE object_key = $1 AND gen = $2 AND state = 'ending'`, args[:2]
		}
		res, err := t.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		_, err = t.ExecContext(ctx, `UPDATE object_hold SET state = CASE WHEN state = 'held' THEN 'wanted' ELSE state END, gen = gen + 1, retry_us = 0 WHERE object_key = $1 AND gen <> $2`, h.Key, h.gen)
		return err
	})
}

// HoldFailed records why the store did not do what h asks for, and when it is
// asked again.
func (s *Store) HoldFailed(ctx context.Context, h ObjectHold, why string, again time.Time) error {
	return s.change(ctx, "record the hold of object "+h.Key, func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE object_hold SET why = $3, retry_us = $4 WHERE object_key = $1 AND gen = $2`, h.Key, h.gen, why, us(again))
		return err
	})
}

// HoldCount is how many objects the store withholds, and why not the others.
type HoldCount struct {
	Held    int64 `json:"held"`    // withheld by the store itself
	Waiting int64 `json:"waiting"` // asked for; tried again until done
	NoLock  int64 `json:"no_lock"` // the store cannot: Wardwatch alone keeps them
	Missing int64 `json:"missing"` // of those that wait: not in the store, or not yet
}

func (c *HoldCount) add(state HoldState, why string, n int64) {
	switch {
	case state == HoldPlaced:
		c.Held += n
	case state == HoldEnding:
	case why == HoldNoLock:
		c.NoLock += n
	default:
		c.Waiting += n
		if why == HoldMissing {
			c.Missing += n
		}
	}
}

// HoldCount counts all objects that are held.
func (s *Store) HoldCount(ctx context.Context) (c HoldCount, err error) {
	_, err = listed(ctx, s, "count holds of objects", func(r row) (struct{}, error) {
		var state HoldState
		var why string
		var n int64
		err := r.Scan(&state, &why, &n)
		c.add(state, why, n)
		return struct{}{}, err
	}, `SELECT state, why, COUNT(*) FROM object_hold GROUP BY state, why`)
	return c, err
}
