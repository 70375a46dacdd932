package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ingest"
	"wardwatch/ward"
)

// liveHLS asks for the playlist of a camera's live pictures.
type liveHLS struct {
	CameraPath
	LivePrefer
	Segment int64 `query:"_HLS_msn" minimum:"-1" default:"-1" doc:"Answer when the playlist has this segment"`
	Part    int   `query:"_HLS_part" minimum:"-1" maximum:"10000" default:"-1" doc:"… or this part of it"`
}

type liveFile struct {
	CameraPath
	File string `path:"file" maxLength:"100"`
}

// liveOutput is a playlist or a piece of one.
type liveOutput struct {
	ContentType string            `header:"Content-Type"`
	Source      ingest.LiveSource `header:"X-Live-Source" enum:"main,sub,transcode" doc:"Which pictures are shown"`
	ServerTime  string            `header:"X-Server-Time" doc:"The server's clock (RFC 3339): EXT-X-PROGRAM-DATE-TIME goes by it, so the difference is the age of a picture"`
	Body        []byte
}

func (s *Server) liveHLSRoutes(r *routes) {
	get := func(path, id, summary, contentType string) huma.Operation {
		return huma.Operation{
			Method: http.MethodGet, Path: v1 + "/cameras/{id}/" + path, OperationID: id, Summary: summary, Tags: []string{"cameras"},
			Responses: map[string]*huma.Response{"200": binary(summary, contentType)},
		}
	}
	on(r, ward.MayWatch, get("live.m3u8", "liveCamera", "Watch a camera live (LL-HLS), where WHEP cannot show it", playlistType),
		func(ctx context.Context, in *liveHLS) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.livePlaylist)
	on(r, ward.MayWatch, get("live/{file}", "liveCameraFile", "A piece that the live playlist names", "video/mp4"),
		func(ctx context.Context, in *liveFile) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.liveFile)
}

// recordLive notes that the caller sees the camera's live pictures.
func (s *Server) recordLive(ctx context.Context, c ward.Camera) error {
	return s.record(ctx, view{object: "camera/" + string(c.ID) + "/live", rest: playedRest})
}

// livePlaylist is recorded like every other view.
func (s *Server) livePlaylist(ctx context.Context, in *liveHLS, c ward.Camera) (*liveOutput, error) {
	if s.Live == nil {
		return nil, noLive()
	}
	if !c.Enabled {
		return nil, ingest.NotLive()
	}
	if err := s.viewers.touch(hlsView{callerOf(ctx).ID, c.ID, in.Prefer}, s.now()); err != nil {
		return nil, err
	}
	if err := s.recordLive(ctx, c); err != nil {
		return nil, err
	}
	b, source, err := s.Live.Playlist(ctx, c, in.Prefer == "sub", "live/", ingest.HLS{Segment: in.Segment, Part: in.Part})
	if err != nil {
		return nil, err
	}
	return &liveOutput{ContentType: playlistType, Source: source, ServerTime: s.now().UTC().Format(time.RFC3339Nano), Body: b}, nil
}

func (s *Server) liveFile(ctx context.Context, in *liveFile, c ward.Camera) (*liveOutput, error) {
	if s.Live == nil {
		return nil, noLive()
	}
	b, err := s.Live.File(ctx, c, in.File)
	if err != nil {
		return nil, err
	}
	if err := s.recordLive(ctx, c); err != nil {
		return nil, err
	}
	return &liveOutput{ContentType: "video/mp4", ServerTime: s.now().UTC().Format(time.RFC3339Nano), Body: b}, nil
}
