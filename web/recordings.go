package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ingest"
	"wardwatch/ward"
)

type stretch struct {
	CameraPath
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true"`
}

// SegmentPath names a segment in the address.
type SegmentPath struct {
	ID ward.SegmentID `path:"id" maxLength:"64"`
}

func (s *Server) recordingRoutes(r *routes) {
	tags := []string{"recordings"}
	camera := func(ctx context.Context, in *stretch) (ward.Camera, ward.InstitutionID, error) {
		return s.loadCamera(ctx, &in.CameraPath)
	}
	on(r, ward.MayWatch, gzipped(huma.Operation{Method: http.MethodGet, Path: v1 + "/cameras/{id}/timeline", OperationID: "cameraTimeline", Summary: "What was recorded, seen, billed and suspected in at most seven days", Tags: tags}), camera, s.timeline)
	on(r, ward.MayWatch, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/cameras/{id}/clip.mp4", OperationID: "cameraClip", Summary: "At most ten minutes of recording, exact to the picture", Tags: tags}, "video/mp4"), camera, s.cameraClip)
	on(r, ward.MayWatch, media(huma.Operation{Method: http.MethodGet, Path: v1 + "/segments/{id}/media.mp4", OperationID: "segmentMedia", Summary: "A segment's original bytes", Tags: tags}, "video/mp4"), s.loadSegment, s.segmentMedia)
}

// check refuses a stretch that is empty, backwards or too long.
func (st stretch) check(longest time.Duration) error {
	if d := st.To.Sub(st.From); d <= 0 || d > longest {
		return &ward.Error{Kind: ward.Invalid, Code: "time.range", ZH: "时间范围有误或过长。", EN: "The time range is empty, backwards or too long."}
	}
	return nil
}

func (s *Server) cameraClip(ctx context.Context, in *stretch, c ward.Camera) (*huma.StreamResponse, error) {
	if err := in.check(ingest.MaxClip); err != nil {
		return nil, err
	}
	return s.showClip(ctx, view{object: "camera/" + string(c.ID) + "/clip", reason: in.From.UTC().Format(time.RFC3339) + "/" + in.To.UTC().Format(time.RFC3339)}, c.InstitutionID, sourceOf(c), in.From, in.To)
}

// loadSegment: a visit's recording shows a person's bed and needs more than
// watching cameras.
func (s *Server) loadSegment(ctx context.Context, in *SegmentPath) (ward.Segment, ward.InstitutionID, error) {
	g, err := s.Store.Segment(ctx, in.ID)
	if err == nil && g.Source.Kind == ward.FromVisit && !callerOf(ctx).Can(ward.MayRound) {
		err = forbidden()
	}
	return g, g.InstitutionID, err
}

func (s *Server) segmentMedia(ctx context.Context, _ *SegmentPath, g ward.Segment) (*huma.StreamResponse, error) {
	if err := s.uncoveredSpan(ctx, g.Source, g.Start, g.End); err != nil {
		return nil, err
	}
	return s.showSegment(ctx, view{object: "segment/" + string(g.ID), sha256: g.SHA256[:]}, g)
}
