package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/ward"
)

// PlanOrder is a plan to be made.
type PlanOrder struct {
	InstitutionID ward.InstitutionID `json:"institution_id" maxLength:"64"`
	Spec          ward.PlanSpec      `json:"spec"`
}

// PlanDetail is a plan with what became of its starts, the newest first.
type PlanDetail struct {
	Plan ward.Plan      `json:"plan"`
	Runs []ward.PlanRun `json:"runs"`
}

// NotifyName is somebody who can be told, without the address.
type NotifyName struct {
	ID   ward.EndpointID   `json:"id"`
	Name string            `json:"name"`
	Kind ward.EndpointKind `json:"kind"`
}

// PlanPath names a plan in the address.
type PlanPath struct {
	ID ward.PlanID `path:"id" maxLength:"64"`
}

func (s *Server) planRoutes(r *routes) {
	tags, may := []string{"rounds"}, ward.MayRound
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/round-plans", OperationID: "listPlans", Summary: "Rounds in scope that start by themselves", Tags: tags}, s.listPlans)
	add(r, role(may), huma.Operation{Method: http.MethodPost, Path: v1 + "/round-plans", OperationID: "addPlan", Summary: "Plan a round, or one every week; the institution sees nothing before it starts", Tags: tags, DefaultStatus: http.StatusCreated}, s.addPlan)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/round-plans/{id}", OperationID: "getPlan", Summary: "A plan with what became of its starts", Tags: tags}, s.loadPlan, s.getPlan)
	on(r, may, huma.Operation{Method: http.MethodDelete, Path: v1 + "/round-plans/{id}", OperationID: "cancelPlan", Summary: "Cancel a plan; what it started goes on", Tags: tags, DefaultStatus: http.StatusNoContent}, s.loadPlan, s.cancelPlan)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/notify-names", OperationID: "listNotifyNames", Summary: "Who can be told of rounds of an institution", Tags: tags}, s.listNotifyNames)
}

func (s *Server) planner() (*rounds.Planner, error) {
	if s.Planner == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "rounds.missing", ZH: "本服务未启用查房功能。", EN: "This process conducts no rounds."}
	}
	return s.Planner, nil
}

func (s *Server) listPlans(ctx context.Context, in *InstitutionFilter) (*body[Page[ward.Plan]], error) {
	return items(s.Store.Plans(ctx, callerOf(ctx).narrow(in.InstitutionID)))
}

func (s *Server) addPlan(ctx context.Context, in *creation[PlanOrder]) (*created[ward.Plan], error) {
	p, err := s.planner()
	if err != nil {
		return nil, err
	}
	who, b := callerOf(ctx), in.Body
	if !who.May(ward.MayRound, b.InstitutionID) {
		return nil, unknownInstitution()
	}
	if err := s.mayTell(ctx, b.InstitutionID, b.Spec.Notify); err != nil {
		return nil, err
	}
	return once(ctx, s, "addPlan", in.Key, in.RawBody, func() (ward.Plan, error) {
		v, err := p.Add(ctx, who.User, b.InstitutionID, b.Spec)
		return v, inBody(err)
	})
}

func (s *Server) loadPlan(ctx context.Context, in *PlanPath) (ward.Plan, ward.InstitutionID, error) {
	v, err := s.Store.Plan(ctx, in.ID)
	return v, v.InstitutionID, err
}

func (s *Server) getPlan(ctx context.Context, _ *PlanPath, v ward.Plan) (*body[PlanDetail], error) {
	runs, err := s.Store.PlanRuns(ctx, v.ID)
	return answer(PlanDetail{v, list(runs)}, err)
}

func (s *Server) cancelPlan(ctx context.Context, _ *PlanPath, v ward.Plan) (*empty, error) {
	return &empty{}, s.Store.CancelPlan(ctx, v.ID)
}

func (s *Server) listNotifyNames(ctx context.Context, in *InstitutionFilter) (*body[Page[NotifyName]], error) {
	if !callerOf(ctx).May(ward.MayRound, in.InstitutionID) {
		return nil, unknownInstitution()
	}
	all, err := s.Store.Endpoints(ctx)
	out := []NotifyName{}
	for _, e := range all {
		if !e.Disabled && e.Hears(in.InstitutionID) {
			out = append(out, NotifyName{e.ID, e.Name, e.Kind})
		}
	}
	return items(out, err)
}

// mayTell refuses to name somebody who does not hear of the institution.
func (s *Server) mayTell(ctx context.Context, inst ward.InstitutionID, ids []ward.EndpointID) error {
	if len(ids) == 0 {
		return nil
	}
	all, err := s.Store.Endpoints(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(e ward.Endpoint) bool { return e.ID == id && e.Hears(inst) }) {
			return &ward.Error{Kind: ward.Invalid, Code: "round.notify", ZH: "通知对象不存在或不接收该机构的消息。", EN: "One of those to be told does not exist, or does not hear of this institution."}
		}
	}
	return nil
}
