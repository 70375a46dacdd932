package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// CheckPolicies are the newest versions of every scope, withdrawn ones
// included, and what counts where there is none.
type CheckPolicies struct {
	Items   []ward.CheckPolicy `json:"items"`
	BuiltIn ward.CheckPolicy   `json:"built_in"`
	Kinds   []ward.CheckKind   `json:"kinds" doc:"The checks that a policy can name"`
}

type checkPolicyInput struct{ Body ward.CheckPolicy }

func (s *Server) checkPolicyRoutes(r *routes) {
	who, tags := everywhere(ward.MayAdminister), []string{"rounds"}
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/check-policies", OperationID: "listCheckPolicies", Summary: "Which checks a visit requires, by institution and ward", Tags: tags}, s.listCheckPolicies)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/check-policies", OperationID: "setCheckPolicy", Summary: "Set what one scope requires from now on: a new version, sealed in the ledger", Tags: tags}, s.setCheckPolicy)
}

func (s *Server) listCheckPolicies(ctx context.Context, _ *none) (*body[CheckPolicies], error) {
	all, err := s.Store.CheckPolicies(ctx)
	return answer(CheckPolicies{list(all), ward.DefaultCheckPolicy(), ward.CheckKinds()}, err)
}

// setCheckPolicy: version is the one of the scope that was read; who and when are the caller's.
func (s *Server) setCheckPolicy(ctx context.Context, in *checkPolicyInput) (*body[ward.CheckPolicy], error) {
	p := in.Body
	p.By = callerOf(ctx).ID
	return answer(s.Store.SetCheckPolicy(ctx, p))
}
