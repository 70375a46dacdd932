package web

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

func unfinished() error {
	return &ward.Error{Kind: ward.Unavailable, Code: "unfinished", ZH: "尚未完成。", EN: "Not built yet."}
}
func (s *Server) cameraView(c ward.Camera) Camera {
	return Camera{Camera: c, HasPassword: c.Password != "", Live: CameraLive{State: "off"}}
}
func (s *Server) showClip(ctx context.Context, v view, src ward.Source, from, to time.Time) (*huma.StreamResponse, error) {
	return nil, unfinished()
}
func (s *Server) orderRound(ctx context.Context, in *creation[RoundOrder]) (*created[OrderedRound], error) {
	return nil, unfinished()
}
func (s *Server) reissueLink(ctx context.Context, _ *VisitPath, v ward.Visit) (*body[OrderedVisit], error) {
	return nil, unfinished()
}
func (s *Server) decideVisit(ctx context.Context, in *visitDecisionInput, v ward.Visit) (*body[ward.Visit], error) {
	return nil, unfinished()
}
func (s *Server) deviceVisit(ctx context.Context, token string) (ward.Visit, error) {
	return ward.Visit{}, unfinished()
}
func (s *Server) openCase(ctx context.Context, in *creation[NewCase]) (*created[ward.Case], error) {
	return nil, unfinished()
}
func (s *Server) exportCase(ctx context.Context, _ *CasePath, c ward.Case) (*huma.StreamResponse, error) {
	return nil, unfinished()
}
func (s *Server) loadEvidence(ctx context.Context, in *EvidencePath) (ward.Evidence, ward.InstitutionID, error) {
	return ward.Evidence{}, "", unfinished()
}
func (s *Server) evidenceContent(ctx context.Context, _ *EvidencePath, e ward.Evidence) (*huma.StreamResponse, error) {
	return nil, unfinished()
}
func (s *Server) ledgerKey(ctx context.Context, _ *none) (*body[LedgerKey], error) {
	return nil, unfinished()
}
func (s *Server) watchCamera(ctx context.Context, in *cameraOffer, c ward.Camera) (*sdpOutput, error) {
	return nil, unfinished()
}
func (s *Server) stopWatching(ctx context.Context, in *ViewerPath) (*empty, error) {
	return nil, unfinished()
}
func (s *Server) callVisit(ctx context.Context, in *visitOffer, v ward.Visit) (*sdpOutput, error) {
	return nil, unfinished()
}
func (s *Server) endCall(ctx context.Context, in *ViewerPath) (*empty, error) {
	return nil, unfinished()
}
