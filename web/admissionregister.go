package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/storage"
	"wardwatch/ward"
)

// RegisteredAdmission is a stay as the register tells it.
type RegisteredAdmission struct {
	Admission

	State      ward.StayState    `json:"state" doc:"At the moment of the answer"`
	Way        ward.AdmissionWay `json:"way" doc:"How it came in first; empty: before this was kept"`
	Registered time.Time         `json:"registered,omitzero" doc:"When it came in first"`
}

// ToldStep is one thing that the hospital said about a stay.
type ToldStep struct {
	StayStep

	Recorded  time.Time         `json:"recorded" doc:"When the hospital wrote it down: what is newer wins"`
	Received  time.Time         `json:"received"`
	Way       ward.AdmissionWay `json:"way"`
	Physician string            `json:"physician" doc:"Empty: it tells of none"`
}

type registerInput struct {
	Paging
	InstitutionFilter

	Ward     string         `query:"ward" maxLength:"64"`
	State    ward.StayState `query:"state"`
	Enrolled string         `query:"enrolled" enum:"yes,no,proxy" doc:"Whether there is a face to compare with; proxy: one that was enrolled by proxy"`
	Find     string         `query:"find" maxLength:"64" doc:"The beginning of an id, or the whole number of the hospital"`
}

func (s *Server) registerRoutes(r *routes) {
	tags, may := []string{"rounds"}, ward.MayRound
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/admission-register", OperationID: "listRegister", Summary: "Stays in scope, those that began last first, page by page", Tags: tags}, s.listRegister)
	add(r, role(may), huma.Operation{Method: http.MethodGet, Path: v1 + "/admission-wards", OperationID: "listAdmissionWards", Summary: "The wards that stays in scope name, and how many lie there now", Tags: tags}, s.listAdmissionWards)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions/{id}", OperationID: "getAdmission", Summary: "One stay, with how it came in", Tags: tags}, s.loadAdmission, s.getAdmission)
	on(r, may, huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions/{id}/events", OperationID: "listAdmissionEvents", Summary: "What the hospital said about a stay, the newest message last; empty when it was only registered", Tags: tags}, s.loadAdmission, s.listAdmissionEvents)
}

func (s *Server) listRegister(ctx context.Context, in *registerInput) (*body[Page[RegisteredAdmission]], error) {
	f := storage.StayFilter{
		Institutions: callerOf(ctx).narrow(in.InstitutionID), Ward: in.Ward, State: in.State, Find: in.Find,
		Before: in.Cursor, Limit: in.Limit, Now: s.now(),
	}
	if in.Enrolled != "" {
		yes := in.Enrolled != "no"
		f.Enrolled, f.Proxy = &yes, in.Enrolled == "proxy"
	}
	stays, next, err := s.Store.Register(ctx, f)
	if err != nil {
		return nil, err
	}
	out, err := s.registered(ctx, stays)
	return answer(Page[RegisteredAdmission]{out, next}, err)
}

func (s *Server) registered(ctx context.Context, stays []storage.RegisteredStay) ([]RegisteredAdmission, error) {
	plain := make([]ward.Admission, len(stays))
	for i, a := range stays {
		plain[i] = a.Admission
	}
	named, err := s.admissions(ctx, plain)
	if err != nil {
		return nil, err
	}
	out := make([]RegisteredAdmission, len(stays))
	for i, a := range stays {
		out[i] = RegisteredAdmission{named[i], a.StateAt(s.now(), a.Cancelled), a.Way, a.Registered}
	}
	return out, nil
}

func (s *Server) listAdmissionWards(ctx context.Context, in *InstitutionFilter) (*body[Page[storage.WardCount]], error) {
	return items(s.Store.Wards(ctx, callerOf(ctx).narrow(in.InstitutionID), s.now()))
}

func (s *Server) getAdmission(ctx context.Context, _ *AdmissionPath, a ward.Admission) (*body[RegisteredAdmission], error) {
	stay, err := s.Store.Registered(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	out, err := s.registered(ctx, []storage.RegisteredStay{stay})
	if err != nil {
		return nil, err
	}
	return answer(out[0], nil)
}

func (s *Server) listAdmissionEvents(ctx context.Context, _ *AdmissionPath, a ward.Admission) (*body[Page[ToldStep]], error) {
	told, err := s.Store.ToldOf(ctx, a.ID)
	out := make([]ToldStep, len(told))
	for i, e := range told {
		out[i] = ToldStep{stepOf(e.AdmissionEvent), e.Recorded, e.Received, e.Way, e.Physician}
	}
	return items(out, err)
}
