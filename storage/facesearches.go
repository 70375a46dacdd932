package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"wardwatch/ward"
)

// faceSearchRecord is what the ledger commits to when somebody has searched
// for a face, before the answer is given.
type faceSearchRecord struct {
	ID          ward.FaceSearchID  `json:"id"`
	At          time.Time          `json:"at"`
	By          ward.UserID        `json:"by"`
	Role        ward.Role          `json:"role"`
	Purpose     ward.SearchPurpose `json:"purpose"`
	Reason      string             `json:"reason"`
	Subject     ward.SearchSubject `json:"subject"`
	Ref         string             `json:"ref"`
	Institution ward.InstitutionID `json:"institution"`
	Place       ward.PlaceID       `json:"place"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	Least       float64            `json:"least"`
	Searched    int64              `json:"searched"`
	Found       []ward.SightingID  `json:"found"`
}

func recordOfSearch(v ward.FaceSearch) faceSearchRecord {
	return faceSearchRecord{v.ID, v.At, v.By, v.Role, v.Purpose, v.Reason, v.Subject, v.Ref, v.InstitutionID, v.PlaceID, v.From, v.To, v.Least, v.Searched, v.Found}
}

// AddFaceSearch stores and seals (kind "face_search") what somebody searched
// for and is about to be shown. At and Leaf are assigned here.
func (s *Store) AddFaceSearch(ctx context.Context, v ward.FaceSearch) (ward.FaceSearch, error) {
	if err := v.Check(); err != nil {
		return v, err
	}
	if v.Found == nil {
		v.Found = []ward.SightingID{}
	}
	found, err := json.Marshal(v.Found)
	if err != nil {
		return v, fmt.Errorf("add face search %s: %w", v.ID, err)
	}
	v.From, v.To = at(us(v.From)), at(us(v.To))
	err = s.change(ctx, "add face search "+string(v.ID), func(t *tx) error {
		v.At = at(us(t.now))
		var err error
		if v.Leaf, err = t.sealRecord(ctx, KindSearch, string(v.ID), recordOfSearch(v)); err != nil {
			return err
		}
		_, err = t.ExecContext(ctx, `INSERT INTO face_search (id, at_us, actor, role, purpose, reason, subject, subject_ref, institution_id, place_id, from_us, to_us, least, searched, found, leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
			v.ID, us(v.At), v.By, v.Role, v.Purpose, v.Reason, v.Subject, v.Ref, v.InstitutionID, v.PlaceID, us(v.From), us(v.To), v.Least, v.Searched, string(found), v.Leaf)
		return err
	})
	return v, err
}

const faceSearchColumns = `SELECT id, at_us, actor, role, purpose, reason, subject, subject_ref, institution_id, place_id, from_us, to_us, least, searched, found, leaf FROM face_search`

func scanFaceSearch(r row) (ward.FaceSearch, error) {
	var v ward.FaceSearch
	var when, from, to int64
	var found string
	err := r.Scan(&v.ID, &when, &v.By, &v.Role, &v.Purpose, &v.Reason, &v.Subject, &v.Ref, &v.InstitutionID, &v.PlaceID, &from, &to, &v.Least, &v.Searched, &found, &v.Leaf)
	if err != nil {
		return v, err
	}
	v.At, v.From, v.To = at(when), at(from), at(to)
	if err = json.Unmarshal([]byte(found), &v.Found); err != nil {
		return v, fmt.Errorf("what face search %s found: %w", v.ID, err)
	}
	return v, nil
}

// FaceSearches lists searches before the one given ("" begins the list), the
// newest first, those of one user or of all (empty); 1 to 500, 0 means 50.
func (s *Store) FaceSearches(ctx context.Context, by ward.UserID, before ward.FaceSearchID, limit int) ([]ward.FaceSearch, error) {
	return listed(ctx, s, "list face searches", scanFaceSearch, faceSearchColumns+` WHERE ($1 = '' OR actor = $1) AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3`, by, before, pageSize(limit))
}

// FaceAtSettlement is who stood at a settlement as the rules take it, and
// else the face with the most pictures among the sightings given; ok is false
// when none of them can be compared.
func (s *Store) FaceAtSettlement(ctx context.Context, id ward.SettlementID, seen []ward.SightingID) (t ward.Template, model string, ok bool, err error) {
	uses, err := s.Uses(ctx, []ward.SettlementID{id})
	if err != nil {
		return nil, "", false, err
	}
	if len(uses) == 1 && uses[0].Face != nil {
		return uses[0].Face.Template, uses[0].Face.ModelID, true, nil
	}
	faces, err := s.FacesByID(ctx, seen)
	if err != nil || len(faces) == 0 {
		return nil, "", false, err
	}
	best := ward.Sighting{}
	for _, id := range slices.Sorted(slices.Values(seen)) {
		if v, ok := faces[id]; ok && (best.ID == "" || v.Count > best.Count) {
			best = v
		}
	}
	return best.Template, best.ModelID, true, nil
}

// searchRows compares every search for a face with what was sealed.
func (f *fsck) searchRows(ctx context.Context) error {
	id := func(v ward.FaceSearch) string { return string(v.ID) }
	return each(ctx, f, "list face searches", faceSearchColumns+` WHERE id > $1 ORDER BY id LIMIT $2`, scanFaceSearch, id, func(v ward.FaceSearch) error {
		return f.agree(ctx, "face_search", string(v.ID), KindSearch, string(v.ID), v.Leaf, recordOfSearch(v))
	})
}
