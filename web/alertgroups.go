package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

type alertGroupList struct {
	Paging
	InstitutionFilter
	Rule    ward.Rule          `query:"rule"`
	Order   storage.AlertOrder `query:"order" default:"rank" doc:"rank: severity, then money; newest; deadline: the nearest first"`
	Mine    bool               `query:"mine" doc:"Only the caller's tasks"`
	Overdue bool               `query:"overdue" doc:"Only those whose deadline has passed"`
	Shadow  bool               `query:"shadow" doc:"Also those of rules in shadow, for administrators"`
}

func (s *Server) alertGroupRoutes(r *routes) {
	add(r, role(ward.MayReview), huma.Operation{
		Method: http.MethodGet, Path: v1 + "/alert-groups", OperationID: "listAlertGroups", Tags: []string{"alerts"},
		Summary: "Alerts in scope that wait for a decision, those of one rule at one place or about one person together, ranked",
	}, s.listAlertGroups)
}

func (s *Server) listAlertGroups(ctx context.Context, in *alertGroupList) (*body[Page[storage.AlertGroup]], error) {
	f := storage.AlertFilter{Institutions: callerOf(ctx).narrow(in.InstitutionID), Rule: in.Rule, Before: in.Cursor, Limit: in.Limit}
	s.tasks(ctx, &f, in.Mine, in.Overdue, in.Shadow)
	v, next, err := s.Store.AlertGroups(ctx, f, in.Order)
	for i := range v {
		v[i].Newest = whole(v[i].Newest)
	}
	return answer(Page[storage.AlertGroup]{list(v), next}, err)
}

// tasks narrows f to the caller's tasks, to what is overdue, and to what the
// caller may see of rules in shadow.
func (s *Server) tasks(ctx context.Context, f *storage.AlertFilter, mine, overdue, shadow bool) {
	who := callerOf(ctx)
	f.Shadow = shadow && who.Can(ward.MayAdminister)
	if mine {
		f.Assignee, f.Open = who.ID, true
	}
	if overdue {
		f.Overdue = s.now()
	}
}
