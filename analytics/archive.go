package analytics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/pmp4"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ward"
)

// Archive takes pictures from recordings, for settlements that come when the
// Gallery has forgotten their moment.
type Archive struct {
	Library *ingest.Library
	Pool    *vision.Pool
}

// Picture returns the recorded key frame of an institution's camera that is nearest to at,
// taken at most within before or after it. ok is false when none is recorded.
func (a *Archive) Picture(ctx context.Context, inst ward.InstitutionID, cam ward.CameraID, at time.Time, within time.Duration) (p Picture, ok bool, err error) {
	var file bytes.Buffer
	src := ward.Source{Kind: ward.FromCamera, ID: string(cam)}
	info, err := a.Library.Clip(ctx, &file, inst, src, at, at.Add(within))
	switch {
	case errors.Is(err, &ward.Error{Code: "clip.nothing"}):
		return p, false, nil
	case err != nil:
		return p, false, fmt.Errorf("picture of camera %s: %w", cam, err)
	}
	au, codec, taken, err := nearestKey(file.Bytes(), info, at)
	if err != nil {
		return p, false, fmt.Errorf("picture of camera %s: %w", cam, err)
	}
	if au == nil || taken.Sub(at).Abs() > within {
		return p, false, nil
	}
	session := a.Pool.NewSession(codec)
	defer session.Close()
	seen, ok, err := session.See(ctx, au, true, vision.WantSnapshot)
	if err != nil {
		return p, false, fmt.Errorf("picture of camera %s: %w", cam, err)
	}
	return Picture{Camera: cam, At: taken, JPEG: seen.JPEG}, ok && len(seen.JPEG) > 0, nil
}

// nearestKey returns the key frame of a clip that is nearest to at, as a
// decoder takes it, and its moment. au is nil when there is none.
func nearestKey(file []byte, info ingest.ClipInfo, at time.Time) (au []byte, codec ward.Codec, taken time.Time, err error) {
	var clip pmp4.Presentation
	if err := clip.Unmarshal(bytes.NewReader(file)); err != nil {
		return nil, "", taken, fmt.Errorf("read clip: %w", err)
	}
	for _, t := range clip.Tracks {
		track := ingest.Track{ID: t.ID}
		switch c := t.Codec.(type) {
		case *mp4.CodecH264:
			track.Codec, track.SPS, track.PPS = ward.H264, c.SPS, c.PPS
		case *mp4.CodecH265:
			track.Codec, track.VPS, track.SPS, track.PPS = ward.H265, c.VPS, c.SPS, c.PPS
		default:
			continue
		}
		var best *pmp4.Sample
		moment := info.From
		for _, s := range t.Samples {
			if !s.IsNonSyncSample && (best == nil || moment.Sub(at).Abs() < taken.Sub(at).Abs()) {
				best, taken = s, moment
			}
			if !info.Complete {
				break // after a hole the moments are not known
			}
			moment = moment.Add(time.Duration(s.Duration) * time.Second / time.Duration(t.TimeScale))
		}
		if best == nil {
			return nil, "", taken, nil
		}
		b, err := best.GetPayload()
		if err != nil {
			return nil, "", taken, fmt.Errorf("read clip: %w", err)
		}
		var units h264.AVCC // four-byte lengths, in H.265 too
		if err := units.Unmarshal(b); err != nil {
			return nil, "", taken, fmt.Errorf("read clip: %w", err)
		}
		return track.AnnexB(ingest.Unit{AU: units, Key: true}), track.Codec, taken, nil
	}
	return nil, "", taken, nil
}
