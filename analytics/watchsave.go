package analytics

import (
	"context"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// ail logs the first of a series of failures.
func (w *Watcher) ail(ctx context.Context, message string, err error) {
	if !w.unwell {
		w.Log.WarnContext(ctx, message, "camera_id", w.Camera.ID, "error", err) //nolint:sloglint // the callers pass constants
	}
	w.unwell = true
}

// keep adds changes to those not yet stored; the newest state of a sighting
// replaces older ones. arrived is when the picture came that they are of, with
// the monotonic reading that tells how old they are when they are stored.
func (w *Watcher) keep(cs []Change, arrived time.Time) {
next:
	for _, c := range cs {
		c.Sighting.Seen = arrived
		if before := arrived.Sub(c.Sighting.From); before > 0 && before <= storage.MaxSighting {
			c.Sighting.Seen = arrived.Add(-before)
		}
		for i := range w.unsaved {
			if w.unsaved[i].Sighting.ID == c.Sighting.ID {
				c.Sighting.Seen = w.unsaved[i].Sighting.Seen
				w.unsaved[i] = c
				continue next
			}
		}
		w.unsaved = append(w.unsaved, c)
	}
}

// save stores all changes in one transaction, or keeps them for the next
// time. When too many wait, all are given up together, and watching begins
// anew: the stored part never says "watched" where people were seen and lost.
func (w *Watcher) save(ctx context.Context) {
	if len(w.unsaved) == 0 {
		return
	}
	vs := make([]ward.Sighting, len(w.unsaved))
	for i, c := range w.unsaved {
		vs[i] = c.Sighting
	}
	if err := w.Store.PutSightings(ctx, vs); err != nil {
		w.ail(ctx, "sightings are not stored", err)
		if len(w.unsaved) > maxUnsaved {
			w.unsaved = nil
			w.debounce.Close()
		}
		return
	}
	w.unwell = false
	for _, c := range w.unsaved {
		if c.Phase != Closed || len(c.Shot) == 0 {
			continue
		}
		w.send(c.Sighting, c.Shot)
	}
	w.unsaved = nil
}
