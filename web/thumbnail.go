package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// maxThumbnails is how many are decoded at once: what watches the cameras
	// uses the same workers and waits for at most so many pictures.
	maxThumbnails = 2
	// thumbnailCache bounds what is kept in memory, in bytes: about 1500 of 320 pixels.
	thumbnailCache = 16 << 20
	// thumbnailTime bounds one, with its waiting.
	thumbnailTime = 10 * time.Second
)

type thumbnailInput struct {
	CameraPath
	At    time.Time `query:"at" required:"true"`
	Width int       `query:"width" minimum:"32" maximum:"1280" default:"320" doc:"Longest side in pixels"`
}

// thumbnails are the pictures that were decoded last.
type thumbnails struct {
	ingest.Latest

	decoding chan struct{} // a slot is a place in it
}

// thumbnail shows the key frame at or before a moment.
func (s *Server) thumbnail(ctx context.Context, in *thumbnailInput, c ward.Camera) (*huma.StreamResponse, error) {
	limited, cancel := context.WithTimeout(ctx, thumbnailTime)
	defer cancel()
	out, err := s.makeThumbnail(limited, in, c)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = &ward.Error{Kind: ward.Unavailable, Code: "thumbnail.busy", ZH: "正在生成的缩略图太多，请稍后再试。", EN: "Too many thumbnails are being made; try again shortly.", Err: err}
	}
	return out, err
}

func (s *Server) makeThumbnail(ctx context.Context, in *thumbnailInput, c ward.Camera) (*huma.StreamResponse, error) {
	if s.Thumbnail == nil {
		return nil, &ward.Error{Kind: ward.Unavailable, Code: "thumbnail.off", ZH: "未启用视觉进程，无法生成缩略图。", EN: "There are no vision workers, so there are no thumbnails."}
	}
	if s.Library == nil {
		return nil, libraryMissing()
	}
	select {
	case s.thumbs.decoding <- struct{}{}:
		defer func() { <-s.thumbs.decoding }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	key, err := s.Library.KeyFrameBefore(ctx, c.InstitutionID, sourceOf(c), in.At)
	if err != nil {
		return nil, err
	}
	if err := s.uncoveredSpan(ctx, sourceOf(c), key.At, key.At.Add(time.Millisecond)); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s/%s/%d/%d", c.InstitutionID, c.ID, key.At.UnixNano(), in.Width)
	jpeg, ok := s.thumbs.Get(name)
	if !ok {
		if jpeg, err = s.Thumbnail(ctx, key.Codec, key.AU, in.Width); err != nil {
			return nil, fmt.Errorf("thumbnail of camera %s: %w", c.ID, err)
		}
		s.thumbs.Put(name, jpeg, thumbnailCache)
	}
	if err := s.recordPlayed(ctx, c, key.At); err != nil {
		return nil, err
	}
	out := serve("image/jpeg", "", nopCloser{bytes.NewReader(jpeg)})
	body := out.Body
	out.Body = func(hc huma.Context) {
		hc.SetHeader("X-Thumbnail-At", key.At.UTC().Format(time.RFC3339Nano))
		body(hc)
	}
	return out, nil
}
