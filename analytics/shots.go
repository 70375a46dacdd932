package analytics

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"wardwatch/storage/objects"
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
	if err := putShot(ctx, w.Objects, j.sighting, j.jpeg); err != nil {
		return err
	}
	v := j.sighting
	return w.Store.SetSightingSnapshot(ctx, v.ID, SnapshotKey(v.InstitutionID, v.CameraID, v.From, string(v.ID)))
}

// send hands a picture to the object store.
func (w *Watcher) send(v ward.Sighting, jpeg []byte) {
	select {
	case w.shots <- shotJob{v, jpeg}:
	default: // the object store is slow; the sighting stays without its picture
	}
}

// putShot puts the picture of a sighting into the object store.
func putShot(ctx context.Context, o objects.Objects, v ward.Sighting, jpeg []byte) error {
	ctx, cancel := context.WithTimeout(ctx, shotTimeout)
	defer cancel()
	return o.Put(ctx, SnapshotKey(v.InstitutionID, v.CameraID, v.From, string(v.ID)), bytes.NewReader(jpeg), int64(len(jpeg)))
}

// SnapshotKey is the object key of a picture:
// v1/{institution}/{camera}/snap/{yyyy}/{mm}/{dd}/{name}.jpg, UTC.
func SnapshotKey(inst ward.InstitutionID, cam ward.CameraID, at time.Time, name string) string {
	return fmt.Sprintf("v1/%s/%s/snap/%s/%s.jpg", inst, cam, at.UTC().Format("2006/01/02"), name)
}
