package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// AlertsDecision is one decision on several alerts.
type AlertsDecision struct {
	Action    ward.AlertAction      `json:"action" doc:"take, confirm or dismiss"`
	Alerts    []storage.AlertChoice `json:"alerts" minItems:"1" maxItems:"100" doc:"Each with the version that it was decided on: when somebody else was faster with one, nothing is done and the answer is 409 alert.changed"`
	Note      string                `json:"note,omitempty" maxLength:"1000" doc:"Required to confirm or dismiss"`
	Reason    ward.DismissReason    `json:"reason_code,omitempty" doc:"Required to dismiss"`
	CaseTitle string                `json:"case_title,omitempty" maxLength:"200" doc:"To confirm only: opens one case with all of them, which must be of one institution"`
}

// AlertsDecided are the alerts after a decision, and the case that it opened.
type AlertsDecided struct {
	Alerts []ward.Alert `json:"alerts"`
	Case   *ward.Case   `json:"case,omitempty"`
}

func (s *Server) alertChoiceRoutes(r *routes) {
	add(r, role(ward.MayReview), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/alert-decisions", OperationID: "decideAlerts", Tags: []string{"alerts"}, DefaultStatus: http.StatusOK,
		Summary: "Take, confirm or dismiss several alerts, all or none, each with its sealed step; confirmed ones into one case if that has a title",
	}, s.decideAlerts)
}

func (s *Server) decideAlerts(ctx context.Context, in *creation[AlertsDecision]) (*created[AlertsDecided], error) {
	return onceStatus(ctx, s, "decideAlerts", in.Key, in.RawBody, func() (AlertsDecided, int, error) {
		b, who := in.Body, callerOf(ctx)
		title := strings.TrimSpace(b.CaseTitle)
		if title == "" && b.CaseTitle != "" {
			return AlertsDecided{}, 0, &ward.Error{Kind: ward.Invalid, Code: "case.title", ZH: "案件标题不能为空白。", EN: "The title of a case cannot be blank."}
		}
		b.CaseTitle = title
		if err := s.checkChoice(ctx, b); err != nil {
			return AlertsDecided{}, 0, err
		}
		step := ward.AlertStep{Action: b.Action, By: who.ID, Note: strings.TrimSpace(b.Note), Reason: b.Reason}
		var out AlertsDecided
		var err error
		if title != "" {
			var opened ward.Case
			out.Alerts, opened, err = s.clerk().ConfirmAlerts(ctx, b.Alerts, step, title, who.User)
			out.Case = &opened
		} else {
			out.Alerts, err = s.Store.StepAlerts(ctx, b.Alerts, step)
		}
		if err != nil {
			return AlertsDecided{}, 0, err
		}
		for i, a := range out.Alerts {
			if out.Alerts[i] = whole(a); !a.Shadow {
				s.Hub.Notify(string(AlertEvent), string(a.ID), a.InstitutionID)
			}
		}
		return out, http.StatusOK, nil
	})
}

// checkChoice says what is wrong with a decision before it is begun. One
// alert that the caller may not see is as if none were there.
func (s *Server) checkChoice(ctx context.Context, b AlertsDecision) error {
	who := callerOf(ctx)
	switch {
	case !slices.Contains([]ward.AlertAction{ward.AlertTake, ward.AlertConfirm, ward.AlertDismiss}, b.Action):
		return &ward.Error{Kind: ward.Invalid, Code: "alert.action", ZH: "没有这种处理方式。", EN: "There is no such decision."}
	case b.CaseTitle != "" && b.Action != ward.AlertConfirm:
		return &ward.Error{Kind: ward.Invalid, Code: "alert.case", ZH: "只有认定属实的疑点才能一并立案。", EN: "Only alerts that are confirmed can be made a case together."}
	case b.CaseTitle != "" && !who.Can(ward.MayCase):
		return &ward.Error{Kind: ward.Forbidden, Code: "denied", ZH: "您无权立案。", EN: "You may not open a case."}
	}
	seen := map[ward.AlertID]bool{}
	for _, choice := range b.Alerts {
		a, err := s.Store.Alert(ctx, choice.ID)
		if missing(err) || err == nil && (!who.May(ward.MayReview, a.InstitutionID) || b.CaseTitle != "" && !who.May(ward.MayCase, a.InstitutionID) || a.Shadow && !who.Can(ward.MayAdminister)) {
			return notFound()
		}
		if err != nil {
			return err
		}
		if seen[choice.ID] {
			return &ward.Error{Kind: ward.Invalid, Code: "alert.twice", ZH: "同一疑点不能选择两次。", EN: "An alert is named twice."}
		}
		seen[choice.ID] = true
	}
	return nil
}
