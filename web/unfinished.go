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
func (s *Server) showClip(ctx context.Context, v view, src ward.Source, from, to time.Time) (*huma.StreamResponse, error) {
	return nil, unfinished()
}
func (s *Server) watchCamera(ctx context.Context, in *cameraOffer, c ward.Camera) (*sdpOutput, error) {
	return nil, unfinished()
}
func (s *Server) stopWatching(ctx context.Context, in *ViewerPath) (*empty, error) {
	return nil, unfinished()
}
