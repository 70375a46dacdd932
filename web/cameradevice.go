package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// CameraDevices are all versions of what a camera is, the oldest first.
type CameraDevices struct {
	Items []ward.CameraDevice `json:"items"`
}

// DeviceLabel is what is written on a camera.
type DeviceLabel struct {
	Manufacturer string `json:"manufacturer,omitempty" maxLength:"128"`
	Model        string `json:"model,omitempty" maxLength:"128"`
	Firmware     string `json:"firmware,omitempty" maxLength:"128"`
	Serial       string `json:"serial,omitempty" maxLength:"128"`
}

type deviceInput struct {
	CameraPath
	Body DeviceLabel
}

type deviceQuestion struct {
	CameraPath
	Body struct {
		Port int `json:"port" minimum:"1" maximum:"65535" doc:"Of the camera's ONVIF service, plain HTTP; at the host of its main address"`
	}
}

func (s *Server) deviceRoutes(r *routes) {
	tags := []string{"cameras"}
	on(r, ward.MayWatch, huma.Operation{Method: http.MethodGet, Path: v1 + "/cameras/{id}/devices", OperationID: "listCameraDevices", Summary: "What the camera is as a thing, in all versions", Tags: tags}, s.loadCamera, s.cameraDevices)
	on(r, ward.MayManage, huma.Operation{Method: http.MethodPost, Path: v1 + "/cameras/{id}/devices", OperationID: "setCameraDevice", Summary: "Write down what the camera's label says: a new version, sealed in the ledger", Tags: tags},
		func(ctx context.Context, in *deviceInput) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.setDevice)
	on(r, ward.MayManage, huma.Operation{Method: http.MethodPost, Path: v1 + "/cameras/{id}/devices/ask", OperationID: "askCameraDevice", Summary: "Ask the camera by ONVIF what it is, for at most 8 s; what it says is a new version, sealed in the ledger", Tags: tags},
		func(ctx context.Context, in *deviceQuestion) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.askDevice)
}

func (s *Server) cameraDevices(ctx context.Context, _ *CameraPath, c ward.Camera) (*body[CameraDevices], error) {
	all, err := s.Store.CameraDevices(ctx, c.ID)
	return answer(CameraDevices{append([]ward.CameraDevice{}, all...)}, err)
}

func (s *Server) setDevice(ctx context.Context, in *deviceInput, c ward.Camera) (*body[ward.CameraDevice], error) {
	b := in.Body
	return s.deviceSaid(ctx, ward.CameraDevice{CameraID: c.ID, Manufacturer: b.Manufacturer, Model: b.Model, Firmware: b.Firmware, Serial: b.Serial, Source: ward.DeviceByHand})
}

func (s *Server) askDevice(ctx context.Context, in *deviceQuestion, c ward.Camera) (*body[ward.CameraDevice], error) {
	if s.Fleet == nil {
		return nil, errNoFleet()
	}
	if !s.probers.allow(string(callerOf(ctx).ID)) {
		return nil, tooMany()
	}
	d, err := s.Fleet.Identify(ctx, c, in.Body.Port)
	if err != nil {
		return nil, err
	}
	return s.deviceSaid(ctx, d)
}

func (s *Server) deviceSaid(ctx context.Context, d ward.CameraDevice) (*body[ward.CameraDevice], error) {
	d.By = callerOf(ctx).ID
	d, err := s.Store.SetCameraDevice(ctx, d)
	if err != nil {
		return nil, inBody(err)
	}
	return answer(d, nil)
}
