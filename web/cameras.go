package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// Camera is a camera with its live state. The password is never shown.
type Camera struct {
	ward.Camera
	HasPassword bool       `json:"has_password"`
	Live        CameraLive `json:"live"`
}

// CameraLive says how a camera is doing now.
type CameraLive struct {
	State     string     `json:"state" enum:"connecting,live,down,disabled,unknown" doc:"down: see cause; unknown: this process runs no cameras"`
	Cause     ward.Cause `json:"cause,omitempty" doc:"Why it is down"`
	Since     time.Time  `json:"since,omitzero" doc:"When this state began"`
	LastFrame time.Time  `json:"last_frame,omitzero" doc:"When the last picture arrived"`
	// What tells who is there.
	Watched  string        `json:"watched,omitempty" enum:"main,sub" doc:"The stream in which people are looked for; empty: none now"`
	SubFault ward.SubFault `json:"sub_fault,omitempty" doc:"Why it is not the sub stream, where there is one"`
}

// CameraSettings is what can be set of a camera.
type CameraSettings struct {
	PlaceID        ward.PlaceID      `json:"place_id" maxLength:"64"`
	Name           string            `json:"name" minLength:"1" maxLength:"64"`
	URL            string            `json:"url" maxLength:"1024" doc:"rtsp:// or rtsps://, without user and password" example:"rtsp://10.1.2.3/stream1"`
	SubURL         string            `json:"sub_url,omitempty" maxLength:"1024" doc:"A smaller stream of the same pictures; empty: there is none"`
	ReplayURL      string            `json:"replay_url,omitempty" maxLength:"1024" doc:"Where the device plays what it stored itself, to fill gaps; with {from} and {to}, or {from_local} and {to_local}, or without for ONVIF Profile G; empty: nowhere" example:"rtsp://10.1.2.3/Streaming/tracks/101?starttime={from}&endtime={to}"`
	User           string            `json:"user,omitempty" maxLength:"128"`
	Password       *string           `json:"password,omitempty" maxLength:"128" doc:"Write-only; leave it out to keep the stored one. It must be given again when the address's scheme, host or port changes, or the fingerprint"`
	Transport      ward.Transport    `json:"transport,omitempty"`
	TLSFingerprint string            `json:"tls_fingerprint,omitempty" maxLength:"128" doc:"SHA-256 of the certificate that an rtsps camera must show, in hex; empty: one that the system trusts"`
	Record         ward.RecordPolicy `json:"record,omitempty"`
	RecordFrom     string            `json:"record_from,omitempty" maxLength:"5" doc:"With record=hours: when recording begins, in Asia/Shanghai" example:"08:00"`
	RecordTo       string            `json:"record_to,omitempty" maxLength:"5" doc:"When it ends; before record_from: over midnight" example:"18:30"`
	SegmentSeconds int               `json:"segment_seconds,omitempty" minimum:"2" maximum:"3600"`
	RetentionDays  int               `json:"retention_days,omitempty" minimum:"1" maximum:"3650"`
	Enabled        bool              `json:"enabled"`
}

// NewCamera is a camera to be added; its institution is that of its place.
type NewCamera struct {
	ID ward.CameraID `json:"id,omitempty" maxLength:"64" doc:"Chosen by the operator, or left out"`
	CameraSettings
}

// CameraPath names a camera in the address.
type CameraPath struct {
	ID ward.CameraID `path:"id" maxLength:"64"`
}

type cameraChange struct {
	CameraPath
	Body CameraSettings
}

func (s *Server) cameraRoutes(r *routes) {
	tags := []string{"cameras"}
	add(r, role(ward.MayWatch), huma.Operation{Method: http.MethodGet, Path: v1 + "/cameras", OperationID: "listCameras", Summary: "The cameras in scope, with their live state", Tags: tags}, s.listCameras)
	add(r, role(ward.MayWatch), huma.Operation{Method: http.MethodGet, Path: v1 + "/camera-names", OperationID: "listCameraNames", Summary: "The names of all cameras in scope, and where they are", Tags: tags}, s.listCameraNames)
	add(r, role(ward.MayManage), huma.Operation{Method: http.MethodPost, Path: v1 + "/cameras", OperationID: "addCamera", Summary: "Add a camera; recording begins at once", Tags: tags, DefaultStatus: http.StatusCreated}, s.addCamera)
	on(r, ward.MayWatch, huma.Operation{Method: http.MethodGet, Path: v1 + "/cameras/{id}", OperationID: "getCamera", Summary: "One camera", Tags: tags}, s.loadCamera, s.getCamera)
	on(r, ward.MayManage, huma.Operation{Method: http.MethodPut, Path: v1 + "/cameras/{id}", OperationID: "changeCamera", Summary: "Replace a camera's settings", Tags: tags},
		func(ctx context.Context, in *cameraChange) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.changeCamera)
	on(r, ward.MayManage, huma.Operation{Method: http.MethodDelete, Path: v1 + "/cameras/{id}", OperationID: "deleteCamera", Summary: "Remove a camera; its recordings stay", Tags: tags, DefaultStatus: http.StatusNoContent}, s.loadCamera, s.deleteCamera)
}

func (s *Server) loadCamera(ctx context.Context, in *CameraPath) (ward.Camera, ward.InstitutionID, error) {
	c, err := s.Store.Camera(ctx, in.ID)
	return c, c.InstitutionID, err
}

func (s *Server) getCamera(_ context.Context, _ *CameraPath, c ward.Camera) (*body[Camera], error) {
	return answer(s.cameraView(c), nil)
}

func (s *Server) addCamera(ctx context.Context, in *creation[NewCamera]) (*created[Camera], error) {
	return once(ctx, s, "addCamera", in.Key, in.RawBody, func() (Camera, error) {
		c := ward.Camera{ID: in.Body.ID, Created: s.now().UTC()}
		if err := chosenID(&c.ID, s); err != nil {
			return Camera{}, err
		}
		if err := s.settle(ctx, &c, in.Body.CameraSettings); err != nil {
			return Camera{}, err
		}
		if err := s.Store.AddCamera(ctx, c); err != nil {
			return Camera{}, inBody(err)
		}
		s.cameraChanged(c)
		c, err := s.Store.Camera(ctx, c.ID)
		return s.cameraView(c), err
	})
}

func (s *Server) changeCamera(ctx context.Context, in *cameraChange, c ward.Camera) (*body[Camera], error) {
	if err := s.settle(ctx, &c, in.Body); err != nil {
		return nil, err
	}
	if err := s.Store.UpdateCamera(ctx, c); err != nil {
		return nil, inBody(err)
	}
	s.cameraChanged(c)
	c, err := s.Store.Camera(ctx, c.ID)
	return answer(s.cameraView(c), err)
}

// settle puts the settings in c, which is new or as stored. The place must
// be in the caller's scope, and a password that is kept goes nowhere new.
func (s *Server) settle(ctx context.Context, c *ward.Camera, b CameraSettings) error {
	p, err := s.Store.Place(ctx, b.PlaceID)
	if err != nil {
		return inBody(err)
	}
	if !callerOf(ctx).May(ward.MayManage, p.InstitutionID) {
		return unknownPlace()
	}
	was := *c
	c.InstitutionID, c.PlaceID, c.Name, c.URL, c.SubURL, c.User = p.InstitutionID, p.ID, b.Name, b.URL, b.SubURL, b.User
	c.ReplayURL = b.ReplayURL
	c.Transport, c.TLSFingerprint, c.Record, c.RecordFrom, c.RecordTo = b.Transport, b.TLSFingerprint, b.Record, b.RecordFrom, b.RecordTo
	c.SegmentSeconds, c.RetentionDays, c.Enabled = b.SegmentSeconds, b.RetentionDays, b.Enabled
	if b.Password != nil {
		c.Password, c.PasswordLost = ward.Secret(*b.Password), false
	}
	*c = c.WithDefaults()
	if f := c.Faults(); len(f) > 0 {
		return faultsProblem(f)
	}
	if c.PasswordLost {
		return ward.ErrPasswordLost()
	}
	if b.Password == nil && was.Password != "" && !was.MayInherit(*c) {
		return errPasswordAgain()
	}
	return nil
}

// faultsProblem says everything that is wrong at once; the code is the first one's.
func faultsProblem(faults []ward.Fault) *Problem {
	var zh, en, fields []string
	for _, f := range faults {
		zh, en, fields = append(zh, f.Err.ZH), append(en, f.Err.EN), append(fields, f.Field)
	}
	p := newProblem(statusOf(ward.Invalid), faults[0].Err.Code, strings.Join(zh, ""), strings.Join(en, " "))
	p.Fields = fields
	return p
}

func (s *Server) deleteCamera(ctx context.Context, _ *CameraPath, c ward.Camera) (*empty, error) {
	if err := s.Store.DeleteCamera(ctx, c.ID); err != nil {
		return nil, err
	}
	s.cameraChanged(c)
	return &empty{}, nil
}

func (s *Server) cameraChanged(c ward.Camera) {
	s.Hub.Notify(string(CameraEvent), string(c.ID), c.InstitutionID)
}

func (s *Server) cameraView(c ward.Camera) Camera {
	v := Camera{Camera: c, HasPassword: c.Password != "" || c.PasswordLost, Live: CameraLive{State: "unknown"}}
	if s.Fleet != nil {
		st := s.Fleet.State(c.ID)
		v.Live = CameraLive{State: string(st.Condition), Cause: st.Cause, Since: st.Since.UTC(), LastFrame: st.LastFrame.UTC()}
	}
	if s.Watched != nil {
		v.Live.Watched, v.Live.SubFault = s.Watched(c.ID)
	}
	return v
}
