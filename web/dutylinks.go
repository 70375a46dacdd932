package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// NewDutyLink asks for a link by which one physician begins a shift.
type NewDutyLink struct {
	InstitutionID ward.InstitutionID `json:"institution_id" minLength:"1" maxLength:"64"`
	PhysicianID   ward.PhysicianID   `json:"physician_id" minLength:"1" maxLength:"64"`
	Reason        string             `json:"reason" minLength:"1" maxLength:"500" doc:"Shown on the first page"`
	Deadline      time.Time          `json:"deadline" doc:"30 seconds to 24 hours from now"`
}

// NewDutyCheck orders a surprise check of physicians on duty.
type NewDutyCheck struct {
	InstitutionID ward.InstitutionID `json:"institution_id" minLength:"1" maxLength:"64"`
	PhysicianIDs  []ward.PhysicianID `json:"physician_ids,omitempty" maxItems:"200" doc:"None: everybody on duty there now"`
	Reason        string             `json:"reason" minLength:"1" maxLength:"500" doc:"Shown on the first page"`
	Deadline      time.Time          `json:"deadline" doc:"30 seconds to 24 hours from now; who has not answered then is sealed as no answer"`
	Notify        []ward.EndpointID  `json:"notify,omitempty" maxItems:"16" doc:"Who is told when nobody answered"`
}

func (s *Server) dutyLinkRoutes(r *routes) {
	tags, may := []string{"physicians"}, ward.MayRound
	add(r, role(may), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/duty-links", OperationID: "orderDutyLink", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "A link by which a physician begins a shift with a live check; shown only in this answer. Only a live face that matches, inside the fence, opens the window",
	}, s.orderDutyLink)
	add(r, role(may), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/duty-checks", OperationID: "orderDutyCheck", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Check physicians on duty by surprise; the links are shown only in this answer. No window begins or ends",
	}, s.orderDutyCheck)
}

func (s *Server) orderDutyLink(ctx context.Context, in *creation[NewDutyLink]) (*created[OrderedRound], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !who.May(ward.MayRound, b.InstitutionID) {
		return nil, unknownInstitution()
	}
	return once(ctx, s, "orderDutyLink", in.Key, in.RawBody, func() (OrderedRound, error) {
		round, link, err := e.OrderDuty(ctx, who.User, rounds.DutyLink{InstitutionID: b.InstitutionID, Physician: b.PhysicianID, Reason: b.Reason, Deadline: b.Deadline.UTC()})
		return ordered(round, []rounds.VisitLink{link}), inBody(err)
	})
}

func (s *Server) orderDutyCheck(ctx context.Context, in *creation[NewDutyCheck]) (*created[OrderedRound], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !who.May(ward.MayRound, b.InstitutionID) {
		return nil, unknownInstitution()
	}
	if err := s.mayTell(ctx, b.InstitutionID, b.Notify); err != nil {
		return nil, err
	}
	return once(ctx, s, "orderDutyCheck", in.Key, in.RawBody, func() (OrderedRound, error) {
		round, links, err := e.OrderDutyCheck(ctx, who.User, rounds.DutyCheck{
			InstitutionID: b.InstitutionID, Physicians: b.PhysicianIDs, Reason: b.Reason, Deadline: b.Deadline.UTC(), Notify: b.Notify,
		})
		return ordered(round, links), inBody(err)
	})
}

// physicianNames are the names of those whom visits verify, by id.
func (s *Server) physicianNames(ctx context.Context, visits []ward.Visit) (map[ward.PhysicianID]string, error) {
	var ids []ward.PhysicianID
	for _, v := range visits {
		if v.PhysicianID != "" {
			ids = append(ids, v.PhysicianID)
		}
	}
	who, err := s.Store.PhysiciansOf(ctx, ids)
	out := map[ward.PhysicianID]string{}
	for id, p := range who {
		out[id] = p.Name
	}
	return out, err
}
