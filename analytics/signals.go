package analytics

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	signalsEvery = time.Second
	silentFor    = 5 * time.Second  // a gap that is shorter is a hiccup
	afterWait    = 10 * time.Second // for the first picture after a lost signal
	lensNear     = 5 * time.Second  // how near to the beginning or end a picture must be
)

// Signals opens a blind period for each camera whose signal is lost, by its
// gaps, and ends it when pictures come again. A gap that is ours (a restart, a
// full disk) ends it too: we did not look. One that lasts is noted as such, so that
// its alert comes. Store, Objects, Gallery and Log are required.
type Signals struct {
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery
	Log     *slog.Logger

	unwell bool
}

// Run looks every second until ctx ends.
func (s *Signals) Run(ctx context.Context) error {
	for {
		if err := s.Once(ctx, time.Now()); err != nil && ctx.Err() == nil {
			if !s.unwell {
				s.Log.WarnContext(ctx, "lost signals are not judged", "error", err)
			}
			s.unwell = true
		} else {
			s.unwell = false
		}
		select {
		case <-time.After(signalsEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// Once opens and ends what is due at now.
func (s *Signals) Once(ctx context.Context, now time.Time) error {
	silent, err := s.Store.SilentCameras(ctx, now.Add(-silentFor))
	if err != nil {
		return err
	}
	lasting, err := s.Store.LastingBlind(ctx, "")
	if err != nil {
		return err
	}
	open := map[ward.CameraID]ward.BlindPeriod{}
	for _, b := range lasting {
		if b.Cause == ward.SignalLost {
			open[b.CameraID] = b
		}
	}
	for _, v := range silent {
		if _, known := open[v.Camera.ID]; known {
			continue
		}
		if err := s.lost(ctx, v, now); err != nil {
			return err
		}
	}
	var last []ward.BlindID
	for _, b := range lasting {
		over, err := s.look(ctx, b, now)
		if err != nil {
			return err
		}
		if !over && b.Cause == ward.SignalLost && now.Sub(b.Seen).Abs() >= lastsEvery {
			last = append(last, b.ID)
		}
	}
	if len(last) == 0 {
		return nil
	}
	_, err = s.Store.SeenBlind(ctx, now, last...)
	return err
}

// lost opens a period, with the last picture before it.
func (s *Signals) lost(ctx context.Context, v storage.Silent, now time.Time) error {
	b := ward.BlindPeriod{
		ID: ward.NewID[ward.BlindID](now), CameraID: v.Camera.ID, PlaceID: v.Camera.PlaceID, InstitutionID: v.Camera.InstitutionID,
		Cause: ward.SignalLost, From: v.From, Seen: now,
	}
	var err error
	if b.Before, err = s.picture(ctx, v.Camera, v.From.Add(-lensNear), v.From.Add(lensNear)); err != nil {
		return err
	}
	return s.Store.OpenBlind(ctx, b)
}

// look ends a period that is over: of a camera that is no longer to be
// recorded, or whose signal is back. It says whether it is over, be it that its
// picture is still waited for.
func (s *Signals) look(ctx context.Context, b ward.BlindPeriod, now time.Time) (over bool, err error) {
	cam, err := s.Store.Camera(ctx, b.CameraID)
	if ward.KindOf(err) == ward.NotFound || err == nil && !cam.Enabled {
		return true, s.Store.CloseBlind(ctx, b.ID, now, ward.BlindPicture{}, "")
	}
	if err != nil || b.Cause != ward.SignalLost {
		return false, err
	}
	to, over, err := s.end(ctx, b, now)
	if err != nil || !over {
		return false, err
	}
	after, err := s.picture(ctx, cam, to, to.Add(afterWait+lensNear))
	if err != nil || after.Sighting == "" && now.Sub(to) < afterWait {
		return true, err
	}
	return true, s.Store.CloseBlind(ctx, b.ID, to, after, "")
}

// end is when the camera's gaps that follow each other from the period's
// beginning on were over; what is ours in between ends them.
func (s *Signals) end(ctx context.Context, b ward.BlindPeriod, now time.Time) (to time.Time, over bool, err error) {
	gaps, err := s.Store.GapsBetween(ctx, ward.Source{Kind: ward.FromCamera, ID: string(b.CameraID)}, b.From.Add(-time.Second), now)
	if err != nil {
		return to, false, err
	}
	to = b.From
	for _, g := range gaps {
		if !ofDevice(g.Cause) || g.From.After(to.Add(time.Second)) {
			continue
		}
		if g.To.IsZero() {
			return to, false, nil
		}
		to = latest(to, g.To)
	}
	return to, true, nil
}

// picture stores the picture of a camera that is in memory for [from, to], if there is one.
func (s *Signals) picture(ctx context.Context, cam ward.Camera, from, to time.Time) (ward.BlindPicture, error) {
	p, ok := s.Gallery.Of(cam.PlaceID, cam.ID, from, to)
	if !ok {
		return ward.BlindPicture{}, nil
	}
	v := lensSighting(cam, p.At)
	if err := putShot(ctx, s.Objects, v, p.JPEG); err != nil {
		s.Log.WarnContext(ctx, "picture of a lost signal is not stored", "camera_id", cam.ID, "error", err)
		return ward.BlindPicture{}, nil
	}
	v.SnapshotKey = SnapshotKey(v.InstitutionID, v.CameraID, v.From, string(v.ID))
	return ward.BlindPicture{Sighting: v.ID, SHA256: sha256.Sum256(p.JPEG)}, s.Store.PutSighting(ctx, v)
}

// ofDevice says whether a gap lies with the camera or its line: else it was
// we who did not look.
func ofDevice(c ward.Cause) bool {
	return c == ward.CauseUnreachable || c == ward.CauseNotFound || c == ward.CauseStalled
}
