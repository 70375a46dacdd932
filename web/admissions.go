package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// Admission is a stay with the masked person.
type Admission struct {
	ward.Admission
	Insured ward.Insured `json:"insured" doc:"Masked"`
}

// NewAdmission is a stay to be registered.
type NewAdmission struct {
	ID            ward.AdmissionID   `json:"id,omitempty" maxLength:"64" doc:"The hospital system's id, or left out"`
	InstitutionID ward.InstitutionID `json:"institution_id" maxLength:"64"`
	InsuredID     ward.InsuredID     `json:"insured_id" maxLength:"64"`
	Ward          string             `json:"ward" minLength:"1" maxLength:"64"`
	Bed           string             `json:"bed" minLength:"1" maxLength:"32"`
	Physician     string             `json:"physician,omitempty" maxLength:"64"`
	From          time.Time          `json:"from"`
	To            time.Time          `json:"to,omitzero"`
}

type admissionList struct {
	InstitutionFilter
	Ward string `query:"ward" maxLength:"64"`
}

func (s *Server) admissionRoutes(r *routes) {
	tags := []string{"rounds"}
	add(r, role(ward.MaySettle), huma.Operation{Method: http.MethodPost, Path: v1 + "/admissions", OperationID: "addAdmission", Summary: "Register a stay", Tags: tags, DefaultStatus: http.StatusCreated}, s.addAdmission)
	add(r, role(ward.MayRound), huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions", OperationID: "listAdmissions", Summary: "The stays in scope, by ward and bed", Tags: tags}, s.listAdmissions)
}

func (s *Server) addAdmission(ctx context.Context, in *creation[NewAdmission]) (*created[Admission], error) {
	return once(ctx, s, "addAdmission", in.Key, in.RawBody, func() (Admission, error) {
		b := in.Body
		a := ward.Admission{ID: b.ID, InstitutionID: b.InstitutionID, InsuredID: b.InsuredID, Ward: b.Ward, Bed: b.Bed, Physician: b.Physician, From: b.From.UTC(), To: b.To.UTC()}
		if err := chosenID(&a.ID, s); err != nil {
			return Admission{}, err
		}
		if !callerOf(ctx).May(ward.MaySettle, a.InstitutionID) {
			return Admission{}, unknownInstitution()
		}
		if !a.To.IsZero() && a.To.Before(a.From) {
			return Admission{}, &ward.Error{Kind: ward.Invalid, Code: "time.range", ZH: "出院时间早于入院时间。", EN: "The stay ends before it begins."}
		}
		p, err := s.Store.Insured(ctx, a.InsuredID)
		if err != nil {
			return Admission{}, inBody(err)
		}
		return Admission{a, p.Masked()}, inBody(s.Store.AddAdmission(ctx, a))
	})
}

func (s *Server) listAdmissions(ctx context.Context, in *admissionList) (*body[Page[Admission]], error) {
	stays, err := s.Store.Admissions(ctx, callerOf(ctx).narrow(in.InstitutionID), in.Ward)
	if err != nil {
		return nil, err
	}
	ids := make([]ward.InsuredID, len(stays))
	for i, a := range stays {
		ids[i] = a.InsuredID
	}
	people, err := s.Store.InsuredMany(ctx, ids)
	out := make([]Admission, len(stays))
	for i, a := range stays {
		out[i] = Admission{a, people[a.InsuredID].Masked()}
	}
	return items(out, err)
}
