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

// showClip records the view of a clip of what is inst's, with the hash of
// exactly the bytes that are shown, and serves it with ranges, so that a
// player can seek: a range costs what it holds, since where everything is was
// kept from the first request on. The headers X-Clip-From and X-Clip-To say
// what is really in it, and X-Clip-Complete whether anything between is missing;
// X-Clip-Overlap whether a moment is in it twice, since the clock was set back,
// and X-Clip-Filled how many seconds of it the device had stored itself and gave
// afterwards.
func (s *Server) showClip(ctx context.Context, v view, inst ward.InstitutionID, src ward.Source, from, to time.Time) (*huma.StreamResponse, error) {
	if s.Library == nil {
		return nil, libraryMissing()
	}
	free, err := s.clips.open.take(ctx, callerOf(ctx).ID)
	if err != nil {
		return nil, err
	}
	c, err := s.clip(ctx, inst, src, from, to)
	if err == nil {
		v.sha256, v.rest = c.sha256[:], playedRest
		err = s.record(ctx, v)
	}
	if err != nil {
		free()
		return nil, err
	}
	out := serve("video/mp4", fmt.Sprintf(`"%x"`, c.sha256), &openClip{s.Library.ReadClip(ctx, c.plan), free})
	body := out.Body
	out.Body = func(hc huma.Context) {
		hc.SetHeader("X-Clip-From", c.plan.From.UTC().Format(time.RFC3339Nano))
		hc.SetHeader("X-Clip-To", c.plan.To.UTC().Format(time.RFC3339Nano))
		hc.SetHeader("X-Clip-Complete", strconv.FormatBool(c.plan.Complete))
		hc.SetHeader("X-Clip-Overlap", strconv.FormatBool(c.plan.Overlap))
		hc.SetHeader("X-Clip-Filled", strconv.FormatFloat(c.plan.Filled.Seconds(), 'f', 3, 64))
		body(hc)
	}
	return out, nil
}

// openClip gives its slot back when it is closed, which happens once.
type openClip struct {
	io.ReadSeekCloser
	free func()
}

func (c *openClip) Close() error {
	defer c.free()
	return c.ReadSeekCloser.Close()
}

// clip returns a clip that was cut before, or cuts it and reads it once, for its hash.
func (s *Server) clip(ctx context.Context, inst ward.InstitutionID, src ward.Source, from, to time.Time) (clipCut, error) {
	if err := s.uncoveredSpan(ctx, src, from, to); err != nil {
		return clipCut{}, err
	}
	key := fmt.Sprintf("%s/%s/%d/%d", inst, src, from.UnixNano(), to.UnixNano())
	if c, ok := s.clips.kept(key, s.now()); ok {
		return c, nil
	}
	free, err := s.clips.cutting.take(ctx, callerOf(ctx).ID)
	if err != nil {
		return clipCut{}, err
	}
	defer free()
	plan, err := s.Library.PlanClip(ctx, inst, src, from, to)
	if err != nil {
		return clipCut{}, err
	}
	h := sha256.New()
	r := s.Library.ReadClip(ctx, plan)
	_, err = io.Copy(h, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return clipCut{}, fmt.Errorf("hash clip of %s: %w", src, err)
	}
	c := clipCut{plan: plan, made: s.now(), used: s.now()}
	h.Sum(c.sha256[:0])
	s.clips.keep(key, c)
	return c, nil
}

func libraryMissing() error {
	return &ward.Error{Kind: ward.Unavailable, Code: "library.missing", ZH: "本服务不能读取录像。", EN: "This process reads no recordings."}
}
