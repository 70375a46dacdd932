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

// Evictable returns spooled segments that no hold touches, oldest first.
func (s *Store) Evictable(ctx context.Context, limit int) ([]ward.Segment, error) {
	return listed(ctx, s, "list evictable segments", scanSegment,
		`SELECT `+segmentColumns+` FROM segment WHERE state = 'spooled' AND `+notHeld+` ORDER BY start_us, id LIMIT $1`, limit)
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

// Waiting counts the segments that wait for upload.
func (s *Store) Waiting(ctx context.Context) (Waiting, error) {
	var w Waiting
	var oldest, since int64
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(bytes), 0), COALESCE(MIN(start_us), 0),
		COALESCE((SELECT end_us FROM segment WHERE state = 'spooled' ORDER BY start_us, id LIMIT 1), 0) FROM segment WHERE state = 'spooled'`).
		Scan(&w.Segments, &w.Bytes, &oldest, &since)
	if err != nil {
		return w, fmt.Errorf("count spooled segments: %w", err)
	}
	w.Oldest, w.Since = at(oldest), at(since)
	return w, nil
}
