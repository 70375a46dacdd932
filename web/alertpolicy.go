package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

type alertPolicyInput struct{ Body ward.AlertPolicy }

func (s *Server) alertPolicyRoutes(r *routes) {
	who, tags := everywhere(ward.MayAdminister), []string{"alerts"}
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/alert-policy", OperationID: "getAlertPolicy", Summary: "Until when alerts are to be decided and can be appealed", Tags: tags}, s.getAlertPolicy)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/alert-policy", OperationID: "setAlertPolicy", Summary: "Set the deadlines of alerts that are raised from now on: a new version, sealed in the ledger", Tags: tags}, s.setAlertPolicy)
}

func (s *Server) getAlertPolicy(ctx context.Context, _ *none) (*body[ward.AlertPolicy], error) {
	return answer(s.Store.AlertPolicy(ctx))
}

// setAlertPolicy: version is the one that was read; who and when are the caller's.
func (s *Server) setAlertPolicy(ctx context.Context, in *alertPolicyInput) (*body[ward.AlertPolicy], error) {
	p := in.Body
	p.By = callerOf(ctx).ID
	return answer(s.Store.SetAlertPolicy(ctx, p))
}
