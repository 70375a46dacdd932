package analytics

import (
	"context"
	"errors"
	"fmt"
	"time"

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
	src := ward.Source{Kind: ward.FromCamera, ID: string(cam)}
	key, err := a.Library.KeyFrame(ctx, inst, src, at, within, within)
	switch {
	case errors.Is(err, &ward.Error{Code: "frame.nothing"}):
		return p, false, nil
	case err != nil:
		return p, false, fmt.Errorf("picture of camera %s: %w", cam, err)
	}
	session := a.Pool.NewSession(key.Codec)
	defer session.Close()
	seen, ok, err := session.See(ctx, key.AU, true, vision.WantSnapshot)
	if err != nil {
		return p, false, fmt.Errorf("picture of camera %s: %w", cam, err)
	}
	return Picture{Camera: cam, At: key.At, JPEG: seen.JPEG}, ok && len(seen.JPEG) > 0, nil
}
