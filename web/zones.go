package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// ZonesChange replaces what is drawn in a camera's picture.
type ZonesChange struct {
	Zones   []ward.Zone `json:"zones" maxItems:"12" doc:"Points in fractions of the picture, from the top left; empty: everybody in the picture is at the counter"`
	BasedOn int         `json:"based_on" minimum:"0" doc:"The version that was changed; when somebody else was faster the change is refused"`
}

type zonesInput struct {
	CameraPath
	Body ZonesChange
}

func (s *Server) zoneRoutes(r *routes) {
	tags := []string{"cameras"}
	on(r, ward.MayWatch, huma.Operation{Method: http.MethodGet, Path: v1 + "/cameras/{id}/zones", OperationID: "getZones", Summary: "What is drawn in a camera's picture: where customers, staff and the queue stand", Tags: tags}, s.loadCamera, s.getZones)
	on(r, ward.MayManage, huma.Operation{Method: http.MethodPut, Path: v1 + "/cameras/{id}/zones", OperationID: "setZones", Summary: "Draw the zones anew: a new version, sealed in the ledger; it counts for pictures from some seconds later on", Tags: tags},
		func(ctx context.Context, in *zonesInput) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.setZones)
}

func (s *Server) getZones(ctx context.Context, _ *CameraPath, c ward.Camera) (*body[ward.Zoning], error) {
	z, err := s.Store.Zones(ctx, c.ID)
	return answer(z, err)
}

func (s *Server) setZones(ctx context.Context, in *zonesInput, c ward.Camera) (*body[ward.Zoning], error) {
	z, err := s.Store.SetZones(ctx, ward.Zoning{CameraID: c.ID, Zones: in.Body.Zones, By: callerOf(ctx).ID}, in.Body.BasedOn)
	if err != nil {
		return nil, inBody(err)
	}
	s.cameraChanged(c)
	return answer(z, nil)
}
