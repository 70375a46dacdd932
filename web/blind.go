package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// maxBlindSettlements is how many settlements of a blind period are listed;
// the sum is of all.
const maxBlindSettlements = 500

// BlindDetail is a blind period with what was settled meanwhile.
type BlindDetail struct {
	ward.BlindPeriod
	HasBefore   bool              `json:"has_before"`
	HasAt       bool              `json:"has_at"`
	HasAfter    bool              `json:"has_after"`
	Settlements []ward.Settlement `json:"settlements" doc:"At its place while it lasted by the cameras' clock, the oldest first, at most 500"`
	Count       int               `json:"count" doc:"Of all of them"`
	SumFen      int64             `json:"sum_fen" doc:"Of all of them, in 分"`
}

// BlindPath names a blind period in the address.
type BlindPath struct {
	ID ward.BlindID `path:"id" maxLength:"64"`
}

// BlindWhich says which picture of a blind period.
type BlindWhich string

// The pictures of a blind period.
const (
	BlindBefore BlindWhich = "before"
	BlindAt     BlindWhich = "at"
	BlindAfter  BlindWhich = "after"
)

type blindPicturePath struct {
	BlindPath
	Which BlindWhich `path:"which"`
}

type blindList struct {
	Paging
	InstitutionFilter
	CameraID ward.CameraID   `query:"camera_id" maxLength:"64"`
	Cause    ward.BlindCause `query:"cause"`
	Lasting  bool            `query:"lasting" doc:"Only those that last"`
}

// SceneLearned says what learning a camera's scene anew ended.
type SceneLearned struct {
	Ended int `json:"ended" doc:"Blind periods"`
}

func (s *Server) blindRoutes(r *routes) {
	tags := []string{"blind periods"}
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/blind-periods", OperationID: "listBlindPeriods", Summary: "Stretches in which cameras saw nothing, those found last first", Tags: tags}, s.listBlind)
	on(r, ward.MayReview, huma.Operation{Method: http.MethodGet, Path: v1 + "/blind-periods/{id}", OperationID: "getBlindPeriod", Summary: "A blind period with what was settled meanwhile", Tags: tags}, s.loadBlind, s.getBlind)
	on(r, ward.MayReview, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/blind-periods/{id}/{which}", OperationID: "blindPicture", Summary: "The picture before, at or after a blind period", Tags: tags}, "image/jpeg"),
		func(ctx context.Context, in *blindPicturePath) (ward.BlindPeriod, ward.InstitutionID, error) {
			return s.loadBlind(ctx, &in.BlindPath)
		}, s.blindPicture)
	on(r, ward.MayManage, huma.Operation{Method: http.MethodPost, Path: v1 + "/cameras/{id}/learn", OperationID: "learnScene", Summary: "The camera is well as it is now: end its blind periods and learn its scene anew", Tags: []string{"cameras"}}, s.loadCamera, s.learnScene)
}

func (s *Server) loadBlind(ctx context.Context, in *BlindPath) (ward.BlindPeriod, ward.InstitutionID, error) {
	b, err := s.Store.BlindPeriod(ctx, in.ID)
	return b, b.InstitutionID, err
}

func (s *Server) listBlind(ctx context.Context, in *blindList) (*body[Page[ward.BlindPeriod]], error) {
	v, next, err := s.Store.BlindPeriods(ctx, storage.BlindFilter{
		Institutions: callerOf(ctx).narrow(in.InstitutionID), Camera: in.CameraID, Cause: in.Cause, Lasting: in.Lasting, Before: in.Cursor, Limit: in.Limit,
	})
	return answer(Page[ward.BlindPeriod]{list(v), next}, err)
}

func (s *Server) getBlind(ctx context.Context, _ *BlindPath, b ward.BlindPeriod) (*body[BlindDetail], error) {
	out := BlindDetail{BlindPeriod: b, HasBefore: b.Before.Sighting != "", HasAt: b.At.Sighting != "", HasAfter: b.After.Sighting != ""}
	vs, n, sum, err := s.Store.SettledBlind(ctx, b, maxBlindSettlements)
	out.Settlements, out.Count, out.SumFen = list(vs), n, sum
	return answer(out, err)
}

func (s *Server) blindPicture(ctx context.Context, in *blindPicturePath, b ward.BlindPeriod) (*huma.StreamResponse, error) {
	p := b.At
	switch in.Which {
	case BlindBefore:
		p = b.Before
	case BlindAfter:
		p = b.After
	case BlindAt:
	}
	if p.Sighting == "" {
		return nil, notFound()
	}
	v, err := s.Store.Sighting(ctx, p.Sighting)
	if err != nil {
		return nil, err
	}
	return s.showObject(ctx, view{object: "blind/" + string(b.ID) + "/" + string(in.Which), sha256: p.SHA256[:]}, v.SnapshotKey, "image/jpeg")
}

func (s *Server) learnScene(ctx context.Context, _ *CameraPath, c ward.Camera) (*body[SceneLearned], error) {
	n, err := s.Store.LearnAnew(ctx, c.ID, callerOf(ctx).ID)
	return answer(SceneLearned{n}, err)
}
