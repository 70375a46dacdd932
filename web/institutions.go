package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// NewPlace is a place to be made.
type NewPlace struct {
	ID            ward.PlaceID       `json:"id,omitempty" maxLength:"64" doc:"Chosen by the operator, or left out"`
	InstitutionID ward.InstitutionID `json:"institution_id" maxLength:"64"`
	Name          string             `json:"name" minLength:"1" maxLength:"64"`
	Kind          ward.PlaceKind     `json:"kind"`
}

// NewInstitution is an institution to be made.
type NewInstitution struct {
	ID   ward.InstitutionID `json:"id,omitempty" maxLength:"64" doc:"Chosen by the operator, or left out"`
	Name string             `json:"name" minLength:"1" maxLength:"128"`
	// Location is kept when it is left out.
	Location *ward.Location `json:"location,omitempty" doc:"Degrees, WGS 84: without it no rule can tell how far two institutions are apart"`
}

func (s *Server) institutionRoutes(r *routes) {
	tags := []string{"places"}
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/institutions", OperationID: "listInstitutions", Summary: "The institutions in scope", Tags: tags}, s.listInstitutions)
	add(r, everywhere(ward.MayAdminister), huma.Operation{Method: http.MethodPost, Path: v1 + "/institutions", OperationID: "addInstitution", Summary: "Add or rename an institution", Tags: tags, DefaultStatus: http.StatusCreated},
		s.addInstitution)
	add(r, anyUser(), huma.Operation{Method: http.MethodGet, Path: v1 + "/places", OperationID: "listPlaces", Summary: "The places in scope", Tags: tags}, s.listPlaces)
	add(r, role(ward.MayManage), huma.Operation{Method: http.MethodPost, Path: v1 + "/places", OperationID: "addPlace", Summary: "Add or change a place", Tags: tags, DefaultStatus: http.StatusCreated}, s.addPlace)
}

func (s *Server) listInstitutions(ctx context.Context, _ *none) (*body[Page[ward.Institution]], error) {
	return items(s.Store.Institutions(ctx, callerOf(ctx).scope()))
}

func (s *Server) addInstitution(ctx context.Context, in *creation[NewInstitution]) (*created[ward.Institution], error) {
	return once(ctx, s, "addInstitution", in.Key, in.RawBody, func() (ward.Institution, error) {
		i := ward.Institution{ID: in.Body.ID, Name: in.Body.Name, Location: in.Body.Location}
		if err := chosenID(&i.ID, s); err != nil {
			return i, err
		}
		return i, s.Store.PutInstitution(ctx, i)
	})
}

func (s *Server) listPlaces(ctx context.Context, in *InstitutionFilter) (*body[Page[ward.Place]], error) {
	return items(s.Store.Places(ctx, callerOf(ctx).narrow(in.InstitutionID)))
}

func (s *Server) addPlace(ctx context.Context, in *creation[NewPlace]) (*created[ward.Place], error) {
	return once(ctx, s, "addPlace", in.Key, in.RawBody, func() (ward.Place, error) {
		b := in.Body
		p := ward.Place{ID: b.ID, InstitutionID: b.InstitutionID, Name: b.Name, Kind: b.Kind}
		if err := chosenID(&p.ID, s); err != nil {
			return p, err
		}
		if !callerOf(ctx).May(ward.MayManage, p.InstitutionID) {
			return p, unknownInstitution()
		}
		return p, inBody(s.Store.PutPlace(ctx, p))
	})
}

// chosenID keeps a valid id that the caller chose, or makes one.
func chosenID[T ~string](id *T, s *Server) error {
	if *id == "" {
		*id = ward.NewID[T](s.now())
		return nil
	}
	if !ward.ValidID(string(*id)) {
		return &ward.Error{Kind: ward.Invalid, Code: "id.invalid", ZH: "编号只能包含小写字母、数字、'-' 和 '_'，最长 64 位。", EN: "An id is 1 to 64 of a-z, 0-9, '-' and '_', beginning with a letter or digit."}
	}
	return nil
}

// inBody makes an unknown object that the body refers to the caller's
// mistake (422): 404 would mean the address.
func inBody(err error) error {
	if e, ok := errors.AsType[*ward.Error](err); ok && e.Kind == ward.NotFound {
		return &ward.Error{Kind: ward.Invalid, Code: e.Code, ZH: e.ZH, EN: e.EN, Err: e.Err}
	}
	return err
}

func unknownInstitution() *ward.Error {
	return &ward.Error{Kind: ward.Invalid, Code: "institution.unknown", ZH: "没有这家机构，请检查机构编号。", EN: "No such institution; check its id."}
}

func unknownPlace() error {
	return &ward.Error{Kind: ward.Invalid, Code: "place.unknown", ZH: "没有这个点位，请检查点位编号。", EN: "No such place; check its id."}
}
