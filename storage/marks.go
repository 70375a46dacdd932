package storage

import (
	"context"
	"time"

	"wardwatch/ward"
)

// SightingsOf returns what a camera at a place saw at any moment of [from, to),
// without templates, in the order of beginning, at most limit of them.
func (s *Store) SightingsOf(ctx context.Context, place ward.PlaceID, camera ward.CameraID, from, to time.Time, limit int) ([]ward.Sighting, error) {
	// Naming the kinds lets both engines walk the index (place_id, kind, to_us).
	return listed(ctx, s, "list sightings of "+string(camera), func(r row) (ward.Sighting, error) {
		v := ward.Sighting{PlaceID: place, CameraID: camera}
		var begin, end int64
		var score float64
		err := r.Scan(&v.ID, &v.InstitutionID, &v.Kind, &begin, &end, &v.Count, &score)
		v.From, v.To, v.Score = at(begin), at(end), float32(score)
		return v, err
	}, `SELECT id, institution_id, kind, from_us, to_us, people, score FROM sighting
		WHERE place_id = $1 AND kind IN ('watched', 'people', 'staff', 'queue', 'face', 'loitering') AND to_us >= $2 AND to_us <= $4 AND from_us < $3 AND camera_id = $5
		ORDER BY from_us, id LIMIT $6`, place, us(from), us(to), us(to.Add(MaxSighting)), camera, limit)
}

// AlertsAt returns the alerts of a place with moments in [from, to), oldest
// first, at most limit of them.
func (s *Store) AlertsAt(ctx context.Context, place ward.PlaceID, from, to time.Time, limit int) ([]ward.Alert, error) {
	return listed(ctx, s, "list alerts at "+string(place), scanAlert,
		alertColumns+` WHERE place_id = $1 AND at_us >= $2 AND at_us < $3 AND shadow = 0 ORDER BY at_us, id LIMIT $4`, place, us(from), us(to), limit)
}
