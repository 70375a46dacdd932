package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// maxSDP is the largest offer that is read, in bytes.
const maxSDP = ingest.MaxOffer

const sdpType = "application/sdp"

// SDPInput is a WebRTC offer.
type SDPInput struct {
	RawBody []byte `contentType:"application/sdp"`
}

// sdpOutput is the answer, with the address of what was made.
type sdpOutput struct {
	Location    string            `header:"Location" doc:"DELETE it to end"`
	ContentType string            `header:"Content-Type"`
	Source      ingest.LiveSource `header:"X-Live-Source" enum:"main,sub,transcode" doc:"Which pictures are shown"`
	Sound       ward.Codec        `header:"X-Live-Sound" doc:"The camera's sound; WebRTC carries Opus and G.711, LL-HLS AAC, Opus and G.711"`
	Body        []byte
}

// sdp completes an operation that takes an offer and gives an answer.
func sdp(op huma.Operation) huma.Operation {
	op.MaxBodyBytes, op.DefaultStatus = maxSDP, http.StatusCreated
	op.Responses = map[string]*huma.Response{"201": {
		Description: "The answer",
		Content:     map[string]*huma.MediaType{sdpType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{sdpType: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	return op
}

type cameraOffer struct {
	CameraPath
	LivePrefer
	SDPInput
}

// LivePrefer says which stream of a camera is wanted.
type LivePrefer struct {
	Prefer string `query:"prefer" enum:"main,sub" default:"main" doc:"sub: the camera's sub stream, if it has one, for small pictures"`
}

type visitOffer struct {
	VisitPath
	SDPInput
}

// ViewerPath names a live view or call in the address.
type ViewerPath struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *Server) liveRoutes(r *routes) {
	s.liveHLSRoutes(r)
	on(r, ward.MayWatch, sdp(huma.Operation{Method: http.MethodPost, Path: v1 + "/cameras/{id}/whep", OperationID: "watchCamera", Summary: "Watch a camera live (WHEP)", Tags: []string{"cameras"}}),
		func(ctx context.Context, in *cameraOffer) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.watchCamera)
	add(r, anyUser(), huma.Operation{Method: http.MethodDelete, Path: v1 + "/whep/{id}", OperationID: "stopWatching", Summary: "Stop watching", Tags: []string{"cameras"}, DefaultStatus: http.StatusNoContent}, s.stopWatching)
	on(r, ward.MayRound, sdp(huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/call", OperationID: "callVisit", Summary: "Talk with the bedside", Tags: []string{"rounds"}}),
		func(ctx context.Context, in *visitOffer) (ward.Visit, ward.InstitutionID, error) {
			return s.loadVisit(ctx, &in.VisitPath)
		}, s.callVisit)
	on(r, ward.MayRound, huma.Operation{Method: http.MethodPost, Path: v1 + "/visits/{id}/ice", OperationID: "visitICE", Summary: "Short-lived credentials of the relay (TURN) for a call", Tags: []string{"rounds"}}, s.loadVisit, s.visitICE)
	add(r, role(ward.MayRound), huma.Operation{Method: http.MethodDelete, Path: v1 + "/calls/{id}", OperationID: "endCall", Summary: "Hang up", Tags: []string{"rounds"}, DefaultStatus: http.StatusNoContent}, s.endCall)
}
