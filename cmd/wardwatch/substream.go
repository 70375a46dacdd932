package main

import (
	"context"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// subStream shares a camera's sub stream with its viewers, for analysis.
func (s *service) subStream(ctx context.Context, c ward.Camera) (*ingest.Stream, func(), ward.SubFault) {
	v, err := s.live.Sub(ctx, c)
	if err != nil {
		return nil, nil, ingest.WhyNoSub(err)
	}
	return v.Stream, v.Close, ward.NoSubFault
}

// watched says in which stream of a camera people are looked for.
func (s *service) watched(id ward.CameraID) (stream string, fault ward.SubFault) {
	v, ok := s.lookout.Watching(id)
	switch {
	case !ok:
		return "", ward.NoSubFault
	case v.Sub:
		return "sub", ward.NoSubFault
	}
	return "main", v.Fault
}
