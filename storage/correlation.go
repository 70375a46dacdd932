package storage

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// Counter is a place as the rules need it.
type Counter struct {
	Place    ward.Place
	Location *ward.Location // of its institution
	// Offset is how far the cameras' clock is ahead of the billing system's.
	Offset  time.Duration
	Cameras []CounterCamera // the enabled ones, by id
}

// CounterCamera is a camera that watches a counter since Created, and the
// zone of its staff since Staff (zero: it has none), when it was last drawn.
type CounterCamera struct {
	ID             ward.CameraID
	Created, Staff time.Time
}

// Counters returns those of the places that are known, by id.
func (s *Store) Counters(ctx context.Context, ids []ward.PlaceID) (map[ward.PlaceID]Counter, error) {
	out := make(map[ward.PlaceID]Counter, len(ids))
	err := eachOf(ctx, s.read, `SELECT p.id, p.institution_id, p.name, p.kind, i.lat, i.lon, COALESCE(o.offset_us, 0) FROM place p JOIN institution i ON i.id = p.institution_id
		LEFT JOIN clock_offset o ON o.institution_id = p.institution_id WHERE p.id IN `, padded(ids), nil, func(r row) error {
		var c Counter
		var lat, lon *float64
		var offset int64
		err := r.Scan(&c.Place.ID, &c.Place.InstitutionID, &c.Place.Name, &c.Place.Kind, &lat, &lon, &offset)
		c.Location, c.Offset = located(lat, lon), time.Duration(offset)*time.Microsecond
		out[c.Place.ID] = c
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	err = eachOf(ctx, s.read, `SELECT c.place_id, c.id, c.created_us, COALESCE(z.set_us, 0) FROM camera c
		LEFT JOIN camera_zones z ON z.staff = 1 AND `+newestZones+` WHERE c.enabled = 1 AND c.place_id IN `, padded(ids), nil, func(r row) error {
		var place ward.PlaceID
		var c CounterCamera
		var created, staff int64
		if err := r.Scan(&place, &c.ID, &created, &staff); err != nil {
			return err
		}
		c.Created = at(created)
		if staff > 0 {
			c.Staff = at(staff)
		}
		counter := out[place]
		counter.Cameras = append(counter.Cameras, c)
		out[place] = counter
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read cameras of counters: %w", err)
	}
	return out, nil
}

// Pharmacies returns the pharmacy counters of institutions.
func (s *Store) Pharmacies(ctx context.Context, insts []ward.InstitutionID) (map[ward.InstitutionID][]ward.PlaceID, error) {
	out := map[ward.InstitutionID][]ward.PlaceID{}
	err := eachOf(ctx, s.read, `SELECT institution_id, id FROM place WHERE kind = 'pharmacy' AND institution_id IN `, padded(insts), nil, func(r row) error {
		var inst ward.InstitutionID
		var id ward.PlaceID
		err := r.Scan(&inst, &id)
		out[inst] = append(out[inst], id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read pharmacies: %w", err)
	}
	return out, nil
}

// SightingsAtPlaces returns what was seen at any of the places at any moment
// of [from, to], with templates.
func (s *Store) SightingsAtPlaces(ctx context.Context, places []ward.PlaceID, from, to time.Time) (map[ward.PlaceID][]ward.Sighting, error) {
	out := make(map[ward.PlaceID][]ward.Sighting, len(places))
	err := eachOf(ctx, s.read, sightingColumns+` WHERE kind IN ('watched', 'people', 'face', 'staff') AND to_us BETWEEN $1 AND $2 AND from_us <= $3 AND place_id IN `,
		padded(places), []any{us(from), us(to.Add(MaxSighting)), us(to)}, func(r row) error {
			v, err := s.scanSighting(r)
			out[v.PlaceID] = append(out[v.PlaceID], v)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read sightings of %d places: %w", len(places), err)
	}
	return out, nil
}

// WatchedUntil returns how far the analysed pictures of each camera at the
// places reach; a camera that has had none since is not in it.
func (s *Store) WatchedUntil(ctx context.Context, places []ward.PlaceID, since time.Time) (map[ward.CameraID]time.Time, error) {
	out := map[ward.CameraID]time.Time{}
	err := eachOf(ctx, s.read, `SELECT camera_id, to_us FROM sighting WHERE kind = 'watched' AND to_us >= $1 AND place_id IN `, padded(places), []any{us(since)}, func(r row) error {
		var cam ward.CameraID
		var to int64
		err := r.Scan(&cam, &to)
		if t := at(to); t.After(out[cam]) {
			out[cam] = t
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read how far %d places are watched: %w", len(places), err)
	}
	return out, nil
}

// Use is a settlement and who stood at it; Face is nil when nobody can be
// named. The settlement's moment is by the billing system's clock.
type Use struct {
	ID            ward.SettlementID
	InsuredID     ward.InsuredID
	InstitutionID ward.InstitutionID
	PlaceID       ward.PlaceID
	PlaceKind     ward.PlaceKind
	Location      *ward.Location
	At            time.Time
	Offset        time.Duration // to the cameras' clock
	Face          *Face
}

const useColumns = `SELECT s.id, s.insured_id, s.institution_id, s.place_id, s.at_us, p.kind, i.lat, i.lon, COALESCE(o.offset_us, 0),
		COALESCE(f.at_us, 0), COALESCE(f.sighting_id, ''), COALESCE(f.model_id, ''), f.template
	FROM settlement s JOIN place p ON p.id = s.place_id JOIN institution i ON i.id = s.institution_id
		LEFT JOIN clock_offset o ON o.institution_id = s.institution_id LEFT JOIN settlement_face f ON f.settlement_id = s.id
	WHERE s.state <> 'reversed' AND `

// UsesAtPlaces returns the settlements at places with moments in [from, to].
func (s *Store) UsesAtPlaces(ctx context.Context, places []ward.PlaceID, from, to time.Time) ([]Use, error) {
	return usesOf(ctx, s, `s.at_us BETWEEN $1 AND $2 AND s.place_id IN `, places, us(from), us(to))
}

// Swipe is what the rules that only count cards need of a settlement.
type Swipe struct {
	ID        ward.SettlementID
	InsuredID ward.InsuredID
	PlaceID   ward.PlaceID
	At        time.Time // by the billing system's clock
}

// SwipesAtPlaces returns the settlements at places with moments in [from, to]
// but the reversed ones.
func (s *Store) SwipesAtPlaces(ctx context.Context, places []ward.PlaceID, from, to time.Time) ([]Swipe, error) {
	var out []Swipe
	err := eachOf(ctx, s.read, `SELECT id, insured_id, place_id, at_us FROM settlement WHERE state <> 'reversed' AND at_us BETWEEN $1 AND $2 AND place_id IN `,
		padded(places), []any{us(from), us(to)}, func(r row) error {
			var v Swipe
			var when int64
			err := r.Scan(&v.ID, &v.InsuredID, &v.PlaceID, &when)
			v.At = at(when)
			out = append(out, v)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read settlements at %d places: %w", len(places), err)
	}
	return out, nil
}

// UsesOfCards returns the settlements with cards with moments in [from, to].
func (s *Store) UsesOfCards(ctx context.Context, cards []ward.InsuredID, from, to time.Time) ([]Use, error) {
	return usesOf(ctx, s, `s.at_us BETWEEN $1 AND $2 AND s.insured_id IN `, cards, us(from), us(to))
}

// Uses returns those of the settlements that there are.
func (s *Store) Uses(ctx context.Context, ids []ward.SettlementID) ([]Use, error) {
	return usesOf(ctx, s, `s.id IN `, ids)
}

func usesOf[T ~string](ctx context.Context, s *Store, where string, ids []T, args ...any) ([]Use, error) {
	var out []Use
	err := eachOf(ctx, s.read, useColumns+where, padded(ids), args, func(r row) error {
		var u Use
		var f Face
		var lat, lon *float64
		var when, seen, offset int64
		var sealed []byte
		if err := r.Scan(&u.ID, &u.InsuredID, &u.InstitutionID, &u.PlaceID, &when, &u.PlaceKind, &lat, &lon, &offset, &seen, &f.Sighting, &f.ModelID, &sealed); err != nil {
			return err
		}
		u.At, u.Location, u.Offset = at(when), located(lat, lon), time.Duration(offset)*time.Microsecond
		if len(sealed) > 0 {
			var err error
			if f.Template, err = s.seal.openTemplate(sealed, "settlement.face."+string(u.ID)); err != nil {
				return err
			}
			f.Settlement, f.At = u.ID, at(seen)
			u.Face = &f
		}
		out = append(out, u)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read settlements and who stood there: %w", err)
	}
	return out, nil
}

// FacesStored hands every face at a settlement from at on to f, in no order.
func (s *Store) FacesStored(ctx context.Context, from time.Time, f func(Face)) error {
	rows, err := s.read.QueryContext(ctx, `SELECT settlement_id, at_us, sighting_id, model_id, template FROM settlement_face WHERE at_us >= $1`, us(from))
	if err != nil {
		return fmt.Errorf("read faces at settlements: %w", err)
	}
	_, err = collect(rows, func(r row) (struct{}, error) {
		var v Face
		var when int64
		var sealed []byte
		err := r.Scan(&v.Settlement, &when, &v.Sighting, &v.ModelID, &sealed)
		if err != nil {
			return struct{}{}, err
		}
		v.At = at(when)
		if v.Template, err = s.seal.openTemplate(sealed, "settlement.face."+string(v.Settlement)); err == nil {
			f(v)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("read faces at settlements: %w", err)
	}
	return nil
}

// padded repeats the last id until there are a power of two of them, so that
// there are few different statements to prepare; a list that fills a batch of
// eachOf stays as it is, since the same id in two batches would be found twice.
func padded[T ~string](ids []T) []T {
	n := 1
	for n < len(ids) {
		n *= 2
	}
	if n > lookUpBatch || len(ids) == 0 {
		return ids
	}
	return append(slices.Clip(ids), slices.Repeat(ids[len(ids)-1:], n-len(ids))...)
}

func located(lat, lon *float64) *ward.Location {
	if lat == nil || lon == nil {
		return nil
	}
	return &ward.Location{Lat: *lat, Lon: *lon}
}
