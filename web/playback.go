package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humaecho"

	"wardwatch/ingest"
	"wardwatch/ward"
)

const playlistType = "application/vnd.apple.mpegurl"

type playbackInput struct {
	CameraPath
	From  time.Time    `query:"from" required:"true"`
	To    time.Time    `query:"to" doc:"Absent or in the future: the playlist grows by what is being recorded"`
	Codec []ward.Codec `query:"codec" enum:"h264,h265" doc:"What the player shows, such as h264 or h264,h265: recordings of other codings are transcoded to H.264 when they are played. Absent: everything as it was recorded"`
}

type pieceInput struct {
	CameraPath
	File string `path:"file" maxLength:"64"`
}

type frameInput struct {
	CameraPath
	At   time.Time `query:"at" required:"true"`
	Step int       `query:"step" minimum:"-250" maximum:"250" doc:"So many pictures later, or earlier when negative"`
}

// Frame is a recorded picture's moment.
type Frame struct {
	At time.Time `json:"at" doc:"When the picture is shown, by the clock of playlists and clips"`
}

func (s *Server) playbackRoutes(r *routes) {
	tags := []string{"recordings"}
	on(r, ward.MayWatch, gzipped(media(huma.Operation{
		Method: http.MethodGet, Path: v1 + "/cameras/{id}/playback.m3u8", OperationID: "cameraPlayback", Tags: tags,
		Summary: "What was recorded as HLS: at most seven days, growing while it is recorded",
	}, playlistType)),
		func(ctx context.Context, in *playbackInput) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.playback)
	on(r, ward.MayWatch, media(huma.Operation{
		Method: http.MethodGet, Path: v1 + "/cameras/{id}/playback/{file}", OperationID: "cameraPlaybackFile", Summary: "A file that the playlist names", Tags: tags,
	}, "video/mp4", "video/iso.segment"),
		func(ctx context.Context, in *pieceInput) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.playbackFile)
	on(r, ward.MayWatch, media(huma.Operation{
		Method: http.MethodGet, Path: v1 + "/cameras/{id}/thumbnail.jpg", OperationID: "cameraThumbnail", Summary: "The key frame at or before a moment", Tags: tags,
	}, "image/jpeg"),
		func(ctx context.Context, in *thumbnailInput) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.thumbnail)
	on(r, ward.MayWatch, huma.Operation{
		Method: http.MethodGet, Path: v1 + "/cameras/{id}/frame", OperationID: "cameraFrame", Summary: "The moment of the picture on screen, or of one beside it", Tags: tags,
	},
		func(ctx context.Context, in *frameInput) (ward.Camera, ward.InstitutionID, error) {
			return s.loadCamera(ctx, &in.CameraPath)
		}, s.frame)
}

func sourceOf(c ward.Camera) ward.Source {
	return ward.Source{Kind: ward.FromCamera, ID: string(c.ID)}
}

func (s *Server) playback(ctx context.Context, in *playbackInput, c ward.Camera) (*huma.StreamResponse, error) {
	now := s.now()
	st := stretch{From: in.From, To: in.To}
	if st.To.IsZero() || st.To.After(now) {
		st.To = now.Add(time.Second) // from now on is a stretch too
	}
	if err := st.check(maxTimeline); err != nil {
		return nil, err
	}
	if s.Library == nil {
		return nil, libraryMissing()
	}
	p, err := s.Library.Playback(ctx, c.InstitutionID, sourceOf(c), in.From, in.To, now, in.Codec...)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", playlistType)
		hc.SetHeader("X-Recording-Video", string(p.Video))
		hc.SetHeader("X-Recording-Audio", string(p.Audio))
		_, _ = hc.BodyWriter().Write(p.Playlist) // the client may be gone
	}}, nil
}

// playbackFile sends a piece. A view is recorded for each stretch of ten
// minutes that somebody sees, not for each piece.
func (s *Server) playbackFile(ctx context.Context, in *pieceInput, c ward.Camera) (*huma.StreamResponse, error) {
	if s.Library == nil {
		return nil, libraryMissing()
	}
	p, err := s.Library.Piece(ctx, c.InstitutionID, sourceOf(c), in.File)
	if err != nil {
		return nil, err
	}
	if !p.At.IsZero() {
		err := s.uncoveredSpan(ctx, sourceOf(c), p.At, p.At.Add(time.Millisecond))
		if err == nil {
			err = s.recordPlayed(ctx, c, p.At)
		}
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) { sendPiece(ctx, hc, s, p) }}, nil
}

func sendPiece(ctx context.Context, hc huma.Context, s *Server, p *ingest.Piece) {
	defer p.Close() //nolint:errcheck // only read
	res := humaecho.Unwrap(hc).Response()
	res.Header().Set("Content-Type", p.ContentType)
	res.Header().Set("Content-Length", strconv.FormatInt(p.Size, 10))
	if n, err := p.WriteTo(patient(res)); err != nil {
		if ctx.Err() == nil {
			s.Log.WarnContext(ctx, "piece not sent", "bytes", n, "of", p.Size, "error", err)
		}
		panic(http.ErrAbortHandler) // half a piece must not look like a whole one
	}
}

const (
	// playedStretch is what one view of a recording in the custody log covers.
	playedStretch = 10 * time.Minute
	// playedRest is how long a user may see a stretch again without a new entry.
	playedRest = time.Hour
)

// recordPlayed notes that the caller sees what the camera recorded around at.
func (s *Server) recordPlayed(ctx context.Context, c ward.Camera, at time.Time) error {
	from := at.UTC().Truncate(playedStretch)
	return s.record(ctx, view{
		object: "camera/" + string(c.ID) + "/playback", rest: playedRest,
		reason: from.Format(time.RFC3339) + "/" + from.Add(playedStretch).Format(time.RFC3339),
	})
}

func (s *Server) frame(ctx context.Context, in *frameInput, c ward.Camera) (*body[Frame], error) {
	if s.Library == nil {
		return nil, libraryMissing()
	}
	at, err := s.Library.Frame(ctx, c.InstitutionID, sourceOf(c), in.At, in.Step)
	return answer(Frame{at.UTC()}, err)
}
