package web

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// probesPerMinute bounds the probes of one user: enough to try the
	// channels of a recorder, too few to search a network.
	probesPerMinute = 20
	// maxProbes bounds those of all users at the same time.
	maxProbes = 16
	// probeTimeout is above what a probe takes.
	probeTimeout = 20 * time.Second
)

// ProbeSettings is what a camera is tried with before it is stored.
type ProbeSettings struct {
	CameraID       ward.CameraID  `json:"camera_id,omitempty" maxLength:"64" doc:"To use this camera's stored password; only for the addresses that it is stored with"`
	URL            string         `json:"url" maxLength:"1024"`
	SubURL         string         `json:"sub_url,omitempty" maxLength:"1024"`
	User           string         `json:"user,omitempty" maxLength:"128"`
	Password       *string        `json:"password,omitempty" maxLength:"128"`
	Transport      ward.Transport `json:"transport,omitempty"`
	TLSFingerprint string         `json:"tls_fingerprint,omitempty" maxLength:"128"`
}

type probeInput struct{ Body ProbeSettings }

// ProbeEvent is one line of a probe that is watched: a step, and at the end
// the report.
type ProbeEvent struct {
	Step   *ingest.ProbeStep   `json:"step,omitempty"`
	Report *ingest.ProbeReport `json:"report,omitempty"`
}

func (s *Server) probeRoutes(r *routes) {
	tags := []string{"cameras"}
	add(r, role(ward.MayManage), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cameras/probe", OperationID: "probeCamera", Tags: tags,
		Summary: "Try a camera for at most 15 s and say in words what is wrong; nothing is stored",
	}, s.probeCamera)
	lines := binary("One ProbeEvent a line, as it happens", "application/x-ndjson")
	lines.Content["application/x-ndjson"].Schema = r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[ProbeEvent](), true, "")
	add(r, role(ward.MayManage), huma.Operation{
		Method: http.MethodPost, Path: v1 + "/cameras/probe/live", OperationID: "watchProbe", Tags: tags,
		Summary: "The same, step by step", Responses: map[string]*huma.Response{"200": lines},
	}, s.watchProbe)
}

func (s *Server) probeCamera(ctx context.Context, in *probeInput) (*body[ingest.ProbeReport], error) {
	try, err := s.beginProbe(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return answer(try(ctx, nil), nil)
}

func (s *Server) watchProbe(ctx context.Context, in *probeInput) (*huma.StreamResponse, error) {
	try, err := s.beginProbe(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		w := humaecho.Unwrap(hc).Response()
		w.Header().Set("Content-Type", "application/x-ndjson")
		w.Header().Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		ctx, cancel := context.WithTimeout(ctx, probeTimeout)
		defer cancel()
		line := json.NewEncoder(w)
		send := func(e ProbeEvent) {
			if err := line.Encode(e); err != nil || http.NewResponseController(w).Flush() != nil {
				cancel() // nobody watches
			}
		}
		report := try(ctx, func(step ingest.ProbeStep) { send(ProbeEvent{Step: &step}) })
		send(ProbeEvent{Report: &report})
	}}, nil
}

// beginProbe checks what is to be tried and takes a place among the probes;
// try, which must be called, gives it back.
func (s *Server) beginProbe(ctx context.Context, b ProbeSettings) (try func(context.Context, func(ingest.ProbeStep)) ingest.ProbeReport, err error) {
	if s.Fleet == nil {
		return nil, errNoFleet()
	}
	c, err := s.probed(ctx, b)
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	if !s.probers.allow(string(who.ID)) {
		return nil, tooMany()
	}
	select {
	case s.probes <- struct{}{}:
	default:
		return nil, tooMany()
	}
	return func(ctx context.Context, tell func(ingest.ProbeStep)) ingest.ProbeReport {
		defer func() { <-s.probes }()
		report := s.Fleet.Probe(ctx, c, tell)
		s.Log.InfoContext(ctx, "camera tried", "user", who.ID, "ok", report.OK, "step", report.Steps[len(report.Steps)-1].Step)
		return report
	}, nil
}

func errNoFleet() error {
	return &ward.Error{Kind: ward.Unavailable, Code: "camera.no_fleet", ZH: "本进程不接入摄像头，无法测试。", EN: "This process runs no cameras and cannot try one."}
}

// probed is the camera to try. A stored password is used only where it goes
// already.
func (s *Server) probed(ctx context.Context, b ProbeSettings) (ward.Camera, error) {
	c := ward.Camera{
		ID: "probe", Name: "probe", URL: b.URL, SubURL: b.SubURL, User: b.User,
		Transport: b.Transport, TLSFingerprint: b.TLSFingerprint,
	}
	if b.Password != nil {
		c.Password = ward.Secret(*b.Password)
	}
	c = c.WithDefaults()
	if f := c.Faults(); len(f) > 0 {
		return c, faultsProblem(f)
	}
	if b.CameraID == "" {
		return c, nil
	}
	stored, err := s.Store.Camera(ctx, b.CameraID)
	if missing(err) || err == nil && !callerOf(ctx).May(ward.MayManage, stored.InstitutionID) {
		return c, &ward.Error{Kind: ward.Invalid, Code: "camera.unknown", ZH: "没有这个摄像头。", EN: "There is no such camera."}
	}
	if err != nil {
		return c, err
	}
	if b.Password == nil && stored.PasswordLost {
		return c, ward.ErrPasswordLost()
	}
	if b.Password == nil && stored.Password != "" {
		if !stored.MayInherit(c) {
			return c, errPasswordAgain()
		}
		c.Password = stored.Password
	}
	c.ID = stored.ID
	return c, nil
}
