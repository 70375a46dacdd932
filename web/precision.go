package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// precisionDays is how far back decisions are counted unless the caller says.
const precisionDays = 90

type precisionQuery struct {
	InstitutionFilter
	From     time.Time `query:"from" doc:"Decided at this moment or later; 90 days ago when left out"`
	To       time.Time `query:"to" doc:"Decided before this moment; now when left out"`
	ByCamera bool      `query:"by_camera" doc:"Apart for each camera"`
	Shadow   bool      `query:"shadow" doc:"Also what rules in shadow would have, for administrators"`
}

func (s *Server) precisionRoutes(r *routes) {
	add(r, role(ward.MayReview), huma.Operation{
		Method: http.MethodGet, Path: v1 + "/alert-precision", OperationID: "listAlertPrecision", Tags: []string{"alerts"},
		Summary: "How precise each rule is by what was decided on its alerts in scope, with 95 % intervals",
	}, s.listAlertPrecision)
}

func (s *Server) listAlertPrecision(ctx context.Context, in *precisionQuery) (*body[Page[ward.Precision]], error) {
	who := callerOf(ctx)
	f := storage.PrecisionFilter{Institutions: who.narrow(in.InstitutionID), From: in.From, To: in.To, ByCamera: in.ByCamera, Shadow: in.Shadow && who.Can(ward.MayAdminister)}
	if f.To.IsZero() {
		f.To = s.now()
	}
	if f.From.IsZero() {
		f.From = f.To.AddDate(0, 0, -precisionDays)
	}
	return items(s.Store.Precision(ctx, f))
}
