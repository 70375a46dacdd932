package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// RuleView is a rule with its figures and how it is set.
type RuleView struct {
	ward.RuleInfo
	Common ward.RuleSetting  `json:"common" doc:"For every institution that has no setting of its own"`
	Own    *ward.RuleSetting `json:"own,omitempty" doc:"Of the institution asked for; left out when it is judged as all are"`
	Based  int               `json:"based" doc:"Send it back as based_on with a change: when somebody else was faster the change is refused"`
	Others int               `json:"others" doc:"How many institutions have a setting of their own"`
}

// RuleChange sets a rule for all institutions or for one.
type RuleChange struct {
	InstitutionID ward.InstitutionID `json:"institution_id,omitempty" maxLength:"64" doc:"Empty: for all"`
	Mode          ward.RuleMode      `json:"mode,omitempty"`
	Params        map[string]float64 `json:"params,omitempty" doc:"What is left out gets the built-in figure"`
	Inherit       bool               `json:"inherit,omitempty" doc:"Give an institution's own setting up"`
	BasedOn       int                `json:"based_on" minimum:"0"`
}

type ruleChangeInput struct {
	Rule ward.Rule `path:"rule"`
	Body RuleChange
}

type ruleList struct {
	InstitutionID ward.InstitutionID `query:"institution_id" maxLength:"64" doc:"Also the settings of this institution"`
}

type ruleHistory struct {
	Rule          ward.Rule          `path:"rule"`
	InstitutionID ward.InstitutionID `query:"institution_id" maxLength:"64" doc:"Empty: of the setting for all"`
}

func (s *Server) ruleRoutes(r *routes) {
	who, tags := everywhere(ward.MayAdminister), []string{"rules"}
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/rules", OperationID: "listRules", Summary: "Every rule, its figures and how it is set", Tags: tags}, s.listRules)
	add(r, who, huma.Operation{Method: http.MethodPut, Path: v1 + "/rules/{rule}", OperationID: "setRule", Summary: "Set a rule: a new version, sealed in the ledger; what was judged before stays", Tags: tags}, s.setRule)
	add(r, who, huma.Operation{Method: http.MethodGet, Path: v1 + "/rules/{rule}/history", OperationID: "listRuleHistory", Summary: "Every version of a rule's setting, the newest first", Tags: tags}, s.listRuleHistory)
}

func (s *Server) listRules(ctx context.Context, in *ruleList) (*body[Page[RuleView]], error) {
	settings, err := s.Store.RuleSettings(ctx)
	if err != nil {
		return nil, err
	}
	var out []RuleView
	for _, info := range ward.Rules() {
		v := RuleView{RuleInfo: info, Common: info.BuiltIn()}
		for i, set := range settings {
			switch {
			case set.Rule != info.Rule:
			case set.InstitutionID == "":
				v.Common = set
			case !set.Inherit:
				v.Others++
			}
			if set.Rule == info.Rule && set.InstitutionID == in.InstitutionID {
				v.Based = set.Version
				if in.InstitutionID != "" && !set.Inherit {
					v.Own = &settings[i]
				}
			}
		}
		out = append(out, v)
	}
	return items(out, nil)
}

func (s *Server) setRule(ctx context.Context, in *ruleChangeInput) (*body[ward.RuleSetting], error) {
	b := in.Body
	set := ward.RuleSetting{Rule: in.Rule, InstitutionID: b.InstitutionID, Mode: b.Mode, Params: b.Params, Inherit: b.Inherit, By: callerOf(ctx).ID}
	set, err := s.Store.SetRule(ctx, set, b.BasedOn)
	return answer(set, inBody(err))
}

func (s *Server) listRuleHistory(ctx context.Context, in *ruleHistory) (*body[Page[ward.RuleSetting]], error) {
	return items(s.Store.RuleHistory(ctx, in.Rule, in.InstitutionID))
}
