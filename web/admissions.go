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
	Insured   ward.Insured `json:"insured" doc:"Masked; without id: not known yet, in the hospital's words"`
	Cancelled bool         `json:"cancelled,omitempty" doc:"It never was"`
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
	Ward string    `query:"ward" maxLength:"64"`
	At   time.Time `query:"at" doc:"Who lay where at that moment; absent: all stays, with the bed they are in or were last"`
}

// AdmissionPath names a stay in the address.
type AdmissionPath struct {
	ID ward.AdmissionID `path:"id" maxLength:"64"`
}

func (s *Server) admissionRoutes(r *routes) {
	tags := []string{"rounds"}
	add(r, role(ward.MaySettle), huma.Operation{Method: http.MethodPost, Path: v1 + "/admissions", OperationID: "addAdmission", Summary: "Register a stay", Tags: tags, DefaultStatus: http.StatusCreated}, s.addAdmission)
	add(r, role(ward.MayRound), huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions", OperationID: "listAdmissions", Summary: "The stays in scope, by ward and bed", Tags: tags}, s.listAdmissions)
	on(r, ward.MayRound, huma.Operation{Method: http.MethodGet, Path: v1 + "/admissions/{id}/beds", OperationID: "listAdmissionBeds", Summary: "The beds of a stay, by time", Tags: tags}, s.loadAdmission, s.listAdmissionBeds)
	s.registerRoutes(r)
	s.enrolmentRoutes(r)
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
		return Admission{Admission: a, Insured: p.Masked()}, inBody(s.Store.AddAdmission(ctx, a))
	})
}

func (s *Server) listAdmissions(ctx context.Context, in *admissionList) (*body[Page[Admission]], error) {
	insts := callerOf(ctx).narrow(in.InstitutionID)
	var stays []ward.Admission
	var err error
	if in.At.IsZero() {
		stays, err = s.Store.Admissions(ctx, insts, in.Ward)
	} else {
		stays, err = s.Store.AdmissionsAt(ctx, insts, in.Ward, in.At)
	}
	if err != nil {
		return nil, err
	}
	return items(s.admissions(ctx, stays))
}

// admissions masks who lies there.
func (s *Server) admissions(ctx context.Context, stays []ward.Admission) ([]Admission, error) {
	insured, ids := make([]ward.InsuredID, len(stays)), make([]ward.AdmissionID, len(stays))
	for i, a := range stays {
		insured[i], ids[i] = a.InsuredID, a.ID
	}
	people, err := s.Store.InsuredMany(ctx, insured)
	if err != nil {
		return nil, err
	}
	told, err := s.Store.AdmittedPeople(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Admission, len(stays))
	for i, a := range stays {
		p := people[a.InsuredID]
		if a.InsuredID == "" {
			p = ward.Insured{Name: told[a.ID].Person.Name, IDNumber: told[a.ID].Person.Number}
		}
		out[i] = Admission{a, p.Masked(), told[a.ID].Cancelled}
	}
	return out, nil
}

func (s *Server) loadAdmission(ctx context.Context, in *AdmissionPath) (ward.Admission, ward.InstitutionID, error) {
	a, err := s.Store.Admission(ctx, in.ID)
	return a, a.InstitutionID, err
}

func (s *Server) listAdmissionBeds(ctx context.Context, _ *AdmissionPath, a ward.Admission) (*body[Page[ward.BedStay]], error) {
	beds, err := s.Store.BedsOf(ctx, a.ID)
	return items(beds, err)
}
