package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"wardwatch/ward"
)

// showClip cuts a clip of what is inst's, records the view with the hash of exactly the bytes
// that are shown, and serves them with ranges, so that a player can seek.
// The headers X-Clip-From and X-Clip-To say what is really in it, and
// X-Clip-Complete whether anything between is missing.
func (s *Server) showClip(ctx context.Context, v view, inst ward.InstitutionID, src ward.Source, from, to time.Time) (*huma.StreamResponse, error) {
	if s.Library == nil {
		return nil, libraryMissing()
	}
	f, err := s.openClip(ctx)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	cut, err := take(ctx, s.clips.cutting)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	defer cut()
	info, err := s.Library.Clip(ctx, io.MultiWriter(f, h), inst, src, from, to)
	if err == nil {
		v.sha256 = h.Sum(nil)
		err = s.record(ctx, v)
	}
	if err != nil {
		return nil, errors.Join(noSpace(err), f.Close())
	}
	out := serve("video/mp4", fmt.Sprintf(`"%x"`, v.sha256), f)
	body := out.Body
	out.Body = func(hc huma.Context) {
		hc.SetHeader("X-Clip-From", info.From.UTC().Format(time.RFC3339Nano))
		hc.SetHeader("X-Clip-To", info.To.UTC().Format(time.RFC3339Nano))
		hc.SetHeader("X-Clip-Complete", strconv.FormatBool(info.Complete))
		body(hc)
	}
	return out, nil
}

func libraryMissing() error {
	return &ward.Error{Kind: ward.Unavailable, Code: "library.missing", ZH: "本服务不能读取录像。", EN: "This process reads no recordings."}
}
