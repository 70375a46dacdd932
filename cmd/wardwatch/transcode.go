package main

import (
	"context"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ward"
)

// transcoder begins a transcode in a vision worker of its own.
func (s *service) transcoder(ctx context.Context, c ward.Codec) ingest.Transcoder {
	return coder{vision.NewCoder(ctx, s.config.Vision.Path, c, s.log)}
}

// coder is a vision coder as ingest sees it.
type coder struct{ *vision.Coder }

// Transcode implements ingest.Transcoder.
func (c coder) Transcode(ctx context.Context, in ingest.Coded, show, fresh bool) ([]ingest.Coded, error) {
	return toldOf(c.Code(ctx, vision.CodeRequest{PTS: in.PTS, Key: in.Key, Show: show, Fresh: fresh, Data: in.Data}))
}

// Flush implements ingest.Transcoder.
func (c coder) Flush(ctx context.Context) ([]ingest.Coded, error) { return toldOf(c.Coder.Flush(ctx)) }

func toldOf(got []vision.Coded, err error) ([]ingest.Coded, error) {
	out := make([]ingest.Coded, 0, len(got))
	for _, g := range got {
		out = append(out, ingest.Coded{PTS: g.PTS, Key: g.Key, Data: g.Data})
	}
	return out, err
}
