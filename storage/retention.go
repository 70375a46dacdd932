package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"wardwatch/storage/sealed"
	"wardwatch/ward"
)

// Plan is what retention is about to delete, as the ledger seals it before
// anything is removed.
type Plan struct {
	ID       string           `json:"plan"`
	Segments []PlannedSegment `json:"segments"`
	Pictures []PlannedPicture `json:"pictures"`
	Refused  []RefusedSegment `json:"-"`
}

// PlannedSegment is a recording whose retention has ended.
type PlannedSegment struct {
	ID        ward.SegmentID `json:"segment"`
	Key       string         `json:"key"`
	SHA256    string         `json:"sha256"`
	KeepUntil time.Time      `json:"keep_until"`
}

// PlannedPicture is a sighting's snapshot whose retention has ended.
type PlannedPicture struct {
	ID        ward.SightingID `json:"sighting"`
	Key       string          `json:"key"`
	KeepUntil time.Time       `json:"keep_until"`
}

// RefusedSegment is one that its row calls due, and that is kept because
// what the ledger sealed, or its key, says otherwise.
type RefusedSegment struct {
	ID  ward.SegmentID
	Why string // English, for the log
}

// deletionRecord says what was looked for and is gone.
type deletionRecord struct {
	Plan     string            `json:"plan"`
	Segments []ward.SegmentID  `json:"segments"`
	Pictures []ward.SightingID `json:"pictures"`
}

// dueSegments are archived, past their retention, not held, and not refused
// within refusedFor; see setRefused. What was dated by a clock that was behind
// is due later by as much: %s is clockSteps.query.
const dueSegments = `SELECT ` + segmentColumns + ` FROM segment WHERE state = 'archived' AND keep_until_us > 0 AND keep_until_us <= $1
	AND keep_until_us + %s <= $1 AND (keep_until_us, id) > ($2, $3) AND (retry_us <= $1 OR retry_us > $5) AND ` + notHeld + ` ORDER BY keep_until_us, id LIMIT $4`

// refusedFor is how long what is newer than its policy by what was sealed is
// not looked at again: nothing but its row, which somebody forged, says that
// it is due.
const refusedFor = 24 * time.Hour

// duePictures are snapshots of sightings past their retention that no hold
// touches and nothing else shows; %s as in dueSegments.
const duePictures = `SELECT id, snapshot_key, keep_until_us FROM sighting WHERE snapshot_key <> '' AND picture_state = '' AND keep_until_us > 0 AND keep_until_us <= $1
	AND keep_until_us + %s <= $1 AND ` + freePicture + ` ORDER BY keep_until_us, id LIMIT $2`

// due is dueSegments or duePictures, by the steps that the clock made.
func due(ctx context.Context, q querier) (segments, pictures string, err error) {
	steps, err := readClockSteps(ctx, q)
	return fmt.Sprintf(dueSegments, steps.query(`leaf`)), fmt.Sprintf(duePictures, steps.query(`leaves - 1`)), err
}

// Due returns segments whose retention has ended by now, and that retention
// would delete, after the one given, by the end of retention. It changes nothing.
func (s *Store) Due(ctx context.Context, now time.Time, after ward.Segment, limit int) ([]ward.Segment, error) {
	query, _, err := due(ctx, s.read)
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, "list segments past their retention", scanSegment, query, us(now), us(after.KeepUntil), after.ID, limit, us(now.Add(2*refusedFor)))
}

// DuePictures returns snapshots of sightings whose retention has ended by
// now. It changes nothing.
func (s *Store) DuePictures(ctx context.Context, now time.Time, limit int) ([]PlannedPicture, error) {
	_, query, err := due(ctx, s.read)
	if err != nil {
		return nil, err
	}
	return listed(ctx, s, "list pictures past their retention", scanPlannedPicture, query, us(now), limit)
}

func scanPlannedPicture(r row) (PlannedPicture, error) {
	var p PlannedPicture
	var keep int64
	err := r.Scan(&p.ID, &p.Key, &keep)
	p.KeepUntil = at(keep)
	return p, err
}

// PlanDeletion decides what retention deletes next, at most limit segments
// and as many pictures: rows become deleting, and the plan is sealed, in one
// transaction. What is refused is left alone for refusedFor.
func (s *Store) PlanDeletion(ctx context.Context, now time.Time, limit int) (Plan, error) {
	var p Plan
	err := s.change(ctx, "plan deletions", func(t *tx) error {
		p = Plan{ID: ward.NewID[string](now), Segments: []PlannedSegment{}, Pictures: []PlannedPicture{}}
		// Whoever places a hold has this lock.
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		segments, pictures, err := due(ctx, t)
		if err != nil {
			return err
		}
		if err := t.planSegments(ctx, &p, segments, now, limit); err != nil {
			return err
		}
		rows, err := t.QueryContext(ctx, pictures, us(now), limit)
		if err != nil {
			return err
		}
		if p.Pictures, err = collect(rows, scanPlannedPicture); err != nil {
			return err
		}
		for _, v := range p.Pictures {
			if _, err := t.ExecContext(ctx, `UPDATE sighting SET picture_state = 'deleting', plan_id = $2 WHERE id = $1`, v.ID, p.ID); err != nil {
				return err
			}
		}
		if len(p.Segments)+len(p.Pictures) == 0 {
			return nil
		}
		_, err = t.sealRecord(ctx, KindPlan, p.ID, p)
		return err
	})
	return p, err
}

// planSegments fills p.Segments, passing over those that are refused.
func (t *tx) planSegments(ctx context.Context, p *Plan, query string, now time.Time, limit int) error {
	var after ward.Segment
	for len(p.Segments) < limit {
		rows, err := t.QueryContext(ctx, query, us(now), us(after.KeepUntil), after.ID, limit, us(now.Add(2*refusedFor)))
		if err != nil {
			return err
		}
		due, err := collect(rows, scanSegment)
		if err != nil {
			return err
		}
		for _, g := range due {
			after = g
			why, err := t.newer(ctx, g, now)
			if err != nil {
				return err
			}
			if why != "" {
				p.Refused = append(p.Refused, RefusedSegment{g.ID, why})
				if _, err := t.ExecContext(ctx, `UPDATE segment SET retry_us = $2 WHERE id = $1`, g.ID, us(now.Add(refusedFor))); err != nil {
					return err
				}
				continue
			}
			if len(p.Segments) == limit {
				break
			}
			p.Segments = append(p.Segments, PlannedSegment{g.ID, g.Key, hex.EncodeToString(g.SHA256[:]), g.KeepUntil})
			if _, err := t.ExecContext(ctx, `UPDATE segment SET state = $2, plan_id = $3, retry_us = 0 WHERE id = $1`, g.ID, ward.Deleting, p.ID); err != nil {
				return err
			}
		}
		if len(due) < limit {
			return nil
		}
	}
	return nil
}

// newer says why g is newer than its policy, whatever its row says: retention
// believes what was sealed when g was recorded, and the time in its key.
func (t *tx) newer(ctx context.Context, g ward.Segment, now time.Time) (why string, err error) {
	r := SealedRecord{Leaf: g.Leaf}
	err = t.QueryRowContext(ctx, `SELECT kind, ref, body FROM sealed_record WHERE leaf = $1`, g.Leaf).Scan(&r.Kind, &r.Ref, &r.Body)
	if err = missing(err, "sealed.unknown", "", ""); errors.Is(err, &ward.Error{Kind: ward.NotFound}) {
		return "it has no sealed record", nil
	}
	if err != nil {
		return "", err
	}
	var was sealed.Segment
	if r.Kind != KindSegment || r.Ref != string(g.ID) || r.Into(&was) != nil {
		return "its sealed record cannot be read", nil //nolint:nilerr // it is the answer
	}
	switch {
	case was.KeepUntil.IsZero() || was.KeepUntil.After(now):
		return "it was sealed with a longer retention", nil
	case was.Key != g.Key:
		return "it was sealed with another key", nil
	}
	dated, ok := keyTime(g.Key)
	if !ok || dated.Sub(g.Start).Abs() > time.Millisecond || dated.AddDate(0, 0, 1).After(now) {
		return "its key is newer than its row", nil
	}
	return "", nil
}

// keyTime reads the time in a segment's object key; see ward.SegmentKey.
func keyTime(key string) (time.Time, bool) {
	stamp, _, ok := strings.Cut(key[strings.LastIndexByte(key, '/')+1:], "-")
	if !ok {
		return time.Time{}, false
	}
	dated, err := time.Parse("20060102T150405.000Z", stamp)
	return dated, err == nil
}

// Planned returns what was planned and not yet confirmed, one plan at a
// time, at most limit segments and pictures, without what is set aside at now;
// an empty ID when there is nothing.
func (s *Store) Planned(ctx context.Context, now time.Time, limit int) (Plan, error) {
	var p Plan
	// A clock that was set back must not put off what is set aside for ever.
	const ready = ` AND (retry_us <= $1 OR retry_us > $2)`
	from, most := us(now), us(now.Add(2*keptFor))
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MIN(plan_id), '') FROM (SELECT plan_id FROM segment WHERE state = 'deleting'`+ready+`
		UNION ALL SELECT plan_id FROM sighting WHERE picture_state = 'deleting' AND snapshot_key <> ''`+ready+`) p`, from, most).Scan(&p.ID)
	if err != nil || p.ID == "" {
		return p, err
	}
	segs, err := listed(ctx, s, "list planned deletions", scanSegment,
		`SELECT `+segmentColumns+` FROM segment WHERE state = 'deleting' AND plan_id = $3`+ready+` ORDER BY keep_until_us, id LIMIT $4`, from, most, p.ID, limit)
	if err != nil {
		return p, err
	}
	for _, g := range segs {
		p.Segments = append(p.Segments, PlannedSegment{g.ID, g.Key, hex.EncodeToString(g.SHA256[:]), g.KeepUntil})
	}
	p.Pictures, err = listed(ctx, s, "list planned pictures", scanPlannedPicture,
		`SELECT id, snapshot_key, keep_until_us FROM sighting WHERE picture_state = 'deleting' AND snapshot_key <> '' AND plan_id = $3`+ready+` ORDER BY keep_until_us, id LIMIT $4`, from, most, p.ID, limit)
	return p, err
}

// ConfirmDeletion records that the objects of a plan's segments and pictures
// were looked for and are gone.
func (s *Store) ConfirmDeletion(ctx context.Context, plan string, segs []ward.SegmentID, pics []ward.SightingID) error {
	if len(segs)+len(pics) == 0 {
		return nil
	}
	return s.change(ctx, "confirm deletions of plan "+plan, func(t *tx) error {
		if err := t.lockLedger(ctx); err != nil {
			return err
		}
		rec := deletionRecord{Plan: plan, Segments: []ward.SegmentID{}, Pictures: []ward.SightingID{}}
		for _, id := range segs {
			res, err := t.ExecContext(ctx, `UPDATE segment SET state = $3 WHERE id = $1 AND plan_id = $2 AND state = 'deleting'`, id, plan, ward.Deleted)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 1 {
				rec.Segments = append(rec.Segments, id)
			}
		}
		for _, id := range pics {
			_, err := t.ExecContext(ctx, `UPDATE sighting SET picture_state = 'deleted', snapshot_key = '' WHERE id = $1 AND plan_id = $2 AND picture_state = 'deleting'`, id, plan)
			if err != nil {
				return err
			}
			rec.Pictures = append(rec.Pictures, id)
		}
		_, err := t.sealRecord(ctx, KindDeletion, plan, rec)
		return err
	})
}
