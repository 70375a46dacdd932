package web

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// NewInsured registers an insured person.
type NewInsured struct {
	ID       ward.InsuredID `json:"id,omitempty" maxLength:"64" doc:"The billing system's id, or left out"`
	Name     string         `json:"name" minLength:"1" maxLength:"64"`
	IDNumber string         `json:"id_number" minLength:"1" maxLength:"32"`
}

// InsuredSearch looks a person up.
type InsuredSearch struct {
	IDNumber string `json:"id_number" minLength:"4" maxLength:"32" doc:"The whole number of the card"`
	Reason   string `json:"reason" minLength:"1" maxLength:"200" doc:"Is sealed with the search"`
}

// InsuredPath names an insured person in the address.
type InsuredPath struct {
	ID ward.InsuredID `path:"id" maxLength:"64"`
}

type photoInput struct {
	InsuredPath
	RawBody []byte `contentType:"image/jpeg"`
}

func (s *Server) insuredRoutes(r *routes) {
	tags := []string{"insured"}
	add(r, everywhere(ward.MayAdminister), huma.Operation{Method: http.MethodPost, Path: v1 + "/insured", OperationID: "putInsured", Summary: "Register an insured person, or correct name and number", Tags: tags, DefaultStatus: http.StatusCreated}, s.putInsured)
	add(r, everywhere(ward.MayAdminister), huma.Operation{Method: http.MethodGet, Path: v1 + "/insured", OperationID: "listInsured", Summary: "All insured people by id, masked", Tags: tags}, s.listInsured)
	add(r, role(ward.MayCase), huma.Operation{Method: http.MethodPost, Path: v1 + "/insured/find", OperationID: "findInsured", Summary: "The person with a number, masked; the search is recorded", Tags: tags}, s.findInsured)
	add(r, everywhere(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/insured/{id}", OperationID: "getInsured", Summary: "An insured person, masked", Tags: tags}, s.getInsured)
	add(r, everywhere(ward.MayAdminister), huma.Operation{
		Method: http.MethodPut, Path: v1 + "/insured/{id}/photo", OperationID: "enrolPhoto", Summary: fmt.Sprintf("Enrol a photo with exactly one face (JPEG or PNG, at most %d MB)", ward.MaxPhoto>>20), Tags: tags,
		MaxBodyBytes:    ward.MaxPhoto + 1, // huma refuses a body as long as the limit
		BodyReadTimeout: uploadTimeout,
	}, s.enrolPhoto)
}

func (s *Server) putInsured(ctx context.Context, in *creation[NewInsured]) (*created[ward.Insured], error) {
	return once(ctx, s, "putInsured", in.Key, in.RawBody, func() (ward.Insured, error) {
		p := ward.Insured{ID: in.Body.ID, Name: in.Body.Name, IDNumber: in.Body.IDNumber}
		if err := chosenID(&p.ID, s); err != nil {
			return p, err
		}
		if err := s.Store.PutInsured(ctx, p); err != nil {
			return p, err
		}
		p, err := s.Store.Insured(ctx, p.ID)
		return p.Masked(), err
	})
}

func (s *Server) listInsured(ctx context.Context, in *Paging) (*body[Page[ward.Insured]], error) {
	v, err := s.Store.InsuredAfter(ctx, ward.InsuredID(in.Cursor), in.Limit)
	for i := range v {
		v[i] = v[i].Masked()
	}
	return answer(pageAfter(v, in.Limit, func(p ward.Insured) string { return string(p.ID) }), err)
}

func (s *Server) getInsured(ctx context.Context, in *InsuredPath) (*body[ward.Insured], error) {
	p, err := s.Store.Insured(ctx, in.ID)
	return answer(p.Masked(), err)
}

// findInsured records the search before it answers, also one that finds nobody.
func (s *Server) findInsured(ctx context.Context, in *struct{ Body InsuredSearch }) (*body[ward.Insured], error) {
	p, err := s.Store.InsuredByNumber(ctx, in.Body.IDNumber)
	if err != nil && !missing(err) {
		return nil, err
	}
	found := cmp.Or(string(p.ID), "none")
	if err := s.record(ctx, view{object: "insured/" + found, action: ward.ActionSearch, reason: in.Body.Reason}); err != nil {
		return nil, err
	}
	return answer(p.Masked(), err)
}

func (s *Server) enrolPhoto(ctx context.Context, in *photoInput) (*body[ward.Insured], error) {
	p, err := s.Store.Insured(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if _, err = s.enrol(ctx, p, ward.Enrolment{Way: ward.EnrolByPhoto}, in.RawBody); err != nil {
		return nil, err
	}
	p, err = s.Store.Insured(ctx, in.ID)
	return answer(p.Masked(), err)
}
