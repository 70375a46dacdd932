package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// AlertDetail is an alert with what it is about.
type AlertDetail struct {
	Alert       ward.Alert        `json:"alert"`
	Settlement  *ward.Settlement  `json:"settlement,omitempty" doc:"That the alert is about"`
	Blind       *BlindDetail      `json:"blind,omitempty" doc:"The blind period that it is about instead, with what was settled from alert.at on"`
	Related     []ward.Settlement `json:"related" doc:"The other settlements that the rule rests on; those of a blind period are with it"`
	Insured     *ward.Insured     `json:"insured,omitempty" doc:"Whose card it was, masked"`
	Sightings   []ward.Sighting   `json:"sightings"`
	HasSnapshot bool              `json:"has_snapshot"`
	History     []ward.AlertEvent `json:"history" doc:"Every step, oldest first, each sealed in the ledger"`
}

// AlertDecision is a step of an alert's life that a person takes.
type AlertDecision struct {
	Action   ward.AlertAction   `json:"action" doc:"take, assign, release, extend, confirm, dismiss or reopen"`
	Version  int64              `json:"version" minimum:"1" doc:"Of the alert that it was decided on: when somebody else was faster the answer is 409 alert.changed"`
	Note     string             `json:"note,omitempty" maxLength:"1000" doc:"Required to confirm, dismiss, reopen or extend; the institution can read that of a confirmation, and that of any decision after its appeal"`
	Reason   ward.DismissReason `json:"reason_code,omitempty" doc:"Required to dismiss"`
	Assignee ward.UserID        `json:"assignee,omitempty" maxLength:"64" doc:"Required to assign: somebody of listAlertAssignees"`
	Deadline time.Time          `json:"deadline,omitzero" doc:"Required to extend"`
}

type alertList struct {
	Paging
	InstitutionFilter
	State        ward.AlertState   `query:"state"`
	Rule         ward.Rule         `query:"rule"`
	SettlementID ward.SettlementID `query:"settlement_id" maxLength:"64" doc:"Only those of this settlement"`
	BlindID      ward.BlindID      `query:"blind_id" maxLength:"64" doc:"Only those of this blind period"`
	PlaceID      ward.PlaceID      `query:"place_id" maxLength:"64"`
	InsuredID    ward.InsuredID    `query:"insured_id" maxLength:"64" doc:"Only those whose settlement is of this card"`
	From         time.Time         `query:"from" doc:"Only those whose settlement was at this moment or later"`
	To           time.Time         `query:"to" doc:"Only those whose settlement was at this moment or earlier"`
	Mine         bool              `query:"mine" doc:"Only the caller's tasks that wait for a decision"`
	Open         bool              `query:"open" doc:"Only those that wait for a decision"`
	Overdue      bool              `query:"overdue" doc:"Only those that wait and whose deadline has passed"`
	Shadow       bool              `query:"shadow" doc:"Also those of rules in shadow, for administrators"`
}

// AlertPath names an alert in the address.
type AlertPath struct {
	ID ward.AlertID `path:"id" maxLength:"64"`
}

type alertDecisionInput struct {
	AlertPath
	Body AlertDecision
}

func (s *Server) alertRoutes(r *routes) {
	tags, may := []string{"alerts"}, ward.MayReview
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/alerts", OperationID: "listAlerts", Summary: "Alerts in scope, newest first", Tags: tags}, s.listAlerts)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/alerts/{id}", OperationID: "getAlert", Summary: "An alert with its settlement, person and sightings", Tags: tags}, s.loadAlert, s.getAlert)
	on(r, may, huma.Operation{Method: http.MethodPost, Path: v1 + "/alerts/{id}/decision", OperationID: "decideAlert", Summary: "Take, assign, give back, extend, confirm, dismiss or reopen", Tags: tags},
		func(ctx context.Context, in *alertDecisionInput) (ward.Alert, ward.InstitutionID, error) {
			return s.loadAlert(ctx, &in.AlertPath)
		}, s.decideAlert)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/alerts/{id}/assignees", OperationID: "listAlertAssignees", Summary: "Whose task the alert can be", Tags: tags}, s.loadAlert, s.listAlertAssignees)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/alerts/{id}/snapshot.jpg", OperationID: "alertSnapshot", Summary: "What the camera saw", Tags: tags}, "image/jpeg"), s.loadAlert, s.alertSnapshot)
	on(r, may, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/alerts/{id}/clip.mp4", OperationID: "alertClip", Summary: "The recording around the alert", Tags: tags}, "video/mp4"), s.loadAlert, s.alertClip)
}

func (s *Server) loadAlert(ctx context.Context, in *AlertPath) (ward.Alert, ward.InstitutionID, error) {
	a, err := s.Store.Alert(ctx, in.ID)
	if a.Shadow && !callerOf(ctx).Can(ward.MayAdminister) {
		return ward.Alert{}, "", notFound()
	}
	return whole(a), a.InstitutionID, err
}

// whole gives an alert empty lists for nil ones.
func whole(a ward.Alert) ward.Alert {
	a.Related, a.Sightings = list(a.Related), list(a.Sightings)
	return a
}

func (s *Server) listAlerts(ctx context.Context, in *alertList) (*body[Page[ward.Alert]], error) {
	f := storage.AlertFilter{
		Institutions: callerOf(ctx).narrow(in.InstitutionID), State: in.State, Rule: in.Rule, SettlementID: in.SettlementID, BlindID: in.BlindID, Before: in.Cursor, Limit: in.Limit,
		PlaceID: in.PlaceID, InsuredID: in.InsuredID, From: in.From, To: in.To, Open: in.Open,
	}
	s.tasks(ctx, &f, in.Mine, in.Overdue, in.Shadow)
	v, next, err := s.Store.Alerts(ctx, f)
	v = slices.Clone(v)
	for i := range v {
		v[i] = whole(v[i])
	}
	return answer(Page[ward.Alert]{list(v), next}, err)
}

func (s *Server) getAlert(ctx context.Context, _ *AlertPath, a ward.Alert) (*body[AlertDetail], error) {
	out := AlertDetail{Alert: a, HasSnapshot: a.SnapshotKey != "", Related: []ward.Settlement{}}
	var err error
	if a.Subject == ward.OnBlind {
		err = s.aboutBlind(ctx, a, &out)
	} else {
		err = s.aboutSettlement(ctx, a, &out)
	}
	if err != nil {
		return nil, err
	}
	// All that was seen while the clip runs, not only what the rule rests on:
	// the inspector sees who was there before and after.
	out.Sightings, err = s.Store.SightingsAt(ctx, a.PlaceID, a.ClipFrom, a.ClipTo)
	out.Sightings = list(out.Sightings)
	if err != nil {
		return nil, err
	}
	out.History, err = s.Store.AlertEvents(ctx, a.ID)
	return answer(out, err)
}

// aboutSettlement adds what an alert about a settlement rests on.
func (s *Server) aboutSettlement(ctx context.Context, a ward.Alert, out *AlertDetail) error {
	v, err := s.Store.Settlement(ctx, a.SettlementID)
	if err != nil {
		return err
	}
	out.Settlement = &v
	for _, id := range a.Related {
		if v, err = s.Store.Settlement(ctx, id); err != nil {
			return err
		}
		if callerOf(ctx).May(ward.MayReview, v.InstitutionID) { // a card may have been used elsewhere too
			out.Related = append(out.Related, v)
		}
	}
	p, err := s.Store.Insured(ctx, out.Settlement.InsuredID)
	if err != nil && !missing(err) {
		return err
	}
	p = p.Masked()
	out.Insured = &p
	return nil
}

// aboutBlind adds the blind period that an alert is about.
func (s *Server) aboutBlind(ctx context.Context, a ward.Alert, out *AlertDetail) error {
	b, err := s.Store.BlindPeriod(ctx, a.BlindID)
	if err != nil {
		return err
	}
	d, err := s.blindDetail(ctx, b, a.At)
	d.AlertID, out.Blind = a.ID, &d
	return err
}

func (s *Server) decideAlert(ctx context.Context, in *alertDecisionInput, a ward.Alert) (*body[ward.Alert], error) {
	b := in.Body
	if !b.Action.Personal() {
		return nil, &ward.Error{Kind: ward.Invalid, Code: "alert.action", ZH: "没有这种处理方式。", EN: "There is no such decision."}
	}
	step := ward.AlertStep{Action: b.Action, By: callerOf(ctx).ID, Note: strings.TrimSpace(b.Note), Reason: b.Reason, Assignee: b.Assignee, Deadline: b.Deadline}
	a, err := s.Store.StepAlert(ctx, a.ID, b.Version, step)
	if err != nil {
		return nil, err
	}
	if !a.Shadow {
		s.Hub.Notify(string(AlertEvent), string(a.ID), a.InstitutionID)
	}
	return answer(whole(a), nil)
}

func (s *Server) listAlertAssignees(ctx context.Context, _ *AlertPath, a ward.Alert) (*body[Page[storage.UserName]], error) {
	return items(s.Store.AlertAssignees(ctx, a))
}

func (s *Server) alertSnapshot(ctx context.Context, _ *AlertPath, a ward.Alert) (*huma.StreamResponse, error) {
	return s.showObject(ctx, view{object: "alert/" + string(a.ID) + "/snapshot", caseID: a.CaseID}, a.SnapshotKey, "image/jpeg")
}

func (s *Server) alertClip(ctx context.Context, _ *AlertPath, a ward.Alert) (*huma.StreamResponse, error) {
	src := ward.Source{Kind: ward.FromCamera, ID: string(a.CameraID)}
	return s.showClip(ctx, view{object: "alert/" + string(a.ID) + "/clip", caseID: a.CaseID}, a.InstitutionID, src, a.ClipFrom, a.ClipTo)
}
