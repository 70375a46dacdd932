package storage

import (
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// FaceRow is a stored sighting of a face, as a search compares it.
type FaceRow struct {
	ID            ward.SightingID
	PlaceID       ward.PlaceID
	InstitutionID ward.InstitutionID
	From, To      time.Time
	ModelID       string
	Template      ward.Template
	Stored        int64 // when it was stored last, in microseconds since 1970; 0: by an older version
}

// FaceCursor is a row's place in the order in which faces were stored.
type FaceCursor struct {
	Stored int64
	ID     ward.SightingID
}

// searchable is a condition on sightings of faces that may be searched at $1:
// as long as their picture is kept, or would be if they had one.
const searchable = `kind = 'face' AND template IS NOT NULL AND picture_state = '' AND (keep_until_us = 0 OR keep_until_us > $1 OR snapshot_key <> '')`

const faceRowColumns = `SELECT id, place_id, institution_id, from_us, to_us, model_id, template, stored_us FROM sighting WHERE ` + searchable

// FaceRows hands the searchable faces after a cursor to f, in the order in
// which they were stored, at most limit of them, and returns the cursor of the
// last and how many there were. One that was stored again has moved to the
// end. Those that known says are known as they are come without their template.
func (s *Store) FaceRows(ctx context.Context, after FaceCursor, limit int, known func(ward.SightingID, int64) bool, f func(FaceRow)) (FaceCursor, int, error) {
	return s.faceRows(ctx, known, f, after, faceRowColumns+` AND (stored_us, id) > ($2, $3) ORDER BY stored_us, id LIMIT $4`,
		us(time.Now()), after.Stored, after.ID, limit)
}

// FaceRange narrows OlderFaces.
type FaceRange struct {
	Institutions []ward.InstitutionID // nil: all; empty: none
	Place        ward.PlaceID         // empty: all
	From, To     time.Time            // seen at any moment of [From, To]
	Before       time.Time            // and not after this
}

// OlderFaces is FaceRows of those in a range that were seen last before a moment.
func (s *Store) OlderFaces(ctx context.Context, in FaceRange, after FaceCursor, limit int, f func(FaceRow)) (FaceCursor, int, error) {
	where, args := scope(in.Institutions, []any{us(time.Now()), after.Stored, after.ID, limit, us(in.From), us(in.To), us(in.Before), in.Place})
	return s.faceRows(ctx, nil, f, after, `SELECT id, place_id, institution_id, from_us, to_us, model_id, template, stored_us FROM sighting`+where+` AND `+searchable+`
		AND (stored_us, id) > ($2, $3) AND to_us >= $5 AND from_us <= $6 AND to_us < $7 AND ($8 = '' OR place_id = $8) ORDER BY stored_us, id LIMIT $4`, args...)
}

func (s *Store) faceRows(ctx context.Context, known func(ward.SightingID, int64) bool, f func(FaceRow), at FaceCursor, query string, args ...any) (FaceCursor, int, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return at, 0, fmt.Errorf("read faces: %w", err)
	}
	n := 0
	_, err = collect(rows, func(r row) (struct{}, error) {
		v, sealed, err := scanFaceRow(r)
		if err != nil {
			return struct{}{}, err
		}
		at, n = FaceCursor{v.Stored, v.ID}, n+1
		if known == nil || !known(v.ID, v.Stored) {
			if v.Template, err = s.seal.openTemplate(sealed, "sighting.template."+string(v.ID)); err != nil {
				return struct{}{}, err
			}
		}
		f(v)
		return struct{}{}, nil
	})
	if err != nil {
		return at, n, fmt.Errorf("read faces: %w", err)
	}
	return at, n, nil
}

func scanFaceRow(r row) (v FaceRow, sealed []byte, err error) {
	var from, to int64
	err = r.Scan(&v.ID, &v.PlaceID, &v.InstitutionID, &from, &to, &v.ModelID, &sealed, &v.Stored)
	v.From, v.To = at(from), at(to)
	return v, sealed, err
}

// SearchableFaces returns the ids of the searchable faces after a cursor, in
// the order in which they were stored, and the cursor of the last.
func (s *Store) SearchableFaces(ctx context.Context, after FaceCursor, limit int) ([]ward.SightingID, FaceCursor, error) {
	ids, err := listed(ctx, s, "list faces", func(r row) (id ward.SightingID, err error) {
		err = r.Scan(&id, &after.Stored)
		after.ID = id
		return id, err
	}, `SELECT id, stored_us FROM sighting WHERE `+searchable+` AND (stored_us, id) > ($2, $3) ORDER BY stored_us, id LIMIT $4`, us(time.Now()), after.Stored, after.ID, limit)
	return ids, after, err
}

// CountFaces says how many faces are stored.
func (s *Store) CountFaces(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM sighting WHERE kind = 'face' AND template IS NOT NULL`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count faces: %w", err)
	}
	return n, nil
}

// FacesByID returns those of the sightings that are searchable faces now,
// with their templates.
func (s *Store) FacesByID(ctx context.Context, ids []ward.SightingID) (map[ward.SightingID]ward.Sighting, error) {
	out := make(map[ward.SightingID]ward.Sighting, len(ids))
	err := eachOf(ctx, s.read, sightingColumns+` WHERE `+searchable+` AND id IN `, padded(ids), []any{us(time.Now())}, func(r row) error {
		v, err := s.scanSighting(r)
		out[v.ID] = v
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %d faces: %w", len(ids), err)
	}
	return out, nil
}

// Between its moment and this long before or after it, a face that was seen at
// a settlement's place was near it, by the cameras' clock. Rules look no further.
const (
	NearBefore = 10 * time.Second
	NearAfter  = 5 * time.Second
)

// NearSettlement is a settlement at whose place a face was seen around its
// moment. Stood: the system takes this face for whoever stood there.
type NearSettlement struct {
	Settlement ward.Settlement
	Stood      bool
}

// SettlementsNear returns the settlements near sightings, by sighting, without
// those that were reversed.
func (s *Store) SettlementsNear(ctx context.Context, ids []ward.SightingID) (map[ward.SightingID][]NearSettlement, error) {
	out := map[ward.SightingID][]NearSettlement{}
	err := eachOf(ctx, s.read, fmt.Sprintf(`SELECT g.id, COALESCE(f.sighting_id, ''), s.id, s.institution_id, s.place_id, s.external_no, s.insured_id, s.kind, s.at_us, s.amount_fen,
			s.received_us, s.due_us, s.state, s.reason, s.revision, s.version, s.stage, s.unclear
		FROM sighting g LEFT JOIN clock_offset o ON o.institution_id = g.institution_id
			JOIN settlement s ON s.place_id = g.place_id AND s.at_us >= g.from_us - COALESCE(o.offset_us, 0) - %d AND s.at_us <= g.to_us - COALESCE(o.offset_us, 0) + %d
			LEFT JOIN settlement_face f ON f.settlement_id = s.id
		WHERE s.state <> 'reversed' AND g.id IN `, NearAfter.Microseconds(), NearBefore.Microseconds()), padded(ids), nil, func(r row) error {
		var id, stood ward.SightingID
		v, err := scanSettlement(rowAfter{r, []any{&id, &stood}})
		out[id] = append(out[id], NearSettlement{v, stood == id})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read settlements near %d faces: %w", len(ids), err)
	}
	return out, nil
}
