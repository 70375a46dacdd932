package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"wardwatch/ward"
)

// MaxSighting is the longest sighting that is stored: a longer one is cut
// into several by the debouncer. It bounds what a search must read.
const MaxSighting = time.Hour

// PutSighting inserts a sighting, or replaces it by id while it grows. Its
// template is sealed, and its snapshot is kept for as long as its camera's
// recordings now are, from when it was seen on, however late it is stored. One longer than MaxSighting, or that ends before it
// begins, is refused.
func (s *Store) PutSighting(ctx context.Context, v ward.Sighting) error {
	return s.PutSightings(ctx, []ward.Sighting{v})
}

// PutSightings stores all or none: somebody seen must never be lost while
// the interval that says "we were watching" is kept.
func (s *Store) PutSightings(ctx context.Context, vs []ward.Sighting) error {
	if len(vs) == 0 {
		return nil
	}
	for _, v := range vs {
		if v.ID == "" || v.From.IsZero() || v.To.Before(v.From) || v.To.Sub(v.From) > MaxSighting {
			return fmt.Errorf("put sighting %s: from %s to %s", v.ID, v.From, v.To)
		}
	}
	return s.change(ctx, "put sightings of "+string(vs[0].CameraID), func(t *tx) error {
		for _, v := range vs {
			box, err := json.Marshal(v.Box)
			if err != nil {
				return err
			}
			tmpl := s.seal.sealTemplate(v.Template, "sighting.template."+string(v.ID))
			_, err = t.ExecContext(ctx, `INSERT INTO sighting
				(id, camera_id, place_id, institution_id, kind, from_us, to_us, people, score, box, model_id, template, snapshot_key, zone, keep_until_us, leaves, stored_us)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
					COALESCE((SELECT CAST($15 AS BIGINT) + retention_days * CAST(86400000000 AS BIGINT) FROM camera WHERE id = $2), 0),
					COALESCE((SELECT MAX(idx) + 1 FROM log_entry), 0), $16)
				ON CONFLICT (id) DO UPDATE SET to_us = excluded.to_us, people = excluded.people, score = excluded.score,
					box = excluded.box, model_id = excluded.model_id, template = excluded.template, snapshot_key = excluded.snapshot_key, zone = excluded.zone,
					stored_us = excluded.stored_us`,
				v.ID, v.CameraID, v.PlaceID, v.InstitutionID, v.Kind, us(v.From), us(v.To), v.Count, float64(v.Score),
				string(box), v.ModelID, tmpl, v.SnapshotKey, v.Zone, us(seenAt(v, t.now)), us(t.now))
			if err != nil {
				return fmt.Errorf("sighting %s: %w", v.ID, err)
			}
		}
		return nil
	})
}

// seenAt is when v was seen by the clock of now: the one that From is of may
// have been set since, and then says too much or too little of its age.
func seenAt(v ward.Sighting, now time.Time) time.Time {
	if v.Seen.IsZero() {
		return v.From
	}
	if by := now.Round(0).Add(-now.Sub(v.Seen)); by.Sub(v.From).Abs() >= MinClockStep {
		return by
	}
	return v.From
}

// SetSightingSnapshot names the stored best shot of a sighting.
func (s *Store) SetSightingSnapshot(ctx context.Context, id ward.SightingID, key string) error {
	return s.change(ctx, "set snapshot of sighting "+string(id), func(t *tx) error {
		_, err := t.ExecContext(ctx, `UPDATE sighting SET snapshot_key = $2 WHERE id = $1`, id, key)
		return err
	})
}

const sightingColumns = `SELECT id, camera_id, place_id, institution_id, kind, from_us, to_us, people, score, box, model_id, template, snapshot_key, zone FROM sighting`

// SightingsAt returns what was seen at a place at any moment of [from, to],
// with templates, in the order of beginning.
func (s *Store) SightingsAt(ctx context.Context, place ward.PlaceID, from, to time.Time) ([]ward.Sighting, error) {
	// Naming the kinds lets both engines walk the index (place_id, kind, to_us).
	rows, err := s.read.QueryContext(ctx, sightingColumns+`
		WHERE place_id = $1 AND kind IN ('watched', 'people', 'face', 'staff') AND to_us >= $2 AND to_us <= $4 AND from_us <= $3
		ORDER BY from_us, id`, place, us(from), us(to), us(to.Add(MaxSighting)))
	if err != nil {
		return nil, fmt.Errorf("read sightings at %s: %w", place, err)
	}
	out, err := collect(rows, s.scanSighting)
	if err != nil {
		return nil, fmt.Errorf("read sightings at %s: %w", place, err)
	}
	return out, nil
}

// Sighting returns one sighting with its template, or ward.NotFound.
func (s *Store) Sighting(ctx context.Context, id ward.SightingID) (ward.Sighting, error) {
	v, err := s.scanSighting(s.read.QueryRowContext(ctx, sightingColumns+` WHERE id = $1`, id))
	if err != nil {
		return v, fmt.Errorf("read sighting %s: %w", id, missing(err, "sighting.unknown", "没有这条记录。", "No such sighting."))
	}
	return v, nil
}

func (s *Store) scanSighting(r row) (ward.Sighting, error) {
	var v ward.Sighting
	var from, to int64
	var box string
	var score float64
	var tmpl []byte
	err := r.Scan(&v.ID, &v.CameraID, &v.PlaceID, &v.InstitutionID, &v.Kind, &from, &to, &v.Count, &score, &box, &v.ModelID, &tmpl, &v.SnapshotKey, &v.Zone)
	if err != nil {
		return v, err
	}
	v.From, v.To, v.Score = at(from), at(to), float32(score)
	if err = json.Unmarshal([]byte(box), &v.Box); err != nil {
		return v, fmt.Errorf("box of sighting %s: %w", v.ID, err)
	}
	v.Template, err = s.seal.openTemplate(tmpl, "sighting.template."+string(v.ID))
	return v, err
}
