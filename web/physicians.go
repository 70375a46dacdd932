package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// NewPhysician registers a physician.
type NewPhysician struct {
	ID           ward.PhysicianID     `json:"id,omitempty" maxLength:"64" doc:"The billing system's id, or left out"`
	Name         string               `json:"name" minLength:"1" maxLength:"64"`
	Institutions []ward.InstitutionID `json:"institutions" minItems:"1" maxItems:"50" doc:"Where the physician is registered to practise"`
	Left         bool                 `json:"left,omitempty" doc:"Practises no more: no shift can begin"`
}

// PhysicianPath names a physician in the address.
type PhysicianPath struct {
	ID ward.PhysicianID `path:"id" maxLength:"64"`
}

type physicianPhoto struct {
	PhysicianPath
	RawBody []byte `contentType:"image/jpeg"`
}

type physicianList struct {
	Paging
	InstitutionFilter
}

func (s *Server) physicianRoutes(r *routes) {
	who, tags := everywhere(ward.MayAdminister), []string{"physicians"}
	add(r, who, huma.Operation{Method: http.MethodPost, Path: v1 + "/physicians", OperationID: "putPhysician", Summary: "Register a physician, or correct name and institutions", Tags: tags, DefaultStatus: http.StatusCreated}, s.putPhysician)
	add(r, role(ward.MayReview), huma.Operation{Method: http.MethodGet, Path: v1 + "/physicians", OperationID: "listPhysicians", Summary: "Physicians who practise in scope, by id", Tags: tags}, s.listPhysicians)
	add(r, who, huma.Operation{
		Method: http.MethodPost, Path: v1 + "/physicians/import", OperationID: "importPhysicians", Summary: "Register physicians from a table with the columns id, name, institutions (编号, 姓名, 机构), all or none; known ids are replaced and practise", Tags: tags,
		MaxBodyBytes: maxSheetBytes + 1,
	}, s.importPhysicians)
	add(r, who, huma.Operation{
		Method: http.MethodPut, Path: v1 + "/physicians/{id}/photo", OperationID: "enrolPhysician", Summary: fmt.Sprintf("Enrol the one face of a photo (JPEG or PNG, at most %d MB); the photo is not kept", ward.MaxPhoto>>20), Tags: tags,
		MaxBodyBytes: ward.MaxPhoto + 1, BodyReadTimeout: uploadTimeout, // huma refuses a body as long as the limit
	}, s.enrolPhysician)
}

func (s *Server) putPhysician(ctx context.Context, in *creation[NewPhysician]) (*created[ward.Physician], error) {
	return once(ctx, s, "putPhysician", in.Key, in.RawBody, func() (ward.Physician, error) {
		p := ward.Physician{ID: in.Body.ID, Name: in.Body.Name, Institutions: in.Body.Institutions, Left: in.Body.Left}
		if err := chosenID(&p.ID, s); err != nil {
			return p, err
		}
		if err := s.Store.PutPhysicians(ctx, []ward.Physician{p}); err != nil {
			return p, inBody(err)
		}
		return s.Store.Physician(ctx, p.ID)
	})
}

func (s *Server) listPhysicians(ctx context.Context, in *physicianList) (*body[Page[ward.Physician]], error) {
	who := callerOf(ctx)
	v, err := s.Store.Physicians(ctx, who.narrow(in.InstitutionID), ward.PhysicianID(in.Cursor), in.Limit)
	for i := range v { // where else somebody practises is not for everybody
		v[i].Institutions = slices.DeleteFunc(v[i].Institutions, func(inst ward.InstitutionID) bool { return !who.Sees(inst) })
	}
	return answer(pageAfter(v, in.Limit, func(p ward.Physician) string { return string(p.ID) }), err)
}

func (s *Server) enrolPhysician(ctx context.Context, in *physicianPhoto) (*body[ward.Physician], error) {
	if _, err := s.Store.Physician(ctx, in.ID); err != nil {
		return nil, err
	}
	if s.EnrolPhoto == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "vision.missing", ZH: "视觉分析程序未运行，暂时不能登记照片。", EN: "No vision worker runs; photos cannot be enrolled now."}
	}
	template, model, err := s.EnrolPhoto(ctx, in.RawBody)
	if err != nil {
		return nil, err
	}
	if err := s.Store.EnrolPhysician(ctx, in.ID, template, model); err != nil {
		return nil, err
	}
	return answer(s.Store.Physician(ctx, in.ID))
}
