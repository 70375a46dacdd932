package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// NewTreatmentLink asks for a link for the patient's own phone.
type NewTreatmentLink struct {
	End    bool   `json:"end,omitempty" doc:"To end the session; left out: to answer the call that may be answered now"`
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Shown on the first page"`
}

type treatmentLinkInput struct {
	TreatmentPath
	Body NewTreatmentLink
}

func (s *Server) treatmentLinkRoutes(r *routes) {
	on(r, ward.MayIdentify, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/treatments/{id}/links", OperationID: "orderTreatmentLink", Tags: []string{"treatments"}, DefaultStatus: http.StatusCreated,
		Summary: "A link by which the patient answers the present call, or ends the session, with a live check on a phone; shown only in this answer",
	}, func(ctx context.Context, in *treatmentLinkInput) (ward.TreatmentSession, ward.InstitutionID, error) {
		return s.loadTreatment(ctx, &in.TreatmentPath)
	}, s.orderTreatmentLink)
}

func (s *Server) orderTreatmentLink(ctx context.Context, in *treatmentLinkInput, v ward.TreatmentSession) (*created[OrderedRound], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx).User
	var call ward.TreatmentCall
	if !in.Body.End {
		var ok bool
		if call, ok, err = s.counter().TreatmentCall(ctx, who, "", v.ID); err != nil {
			return nil, err
		}
		if !ok {
			return nil, &ward.Error{Kind: ward.Conflict, Code: "treatment.call", ZH: "现在没有可应答的呼叫。", EN: "There is no call to answer now."}
		}
	}
	round, link, err := e.OrderTreatment(ctx, who, v, call, in.Body.Reason)
	return &created[OrderedRound]{Status: http.StatusCreated, Body: ordered(round, []rounds.VisitLink{link})}, err
}
