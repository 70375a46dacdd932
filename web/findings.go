package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// Appeal is an institution's answer to a confirmed alert.
type Appeal struct {
	Version int64  `json:"version" minimum:"1" doc:"Of the finding that was read"`
	Reason  string `json:"reason" minLength:"1" maxLength:"4000"`
}

type findingList struct {
	Paging
	InstitutionFilter
}

type appealInput struct {
	AlertPath
	Body Appeal
}

// findingRoutes are what an institution is told, and how it answers.
func (s *Server) findingRoutes(r *routes) {
	tags, may := []string{"findings"}, ward.MayAppeal
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/findings", OperationID: "listFindings", Summary: "Alerts confirmed against institutions in scope, and appeals, newest first", Tags: tags}, s.listFindings)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/findings/{id}/appeal", OperationID: "appealFinding", Summary: "Appeal a confirmed alert, once: it is decided again", Tags: tags}, s.loadFinding, s.appeal)
}

func (s *Server) listFindings(ctx context.Context, in *findingList) (*body[Page[storage.Finding]], error) {
	v, err := s.Store.Findings(ctx, callerOf(ctx).narrow(in.InstitutionID), ward.AlertID(in.Cursor), in.Limit)
	return answer(pageAfter(v, in.Limit, func(f storage.Finding) string { return string(f.AlertID) }), err)
}

// loadFinding: an alert that the institution was not told of does not exist for it.
func (s *Server) loadFinding(ctx context.Context, in *appealInput) (ward.Alert, ward.InstitutionID, error) {
	a, err := s.Store.Alert(ctx, in.ID)
	if err == nil && (a.Shadow || a.State != ward.AlertConfirmed && !a.Appealed) {
		return ward.Alert{}, "", notFound()
	}
	return a, a.InstitutionID, err
}

func (s *Server) appeal(ctx context.Context, in *appealInput, a ward.Alert) (*body[none], error) {
	a, err := s.Store.StepAlert(ctx, a.ID, in.Body.Version, ward.AlertStep{Action: ward.AlertAppeal, By: callerOf(ctx).ID, Note: strings.TrimSpace(in.Body.Reason)})
	if err != nil {
		return nil, err
	}
	s.Hub.Notify(string(AlertEvent), string(a.ID), a.InstitutionID)
	return &body[none]{}, nil
}
