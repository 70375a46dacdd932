package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// BedsideOpen uses a bedside link up.
type BedsideOpen struct {
	Token string `json:"token" minLength:"1" maxLength:"64" doc:"From the fragment of the link"`
}

// BedsideOpened is what the device that opened the link gets.
type BedsideOpened struct {
	Device   string        `json:"device" doc:"Send it as Authorization: Bearer from now on"`
	Notice   rounds.Notice `json:"notice" doc:"To be read before consenting"`
	Deadline time.Time     `json:"deadline"`
}

// BedsideConsent is the answer of the person at the bedside.
type BedsideConsent struct {
	Agree bool `json:"agree"`
}

func (s *Server) bedsideRoutes(r *routes) {
	tags := []string{"bedside"}
	add(r, anyone(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/open", OperationID: "bedsideOpen", Summary: "Use a bedside link up", Tags: tags}, s.bedsideOpen)
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/consent", OperationID: "bedsideConsent", Summary: "Agree or refuse", Tags: tags, DefaultStatus: http.StatusNoContent}, s.bedsideConsent)
	add(r, bedsideDevice(), sdp(huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/session", OperationID: "bedsideSession", Summary: "Begin or renew the WebRTC session", Tags: tags}), s.bedsideSession)
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/ice", OperationID: "bedsideICE", Summary: "Short-lived credentials of the relay (TURN)", Tags: tags}, s.bedsideICE)
	add(r, bedsideDevice(), sdp(huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/trial", OperationID: "bedsideTrial", Summary: "Try whether a data channel reaches the service: it sends back what it gets, for 8 s", Tags: tags}), s.bedsideTrial)
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/preflight", OperationID: "bedsidePreflight", Summary: "What the page found out about camera, microphone and network before the call", Tags: tags, DefaultStatus: http.StatusNoContent}, s.bedsidePreflight)
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/away", OperationID: "bedsideAway", Summary: "The page is being closed or loaded again", Tags: tags, DefaultStatus: http.StatusNoContent}, s.bedsideAway)
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/leave", OperationID: "bedsideLeave", Summary: "Hang up", Tags: tags, DefaultStatus: http.StatusNoContent}, s.bedsideLeave)
}

func (s *Server) bedsideOpen(ctx context.Context, in *body[BedsideOpen]) (*body[BedsideOpened], error) {
	if !s.opens.allow(clientOf(ctx).addr) {
		return nil, tooMany()
	}
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	device, notice, deadline, err := e.Open(ctx, in.Body.Token)
	return answer(BedsideOpened{device, notice, deadline.UTC()}, err)
}

func (s *Server) bedsideConsent(ctx context.Context, in *body[BedsideConsent]) (*empty, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	if err := e.Consent(ctx, deviceOf(ctx), in.Body.Agree); err != nil || !in.Body.Agree {
		return &empty{}, err
	}
	// The address is the service's own to see; the position comes by bedsideWhere.
	return &empty{}, e.Where(ctx, deviceOf(ctx), rounds.Whereabouts{Addr: addrOf(ctx)})
}

func (s *Server) bedsideSession(ctx context.Context, in *SDPInput) (*sdpOutput, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	reply, err := e.Session(ctx, deviceOf(ctx), string(in.RawBody))
	if w, ok := errors.AsType[*ward.Error](err); ok && w.Code == "bedside.wait" { // nothing is wrong
		p := newProblem(http.StatusServiceUnavailable, w.Code, w.ZH, w.EN)
		p.retryAfter = rounds.AskAgain
		return nil, p
	}
	return &sdpOutput{ContentType: sdpType, Body: []byte(reply)}, err
}

func (s *Server) bedsideTrial(ctx context.Context, in *SDPInput) (*sdpOutput, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	reply, err := e.Trial(ctx, deviceOf(ctx), string(in.RawBody))
	return &sdpOutput{ContentType: sdpType, Body: []byte(reply)}, err
}

func (s *Server) bedsidePreflight(ctx context.Context, in *body[rounds.Preflight]) (*empty, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return &empty{}, e.Preflight(ctx, deviceOf(ctx), in.Body)
}

func (s *Server) bedsideICE(ctx context.Context, _ *none) (*body[rounds.ICE], error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return answer(e.BedsideICE(ctx, deviceOf(ctx)))
}

func (s *Server) bedsideAway(ctx context.Context, _ *none) (*empty, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return &empty{}, e.Away(ctx, deviceOf(ctx))
}

func (s *Server) bedsideLeave(ctx context.Context, _ *none) (*empty, error) {
	e, err := s.rounds()
	if err != nil {
		return nil, err
	}
	return &empty{}, e.Leave(ctx, deviceOf(ctx))
}

// checkDevice says whether secret is that of a device which opened a link, and does not ask too often.
func (s *Server) checkDevice(ctx context.Context, secret string) error {
	if secret == "" {
		return newProblem(http.StatusUnauthorized, "bedside.device", "请先打开查房链接。", "Open the bedside link first.")
	}
	hash := storage.HashToken(secret)
	if _, err := s.Store.VisitByDevice(ctx, hash[:]); err != nil {
		return err
	}
	if !s.devices.allow(string(hash[:])) {
		return tooMany()
	}
	return nil
}
