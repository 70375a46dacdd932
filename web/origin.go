package web

import (
	"context"

	"wardwatch/ward"
)

// Origin says how a recording came about, as it is sealed.
type Origin struct {
	Segment ward.Segment        `json:"segment"`
	Devices []ward.CameraDevice `json:"devices" doc:"What its camera is as a thing, in all versions; empty: nobody said, or it is a bedside's"`
}

func (s *Server) evidenceOrigin(ctx context.Context, _ *EvidencePath, e ward.Evidence) (*body[Origin], error) {
	if e.Kind != ward.EvidenceSegment {
		return nil, &ward.Error{Kind: ward.NotFound, Code: "evidence.no_recording", ZH: "该证据不是录像。", EN: "This item is no recording."}
	}
	g, err := s.Store.Segment(ctx, ward.SegmentID(e.Ref))
	if err != nil {
		return nil, err
	}
	o := Origin{g, []ward.CameraDevice{}}
	if g.Source.Kind == ward.FromCamera {
		all, err := s.Store.CameraDevices(ctx, ward.CameraID(g.Source.ID))
		if err != nil {
			return nil, err
		}
		o.Devices = append(o.Devices, all...)
	}
	return answer(o, nil)
}
