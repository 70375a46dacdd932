package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// BedsideOpen uses a bedside link up.
type BedsideOpen struct {
	Token string `json:"token" minLength:"1" maxLength:"64" doc:"From the fragment of the link"`
}

// BedsideOpened is what the device that opened the link gets.
type BedsideOpened struct {
	Device   string    `json:"device" doc:"Send it as Authorization: Bearer from now on"`
	Notice   Notice    `json:"notice"`
	Deadline time.Time `json:"deadline"`
}

// Notice is what the person at the bedside is told before consenting.
type Notice struct {
	Institution string `json:"institution"`
	Ward        string `json:"ward"`
	Bed         string `json:"bed"`
	NameMasked  string `json:"name_masked"`
	AskedBy     string `json:"asked_by"`
	Reason      string `json:"reason"`
	Recorded    bool   `json:"recorded"`
	KeptDays    int    `json:"kept_days"`
	LegalZH     string `json:"legal_zh"`
	LegalEN     string `json:"legal_en"`
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
	add(r, bedsideDevice(), huma.Operation{Method: http.MethodPost, Path: v1 + "/bedside/leave", OperationID: "bedsideLeave", Summary: "Hang up", Tags: tags, DefaultStatus: http.StatusNoContent}, s.bedsideLeave)
}

func (s *Server) bedsideOpen(ctx context.Context, in *body[BedsideOpen]) (*body[BedsideOpened], error) {
	return nil, unfinished()
}
func (s *Server) bedsideConsent(ctx context.Context, in *body[BedsideConsent]) (*empty, error) {
	return nil, unfinished()
}
func (s *Server) bedsideSession(ctx context.Context, in *SDPInput) (*sdpOutput, error) {
	return nil, unfinished()
}
func (s *Server) bedsideLeave(ctx context.Context, _ *none) (*empty, error) {
	return nil, unfinished()
}
