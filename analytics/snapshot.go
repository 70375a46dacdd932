package analytics

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"wardwatch/storage/objects"
	"wardwatch/ward"
)

// picture stores the picture of the alert's moment, or names the best shot
// of the face when there is none.
func (c *Correlator) picture(ctx context.Context, a *ward.Alert, f Finding, win Window) error {
	p, ok, err := c.moment(ctx, a, f, win)
	if err != nil {
		return err
	}
	if ok {
		return c.keepPicture(ctx, a, p)
	}
	for _, v := range win.Sightings {
		if v.SnapshotKey == "" || !slices.Contains(f.Sightings, v.ID) {
			continue
		}
		sum, _, err := objects.Sum(ctx, c.Objects, v.SnapshotKey)
		if err != nil {
			return fmt.Errorf("read snapshot of sighting %s: %w", v.ID, err)
		}
		a.CameraID, a.SnapshotKey, a.SnapshotSHA = v.CameraID, v.SnapshotKey, sum
		return nil
	}
	return nil
}

// moment finds a picture within SnapshotWithin of the settlement, in memory
// or in the recordings of the place's cameras.
func (c *Correlator) moment(ctx context.Context, a *ward.Alert, f Finding, win Window) (Picture, bool, error) {
	if c.Gallery != nil {
		if p, ok := c.Gallery.Near(a.PlaceID, a.At, snapshotWithin, f.Face); ok {
			return p, true, nil
		}
	}
	if c.Recorded == nil {
		return Picture{}, false, nil
	}
	cams := []ward.CameraID{f.Camera}
	for _, cam := range win.Cameras {
		if cam != f.Camera {
			cams = append(cams, cam)
		}
	}
	for _, cam := range cams {
		if p, ok, err := c.Recorded(ctx, a.InstitutionID, cam, a.At, snapshotWithin); err != nil || ok {
			return p, ok, err
		}
	}
	return Picture{}, false, nil
}

// keepPicture stores p under a name that a second try finds again.
func (c *Correlator) keepPicture(ctx context.Context, a *ward.Alert, p Picture) error {
	key := SnapshotKey(a.InstitutionID, p.Camera, a.At, string(a.SettlementID)+"-"+string(a.Rule))
	sum := sha256.Sum256(p.JPEG)
	err := c.Objects.Put(ctx, key, bytes.NewReader(p.JPEG), int64(len(p.JPEG)))
	if errors.Is(err, fs.ErrExist) { // from a try that a crash cut off
		sum, _, err = objects.Sum(ctx, c.Objects, key)
	}
	if err != nil {
		return fmt.Errorf("store snapshot of settlement %s: %w", a.SettlementID, err)
	}
	a.CameraID, a.SnapshotKey, a.SnapshotSHA = p.Camera, key, sum
	return nil
}
