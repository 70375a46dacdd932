package storage

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"wardwatch/ward"
)

// evictionRecord is what the ledger commits to when a recording is given up
// because the spool is full and the object store does not have it.
type evictionRecord struct {
	Segment ward.SegmentID `json:"segment"`
	Source  ward.Source    `json:"source"`
	From    time.Time      `json:"from"`
	To      time.Time      `json:"to"`
	Bytes   int64          `json:"bytes"`
	SHA256  string         `json:"sha256"`
	Gap     ward.GapID     `json:"gap"`
}

// Evictable returns spooled segments that no hold touches, oldest first,
// after the segment last.
func (s *Store) Evictable(ctx context.Context, last ward.Segment, limit int) ([]ward.Segment, error) {
	return listed(ctx, s, "list evictable segments", scanSegment,
		`SELECT `+segmentColumns+` FROM segment WHERE state = 'spooled' AND (start_us, id) > ($1, $2) AND `+notHeld+` ORDER BY start_us, id LIMIT $3`,
		us(last.Start), last.ID, limit)
}

// Evict gives a spooled segment up: its state, the gap over its stretch and
// the sealed record commit together. ok is false, and nothing is changed,
// when it is held, or no longer only in the spool. The caller removes the
// file afterwards.
func (s *Store) Evict(ctx context.Context, id ward.SegmentID) (ok bool, err error) {
	err = s.change(ctx, fmt.Sprintf("evict segment %s", id), func(t *tx) error {
		ok = false
		// Whoever places a hold has this lock.
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		res, err := t.ExecContext(ctx, `UPDATE segment SET state = $2 WHERE id = $1 AND state = 'spooled' AND `+notHeld, id, ward.Evicted)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return err
		}
		g, err := scanSegment(t.QueryRowContext(ctx, `SELECT `+segmentColumns+` FROM segment WHERE id = $1`, id))
		if err != nil {
			return err
		}
		gap := ward.Gap{Source: g.Source, InstitutionID: g.InstitutionID, From: g.Start, To: g.End, Cause: ward.CauseEvicted}
		if err := t.insertGap(ctx, &gap); err != nil {
			return err
		}
		ok = true
		_, err = t.sealRecord(ctx, KindEviction, string(id), evictionRecord{
			Segment: id, Source: g.Source, From: g.Start, To: g.End, Bytes: g.Bytes, SHA256: hex.EncodeToString(g.SHA256[:]), Gap: gap.ID,
		})
		return err
	})
	return ok && err == nil, err
}

// EvictedSince returns the evicted segments of more than bytes that started
// after since: an upload of one may have been cut off.
func (s *Store) EvictedSince(ctx context.Context, since time.Time, bytes int64) ([]ward.Segment, error) {
	return listed(ctx, s, "list evicted segments", scanSegment,
		`SELECT `+segmentColumns+` FROM segment WHERE state = $1 AND start_us >= $2 AND bytes > $3 ORDER BY start_us, id LIMIT 1000`, ward.Evicted, us(since), bytes)
}

// Waiting is what the object store does not have yet.
type Waiting struct {
	Segments int64
	Bytes    int64
	Oldest   time.Time // start of the oldest; zero when none waits
	Since    time.Time // when the oldest ended, and began to wait
}

// waitingPage is how many rows are looked at at a time for one that is not lost.
const waitingPage = 200

// Waiting counts the segments that wait for upload. Those in lost, by their
// bytes, do not: they are nowhere, and nothing can upload them.
func (s *Store) Waiting(ctx context.Context, lost map[ward.SegmentID]int64) (Waiting, error) {
	var w Waiting
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM segment WHERE state = 'spooled'`).Scan(&w.Segments, &w.Bytes)
	if err != nil {
		return w, fmt.Errorf("count spooled segments: %w", err)
	}
	for _, n := range lost {
		w.Segments, w.Bytes = max(w.Segments-1, 0), max(w.Bytes-n, 0)
	}
	type waits struct {
		id         ward.SegmentID
		start, end int64
	}
	for last := (waits{}); w.Segments > 0; {
		page, err := listed(ctx, s, "find the oldest spooled segment", func(r row) (v waits, err error) {
			return v, r.Scan(&v.id, &v.start, &v.end)
		}, `SELECT id, start_us, end_us FROM segment WHERE state = 'spooled' AND (start_us, id) > ($1, $2) ORDER BY start_us, id LIMIT $3`, last.start, last.id, waitingPage)
		if err != nil {
			return w, err
		}
		for _, v := range page {
			if last = v; lost[v.id] == 0 {
				w.Oldest, w.Since = at(v.start), at(v.end)
				return w, nil
			}
		}
		if len(page) < waitingPage {
			return Waiting{}, nil // they were archived meanwhile
		}
	}
	return w, nil
}
