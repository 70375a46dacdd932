package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// NewEnrolmentLink asks for a link by which a patient is enrolled at the bedside.
type NewEnrolmentLink struct {
	Reason   string    `json:"reason" minLength:"1" maxLength:"500" doc:"Shown on the first page"`
	Deadline time.Time `json:"deadline" doc:"30 seconds to 24 hours from now"`
}

type enrolmentLinkInput struct {
	AdmissionPath

	Key     string `header:"Idempotency-Key" maxLength:"128" doc:"As of other creations"`
	RawBody []byte
	Body    NewEnrolmentLink
}

func (s *Server) enrolmentLinkRoutes(r *routes) {
	on(r, ward.MayAdmit, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/admissions/{id}/enrolment-links", OperationID: "orderEnrolmentLink", Tags: []string{"rounds"}, DefaultStatus: http.StatusCreated,
		Summary: "A link by which the patient is enrolled at the bedside: the live check first, then the reference face is that of the session. Takes the right to order rounds, too; the link is shown only in this answer",
	}, func(ctx context.Context, in *enrolmentLinkInput) (ward.Admission, ward.InstitutionID, error) {
		return s.loadAdmission(ctx, &in.AdmissionPath)
	}, s.orderEnrolmentLink)
}

func (s *Server) orderEnrolmentLink(ctx context.Context, in *enrolmentLinkInput, a ward.Admission) (*created[OrderedRound], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return once(ctx, s, "orderEnrolmentLink/"+string(a.ID), in.Key, in.RawBody, func() (OrderedRound, error) {
		round, link, err := e.OrderEnrolment(ctx, callerOf(ctx).User, a, in.Body.Reason, in.Body.Deadline.UTC())
		return ordered(round, []rounds.VisitLink{link}), inBody(err)
	})
}
