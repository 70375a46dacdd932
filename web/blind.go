package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

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
	Outages     []ward.Outage     `json:"outages" doc:"What the institution reported for this camera and time, also late or not accepted"`
	AlertID     ward.AlertID      `json:"alert_id" doc:"Of the alert that it was not reported; empty when there is none"`
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
	// Unplanned leaves out what was reported in advance.
	Unplanned bool `query:"unplanned" doc:"Only those that were not reported in advance, wholly"`
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
		Institutions: callerOf(ctx).narrow(in.InstitutionID), Camera: in.CameraID, Cause: in.Cause, Lasting: in.Lasting, Unplanned: in.Unplanned, Before: in.Cursor, Limit: in.Limit,
	})
	return answer(Page[ward.BlindPeriod]{list(v), next}, err)
}

func (s *Server) getBlind(ctx context.Context, _ *BlindPath, b ward.BlindPeriod) (*body[BlindDetail], error) {
	out, err := s.blindDetail(ctx, b, b.From)
	if err != nil {
		return nil, err
	}
	alerts, _, err := s.Store.Alerts(ctx, storage.AlertFilter{BlindID: b.ID, Limit: 1})
	if len(alerts) > 0 {
		out.AlertID = alerts[0].ID
	}
	return answer(out, err)
}

// blindDetail is a blind period with what was settled since from, and what was reported.
func (s *Server) blindDetail(ctx context.Context, b ward.BlindPeriod, from time.Time) (BlindDetail, error) {
	out := BlindDetail{BlindPeriod: b, HasBefore: b.Before.Sighting != "", HasAt: b.At.Sighting != "", HasAfter: b.After.Sighting != "", Outages: []ward.Outage{}}
	vs, n, sum, err := s.Store.SettledBlind(ctx, b, from, maxBlindSettlements)
	if err != nil {
		return out, err
	}
	out.Settlements, out.Count, out.SumFen = list(vs), n, sum
	to := b.To
	if to.IsZero() {
		to = s.now()
	}
	reported, err := s.Store.OutagesAt(ctx, []ward.InstitutionID{b.InstitutionID}, b.From, to)
	for _, o := range reported {
		if o.Of(b.CameraID, b.PlaceID) {
			out.Outages = append(out.Outages, o)
		}
	}
	slices.SortFunc(out.Outages, func(a, b ward.Outage) int { return cmp.Compare(a.ID, b.ID) }) // by when they were reported
	return out, err
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
