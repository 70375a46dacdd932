package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// NewOutage is what an institution reports in advance.
type NewOutage struct {
	InstitutionID ward.InstitutionID `json:"institution_id" minLength:"1" maxLength:"64"`
	Places        []ward.PlaceID     `json:"places,omitempty" maxItems:"200" doc:"All their cameras"`
	Cameras       []ward.CameraID    `json:"cameras,omitempty" maxItems:"200" doc:"These cameras too; all of the institution's when places and cameras are both empty"`
	From          time.Time          `json:"from" doc:"What is reported after it is kept, marked late, and counts for nothing"`
	To            time.Time          `json:"to" doc:"At most 31 days later"`
	Reason        string             `json:"reason" minLength:"1" maxLength:"1000"`
}

// OutageWithdrawal takes a report back: it covers nothing from now on.
type OutageWithdrawal struct {
	Version int    `json:"version" minimum:"1" doc:"Of the outage as it was read"`
	Note    string `json:"note,omitempty" maxLength:"1000"`
}

// OutageDecision says whether a report is accepted; one that is not covers nothing, also of what was.
type OutageDecision struct {
	Version  int    `json:"version" minimum:"1" doc:"Of the outage as it was read"`
	Accepted bool   `json:"accepted"`
	Note     string `json:"note,omitempty" maxLength:"1000" doc:"Required when it is not accepted; the institution can read it"`
}

// OutageDetail is an outage with all that became of it.
type OutageDetail struct {
	ward.Outage
	Versions []ward.Outage `json:"versions" doc:"Every version, the oldest first, each sealed in the ledger"`
}

// OutagePath names an outage in the address.
type OutagePath struct {
	ID ward.OutageID `path:"id" maxLength:"64"`
}

type outageList struct {
	Paging
	InstitutionFilter
	Current bool `query:"current" doc:"Only those that are not over"`
}

type outageWithdrawalInput struct {
	OutagePath
	Body OutageWithdrawal
}

type outageDecisionInput struct {
	OutagePath
	Body OutageDecision
}

func (s *Server) outageRoutes(r *routes) {
	tags := []string{"outages"}
	add(r, role(ward.MayOutages), huma.Operation{Method: http.MethodGet, Path: v1 + "/outages", OperationID: "listOutages", Summary: "What institutions in scope reported, those reported last first", Tags: tags}, s.listOutages)
	add(r, role(ward.MayReport), huma.Operation{Method: http.MethodGet, Path: v1 + "/outage-cameras", OperationID: "listOutageCameras", Summary: "The cameras that an outage can be reported for", Tags: tags}, s.listCameraNames)
	add(r, role(ward.MayReport), huma.Operation{Method: http.MethodPost, Path: v1 + "/outages", OperationID: "reportOutage", Summary: "Report that cameras will see nothing, sealed in the ledger", Tags: tags, DefaultStatus: http.StatusCreated}, s.reportOutage)
	on(r, ward.MayOutages, huma.Operation{Method: http.MethodGet, Path: v1 + "/outages/{id}", OperationID: "getOutage", Summary: "An outage with every version", Tags: tags}, s.loadOutage, s.getOutage)
	on(r, ward.MayReport, huma.Operation{Method: http.MethodPost, Path: v1 + "/outages/{id}/withdrawal", OperationID: "withdrawOutage", Summary: "Withdraw an outage that is not over", Tags: tags},
		func(ctx context.Context, in *outageWithdrawalInput) (ward.Outage, ward.InstitutionID, error) {
			return s.loadOutage(ctx, &in.OutagePath)
		}, s.withdrawOutage)
	on(r, ward.MayReview, huma.Operation{Method: http.MethodPost, Path: v1 + "/outages/{id}/decision", OperationID: "decideOutage", Summary: "Mark an outage as not accepted, or as accepted after all", Tags: tags},
		func(ctx context.Context, in *outageDecisionInput) (ward.Outage, ward.InstitutionID, error) {
			return s.loadOutage(ctx, &in.OutagePath)
		}, s.decideOutage)
}

func (s *Server) loadOutage(ctx context.Context, in *OutagePath) (ward.Outage, ward.InstitutionID, error) {
	o, err := s.Store.Outage(ctx, in.ID)
	return o, o.InstitutionID, err
}

func (s *Server) listOutages(ctx context.Context, in *outageList) (*body[Page[ward.Outage]], error) {
	f := storage.OutageFilter{Institutions: callerOf(ctx).narrow(in.InstitutionID), Before: in.Cursor, Limit: in.Limit}
	if in.Current {
		f.After = s.now()
	}
	v, next, err := s.Store.Outages(ctx, f)
	return answer(Page[ward.Outage]{list(v), next}, err)
}

func (s *Server) getOutage(ctx context.Context, _ *OutagePath, o ward.Outage) (*body[OutageDetail], error) {
	v, err := s.Store.OutageVersions(ctx, o.ID)
	return answer(OutageDetail{o, list(v)}, err)
}

func (s *Server) reportOutage(ctx context.Context, in *creation[NewOutage]) (*created[ward.Outage], error) {
	return once(ctx, s, "reportOutage", in.Key, in.RawBody, func() (ward.Outage, error) {
		b := in.Body
		if !callerOf(ctx).May(ward.MayReport, b.InstitutionID) {
			return ward.Outage{}, unknownInstitution()
		}
		o, err := s.Store.ReportOutage(ctx, ward.Outage{
			InstitutionID: b.InstitutionID, Places: b.Places, Cameras: b.Cameras, From: b.From.UTC(), To: b.To.UTC(), Reason: strings.TrimSpace(b.Reason), By: callerOf(ctx).ID,
		})
		if err != nil {
			return ward.Outage{}, inBody(err)
		}
		s.outageChanged(o)
		return o, nil
	})
}

func (s *Server) withdrawOutage(ctx context.Context, in *outageWithdrawalInput, o ward.Outage) (*body[ward.Outage], error) {
	return s.stepOutage(ctx, o, in.Body.Version, ward.OutageWithdraw, in.Body.Note)
}

func (s *Server) decideOutage(ctx context.Context, in *outageDecisionInput, o ward.Outage) (*body[ward.Outage], error) {
	action := ward.OutageRefuse
	if in.Body.Accepted {
		action = ward.OutageAccept
	}
	return s.stepOutage(ctx, o, in.Body.Version, action, in.Body.Note)
}

func (s *Server) stepOutage(ctx context.Context, o ward.Outage, version int, action ward.OutageAction, note string) (*body[ward.Outage], error) {
	o, err := s.Store.StepOutage(ctx, o.ID, version, action, callerOf(ctx).ID, strings.TrimSpace(note))
	if err != nil {
		return nil, err
	}
	s.outageChanged(o)
	return answer(o, nil)
}

func (s *Server) outageChanged(o ward.Outage) {
	s.Hub.Notify(string(OutageEvent), string(o.ID), o.InstitutionID)
}
