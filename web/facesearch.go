package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage/facesearch"
	"wardwatch/ward"
)

const (
	maxSearches = 2 // at a time: each takes all processors for some hundredths of a second
	// faceSearchTime bounds a search that has to read rows.
	faceSearchTime = 45 * time.Second
)

// NewFaceSearch says whose face is looked for, why, and in what. Exactly one
// of photo, alert_id and insured_id is given.
type NewFaceSearch struct {
	Purpose       ward.SearchPurpose `json:"purpose" doc:"cards: at whose settlements was this face; whereabouts: where was it, without settlements"`
	Reason        string             `json:"reason" minLength:"5" maxLength:"500" doc:"Why; sealed in the ledger with the search"`
	Photo         []byte             `json:"photo,omitempty" doc:"A JPEG or PNG with one face; it is not kept"`
	AlertID       ward.AlertID       `json:"alert_id,omitempty" maxLength:"64" doc:"The face at this alert's settlement"`
	InsuredID     ward.InsuredID     `json:"insured_id,omitempty" maxLength:"64" doc:"The enrolled face of this person; only for users of all institutions"`
	InstitutionID ward.InstitutionID `json:"institution_id,omitempty" maxLength:"64" doc:"Only there; left out: everything in the caller's scope"`
	PlaceID       ward.PlaceID       `json:"place_id,omitempty" maxLength:"64" doc:"Only there"`
	From          time.Time          `json:"from"`
	To            time.Time          `json:"to"`
	Least         float64            `json:"least" minimum:"0.4" maximum:"1" doc:"Cosine. Measured on East Asian faces, of 1,000 strangers one reaches .56 and ten reach .467: a person decides who it is"`
	Limit         int                `json:"limit,omitempty" minimum:"1" maximum:"200" default:"100"`
}

// FaceSettlement is a settlement near which a face was seen.
type FaceSettlement struct {
	Settlement ward.Settlement `json:"settlement"`
	Insured    ward.Insured    `json:"insured" doc:"Masked"`
	Stood      bool            `json:"stood" doc:"The system takes this face for whoever stood there; else it was one of those around"`
}

// FaceHit is a sighting of a face that is as alike.
type FaceHit struct {
	Sighting    ward.Sighting    `json:"sighting"`
	Cosine      float64          `json:"cosine"`
	HasPicture  bool             `json:"has_picture"`
	Settlements []FaceSettlement `json:"settlements" doc:"For cards: those at its place from 10 s before it was seen to 5 s after, by the cameras' clock"`
}

// FaceSearchResult is what a search found.
type FaceSearchResult struct {
	Search   ward.FaceSearch `json:"search" doc:"As it was sealed"`
	Hits     []FaceHit       `json:"hits" doc:"The most alike first; exact"`
	More     bool            `json:"more" doc:"There may be further ones, less alike than these"`
	FromRows int64           `json:"from_rows" doc:"Of the faces that were compared, those that are not in memory and were read from the database"`
	Others   int64           `json:"others" doc:"Faces in the range that another model made: they could not be compared"`
	Until    time.Time       `json:"until" doc:"Everything stored up to then was searched"`
}

type faceSearchInput struct {
	Body NewFaceSearch
}

// SightingPath names a sighting in the address.
type SightingPath struct {
	ID ward.SightingID `path:"id" maxLength:"64"`
}

func (s *Server) faceSearchRoutes(r *routes) {
	tags, may := []string{"face search"}, ward.MayReview
	add(r, role(may), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/face-searches", OperationID: "searchFace", Summary: "Search for a face among all that cameras have seen in the caller's scope", Tags: tags,
		MaxBodyBytes: ward.MaxPhoto*4/3 + 16<<10, BodyReadTimeout: uploadTimeout,
	}, s.searchFace)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/face-searches", OperationID: "listFaceSearches", Summary: "Who searched for whom and why, newest first: an administrator of all institutions sees all, others their own", Tags: tags}, s.listFaceSearches)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/face-index", OperationID: "faceIndex", Summary: "How far the index of faces is", Tags: tags}, s.faceIndex)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/sightings/{id}/picture.jpg", OperationID: "sightingPicture", Summary: "The best picture of a sighting", Tags: tags}, "image/jpeg"), s.loadSighting, s.sightingPicture)
}

func (s *Server) loadSighting(ctx context.Context, in *SightingPath) (ward.Sighting, ward.InstitutionID, error) {
	v, err := s.Store.Sighting(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) sightingPicture(ctx context.Context, _ *SightingPath, v ward.Sighting) (*huma.StreamResponse, error) {
	return s.showObject(ctx, view{object: "sighting/" + string(v.ID)}, v.SnapshotKey, "image/jpeg")
}

func (s *Server) faceIndex(_ context.Context, _ *none) (*body[facesearch.Status], error) {
	if s.Faces == nil {
		return nil, noFaceSearch()
	}
	return answer(s.Faces.Status(), nil)
}

func (s *Server) listFaceSearches(ctx context.Context, in *Paging) (*body[Page[ward.FaceSearch]], error) {
	by, who := callerOf(ctx).ID, callerOf(ctx)
	if who.AllInstitutions && who.Can(ward.MayAdminister) {
		by = ""
	}
	v, err := s.Store.FaceSearches(ctx, by, ward.FaceSearchID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(f ward.FaceSearch) string { return string(f.ID) }), err)
}

// searchFace seals the search before it answers: whoever saw something is in the ledger.
func (s *Server) searchFace(ctx context.Context, in *faceSearchInput) (*body[FaceSearchResult], error) {
	if s.Faces == nil {
		return nil, noFaceSearch()
	}
	b, who := in.Body, callerOf(ctx)
	record := ward.FaceSearch{
		ID: ward.NewID[ward.FaceSearchID](s.now()), By: who.ID, Role: who.Role, Purpose: b.Purpose, Reason: b.Reason,
		InstitutionID: b.InstitutionID, PlaceID: b.PlaceID, From: b.From.UTC(), To: b.To.UTC(), Least: b.Least,
	}
	if err := record.Check(); err != nil {
		return nil, err
	}
	free, err := s.searches.take(ctx, who.ID)
	if err != nil {
		return nil, err
	}
	defer free()
	q := facesearch.Query{Institutions: who.narrow(b.InstitutionID), Place: b.PlaceID, From: record.From, To: record.To, Least: b.Least, Purpose: b.Purpose, Limit: b.Limit}
	if q.Template, q.ModelID, err = s.faceOf(ctx, &b, &record); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, faceSearchTime)
	defer cancel()
	found, err := s.Faces.Search(limited, q)
	if err != nil {
		return nil, err
	}
	out := FaceSearchResult{More: found.More, FromRows: found.FromRows, Others: found.Others, Until: found.Until}
	if out.Hits, err = s.faceHits(ctx, found.Hits); err != nil {
		return nil, err
	}
	record.Searched = found.Searched
	for _, h := range found.Hits {
		record.Found = append(record.Found, h.Sighting.ID)
	}
	if out.Search, err = s.Store.AddFaceSearch(ctx, record); err != nil {
		return nil, err
	}
	return answer(out, s.record(ctx, view{object: "face_search/" + string(out.Search.ID), action: ward.ActionSearch, reason: record.Reason}))
}

// faceOf is the face that is looked for; it notes in the record whose it is.
func (s *Server) faceOf(ctx context.Context, b *NewFaceSearch, record *ward.FaceSearch) (ward.Template, string, error) {
	who := callerOf(ctx)
	switch {
	case len(b.Photo) > 0 && b.AlertID == "" && b.InsuredID == "":
		if s.EnrolPhoto == nil {
			return nil, "", &ward.Error{Kind: ward.Unavailable, Code: "vision.missing", ZH: "视觉分析程序未运行，暂时不能用照片检索。", EN: "No vision worker runs; photos cannot be searched with now."}
		}
		sum := sha256.Sum256(b.Photo)
		record.Subject, record.Ref = ward.SubjectPhoto, hex.EncodeToString(sum[:])
		return s.EnrolPhoto(ctx, b.Photo)
	case b.AlertID != "" && len(b.Photo) == 0 && b.InsuredID == "":
		a, inst, err := s.loadAlert(ctx, &AlertPath{b.AlertID})
		if missing(err) || err == nil && !who.May(ward.MayReview, inst) {
			return nil, "", inBody(notFound())
		}
		if err != nil {
			return nil, "", err
		}
		record.Subject, record.Ref = ward.SubjectAlert, string(a.ID)
		t, model, ok, err := s.Store.FaceAtSettlement(ctx, a.SettlementID, a.Sightings)
		if err == nil && !ok {
			err = noFace("这条疑点没有可比对的人脸。", "This alert has no face that can be compared.")
		}
		return t, model, err
	case b.InsuredID != "" && len(b.Photo) == 0 && b.AlertID == "":
		if !who.AllInstitutions { // people belong to no institution
			return nil, "", forbidden()
		}
		p, err := s.Store.Insured(ctx, b.InsuredID)
		if err == nil && !p.Enrolled {
			err = noFace("这位参保人没有登记照片。", "No photo of this person is enrolled.")
		}
		record.Subject, record.Ref = ward.SubjectInsured, string(p.ID)
		return p.Template, p.ModelID, inBody(err)
	}
	return nil, "", &ward.Error{Kind: ward.Invalid, Code: "search.subject", ZH: "请给出照片、疑点或参保人三者之一。", EN: "Give exactly one of a photo, an alert and an insured person."}
}

func noFace(zh, en string) error {
	return &ward.Error{Kind: ward.Invalid, Code: "search.no_face", ZH: zh, EN: en}
}

func noFaceSearch() error {
	return &ward.Error{Kind: ward.Unavailable, Code: "search.off", ZH: "本进程不提供人脸检索。", EN: "This process does not search faces."}
}

// faceHits adds the people, masked, to whom the settlements' cards belong.
func (s *Server) faceHits(ctx context.Context, found []facesearch.Hit) ([]FaceHit, error) {
	var ids []ward.InsuredID
	for _, h := range found {
		for _, n := range h.Near {
			ids = append(ids, n.Settlement.InsuredID)
		}
	}
	people, err := s.Store.InsuredMany(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]FaceHit, len(found))
	for i, h := range found {
		out[i] = FaceHit{Sighting: h.Sighting, Cosine: h.Cosine, HasPicture: h.Sighting.SnapshotKey != "", Settlements: []FaceSettlement{}}
		for _, n := range h.Near {
			p, ok := people[n.Settlement.InsuredID]
			if !ok { // not registered
				p.ID = n.Settlement.InsuredID
			}
			out[i].Settlements = append(out[i].Settlements, FaceSettlement{Settlement: n.Settlement, Insured: p.Masked(), Stood: n.Stood})
		}
	}
	return out, nil
}

func searchesBusy() *Problem {
	return newProblem(http.StatusServiceUnavailable, "search.busy", "正在为其他人检索，请稍后再试。", "Others are searching; try again shortly.")
}

func searchesFull() *Problem {
	return newProblem(http.StatusTooManyRequests, "search.too_many", "您已有一个检索在进行，请等它完成。", "A search of yours is under way; wait for it.")
}
