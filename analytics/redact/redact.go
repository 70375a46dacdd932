// Package redact makes derivatives of evidence in which parts of the picture
// cannot be recognised. The original is read and never touched.
package redact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// margin is how far a cover goes beyond a face that was found, in widths and
	// heights of its box: hair, ears and chin.
	margin = .35
	// around is how long before and after a face was found its place is
	// covered, in 1/90000 s: the detector misses some pictures, and a decoder that
	// reorders tells of one a little later.
	around = 90000
	// every is how often is looked for faces, in 1/90000 s.
	every = 9000
)

// Tool names what makes the derivatives, for the sealed record. Another number
// means that the same plan covers something else.
const Tool = "wardwatch redact/1: libavcodec, libx264 at most 720 lines crf 24, covered grey, no sound; faces +35 % and ±1 s"

// Artist covers pictures. Foreign pixels stay in the workers of Pool and Coder.
type Artist struct {
	Library *ingest.Library
	Pool    *vision.Pool
	Worker  string // path of the binary that codes; "": vision.FindWorker
	Log     *slog.Logger
}

// sighted is a face at a time, in 1/90000 s.
type sighted struct {
	at  int64
	box ward.Box
}

// Video writes a segment as MP4 of H.264 with what the plan says covered in
// every picture of its time. progress is told from 0 to 1. What cannot be
// decoded is left out, and counted; a picture whose covers are not certain is
// covered whole.
func (a *Artist) Video(ctx context.Context, g ward.Segment, plan ward.RedactionPlan, w io.Writer, progress func(float64)) (model string, err error) {
	length := max(float64(g.Media.Microseconds())*.09, 1)
	var faces []sighted
	share := 0.
	if plan.Faces {
		share = .5
		if faces, model, err = a.faces(ctx, g, func(at int64) { progress(share * min(float64(at)/length, 1)) }); err != nil {
			return "", err
		}
	}
	coder := vision.NewCoder(ctx, a.Worker, g.Codec, a.Log)
	defer coder.Close()
	film := &film{w: w}
	lasted := map[int64]int64{}
	err = a.Library.PicturesOf(ctx, g, func(p ingest.RecordedPicture, shown, lasts int64) error {
		lasted[shown] = lasts
		got, err := coder.Code(ctx, vision.CodeRequest{
			PTS: shown, Key: p.Key, Show: true, Fresh: film.empty(), Masked: true, Masks: covers(plan, faces, shown), Data: p.AU,
		})
		if err != nil && !errors.Is(err, vision.ErrPicture) {
			return err
		}
		progress(share + (1-share)*min(float64(shown)/length, 1))
		return film.add(got, lasted)
	})
	if err != nil {
		return "", fmt.Errorf("cover recording %s: %w", g.ID, err)
	}
	got, err := coder.Flush(ctx)
	if err != nil && !errors.Is(err, vision.ErrPicture) {
		return "", fmt.Errorf("cover recording %s: %w", g.ID, err)
	}
	if err := film.add(got, lasted); err != nil {
		return "", err
	}
	return model, film.end()
}

// faces looks through the recording.
func (a *Artist) faces(ctx context.Context, g ward.Segment, progress func(int64)) (found []sighted, model string, err error) {
	eye := a.Pool.NewBackgroundSession(g.Codec)
	defer eye.Close()
	next, looked := int64(0), int64(0)
	err = a.Library.PicturesOf(ctx, g, func(p ingest.RecordedPicture, shown, _ int64) error {
		var want vision.Want
		if shown >= next {
			want, next = vision.WantFaces, shown+every
		}
		seen, ok, err := eye.See(ctx, p.AU, p.Key, want)
		if err != nil && !errors.Is(err, vision.ErrPicture) {
			return err // a look that was lost must not leave a face uncovered
		}
		switch {
		case ok:
			model, looked = seen.ModelID, shown
		case want != 0:
			next = shown // the decoder has nothing yet: look at the next one
			if shown-looked > around {
				// The worker was begun anew and waits for a key frame: who is there is not known.
				found = append(found, sighted{shown, ward.Box{W: 1, H: 1}})
			}
		}
		for _, f := range seen.Faces {
			found = append(found, sighted{shown, wider(f.Box)})
		}
		progress(shown)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("look for faces in recording %s: %w", g.ID, err)
	}
	return found, model, nil
}

// Still returns a JPEG or PNG as JPEG of at most 720 lines with what the plan
// says covered.
func (a *Artist) Still(ctx context.Context, image []byte, plan ward.RedactionPlan) (jpeg []byte, model string, err error) {
	seen, err := a.Pool.Still(ctx, image, vision.WantFaces|vision.WantSnapshot)
	if err != nil {
		return nil, "", err
	}
	var faces []sighted
	if plan.Faces {
		model = seen.ModelID
		for _, f := range seen.Faces {
			faces = append(faces, sighted{0, wider(f.Box)})
		}
	}
	coder := vision.NewCoder(ctx, a.Worker, ward.MJPEG, a.Log)
	defer coder.Close()
	got, err := coder.Code(ctx, vision.CodeRequest{Key: true, Show: true, Fresh: true, Masked: true, Masks: covers(plan, faces, 0), Data: seen.JPEG})
	if err == nil && len(got) == 0 {
		got, err = coder.Flush(ctx)
	}
	if err != nil || len(got) == 0 {
		return nil, "", fmt.Errorf("cover a still: %d pictures, %w", len(got), err)
	}
	eye := a.Pool.NewSession(ward.H264)
	defer eye.Close()
	seen, ok, err := eye.See(ctx, got[0].Data, true, vision.WantSnapshot)
	if err != nil || !ok {
		return nil, "", fmt.Errorf("look at a covered still: %t, %w", ok, err)
	}
	return seen.JPEG, model, nil
}

func wider(b ward.Box) ward.Box {
	return ward.Box{X: b.X - margin*b.W, Y: b.Y - margin*b.H, W: b.W * (1 + 2*margin), H: b.H * (1 + 2*margin)}
}

// covers is what is covered of the picture at a time. More than a picture can
// take becomes all of it.
func covers(plan ward.RedactionPlan, faces []sighted, at int64) []ward.Box {
	out := plan.At(float64(at) / 90000)
	for _, f := range faces {
		if f.at >= at-around && f.at <= at+around {
			out = append(out, f.box)
		}
	}
	if len(out) > vision.MaxMasks {
		return []ward.Box{{W: 1, H: 1}}
	}
	return out
}
