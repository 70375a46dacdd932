package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// VisitLine is a line of text for the bedside.
type VisitLine struct {
	Ref  string `json:"ref" minLength:"1" maxLength:"40" doc:"The writer's own name for the line; sent again under it, it is one line"`
	Text string `json:"text" minLength:"1" maxLength:"500"`
}

type visitLineInput struct {
	VisitPath
	Body VisitLine
}

func (s *Server) messageRoutes(r *routes) {
	tags, may := []string{"rounds"}, ward.MayRound
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/visits/{id}/messages", OperationID: "listVisitMessages", Summary: "What inspector and bedside wrote to each other", Tags: tags}, s.loadVisit, s.listMessages)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/messages", OperationID: "writeToBedside", Summary: "Write a line to a bedside that is connected", Tags: tags},
		func(ctx context.Context, in *visitLineInput) (ward.Visit, ward.InstitutionID, error) {
			return s.loadVisit(ctx, &in.VisitPath)
		}, s.writeToBedside)
}

func (s *Server) listMessages(ctx context.Context, _ *VisitPath, v ward.Visit) (*body[Page[ward.VisitMessage]], error) {
	return items(s.Store.VisitMessages(ctx, v.ID))
}

func (s *Server) writeToBedside(ctx context.Context, in *visitLineInput, v ward.Visit) (*body[ward.VisitMessage], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	u := callerOf(ctx).User
	if !s.written.allow(string(u.ID) + " " + string(v.ID)) {
		return nil, tooMany()
	}
	return answer(e.Write(ctx, v, u, in.Body.Ref, in.Body.Text))
}
