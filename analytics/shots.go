package analytics

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"wardwatch/ward"
)

// shotJob is a best shot on its way to the object store.
type shotJob struct {
	sighting ward.Sighting
	jpeg     []byte
}

// keepShots puts best shots into the object store, then names them in their rows.
func (w *Watcher) keepShots(ctx context.Context) {
	for j := range w.shots {
		if err := w.keepShot(ctx, j); err != nil {
			w.Log.WarnContext(ctx, "best shot is not stored", "camera_id", w.Camera.ID, "sighting_id", j.sighting.ID, "error", err)
		}
	}
}

func (w *Watcher) keepShot(ctx context.Context, j shotJob) error {
	ctx, cancel := context.WithTimeout(ctx, shotTimeout)
	defer cancel()
	key := SnapshotKey(j.sighting.InstitutionID, j.sighting.CameraID, j.sighting.From, string(j.sighting.ID))
	if err := w.Objects.Put(ctx, key, bytes.NewReader(j.jpeg), int64(len(j.jpeg))); err != nil {
		return err
	}
	return w.Store.SetSightingSnapshot(ctx, j.sighting.ID, key)
}

// SnapshotKey is the object key of a picture:
// v1/{institution}/{camera}/snap/{yyyy}/{mm}/{dd}/{name}.jpg, UTC.
func SnapshotKey(inst ward.InstitutionID, cam ward.CameraID, at time.Time, name string) string {
	return fmt.Sprintf("v1/%s/%s/snap/%s/%s.jpg", inst, cam, at.UTC().Format("2006/01/02"), name)
}
