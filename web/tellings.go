package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// VisitTold says how the inspector handed a link out.
type VisitTold struct {
	Way ward.TellWay `json:"way" enum:"link,qr,sms" doc:"link: copied; qr: shown; sms: the text of a message copied"`
}

type visitToldInput struct {
	VisitPath
	Body VisitTold
}

func (s *Server) tellingRoutes(r *routes) {
	on(r, ward.MayRound, huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/told", OperationID: "visitTold", Summary: "The link was handed out; no proof that it arrived", Tags: []string{"rounds"}, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, in *visitToldInput) (ward.Visit, ward.InstitutionID, error) {
			return s.loadVisit(ctx, &in.VisitPath)
		}, s.visitTold)
}

func (s *Server) visitTold(ctx context.Context, in *visitToldInput, v ward.Visit) (*empty, error) {
	told, err := s.Store.Tell(ctx, ward.Telling{VisitID: v.ID, Way: in.Body.Way, By: callerOf(ctx).ID})
	if told {
		s.Hub.Notify(string(VisitEvent), string(v.ID), v.InstitutionID)
	}
	return &empty{}, err
}
