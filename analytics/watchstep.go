package analytics

import (
	"context"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ward"
)

// step goes on with what was seen in the main stream alone and stores it.
func (w *Watcher) step(ctx context.Context, seen ward.Seen, arrived time.Time, want vision.Want) {
	at := arrived.Round(0).UTC()
	w.show(seen, at)
	w.draw(ctx)
	sees := w.sees(ctx, seen, at)
	w.compare(ctx, seen, at)
	w.notice(ctx, seen, arrived, want.Has(vision.WantPeople), sees, sees)
}

// notice tells the debouncer what was seen and stores what follows: all, when
// the picture was looked at thoroughly and shows who is there and that nobody
// is; or as a glance, in which somebody may be missed.
func (w *Watcher) notice(ctx context.Context, seen ward.Seen, arrived time.Time, all, sees, sure bool) {
	at := arrived.Round(0).UTC()
	if all {
		w.full = at
	}
	switch {
	case sees && sure && all:
		w.keep(w.debounce.Step(seen, at), arrived)
	case sees:
		w.keep(w.debounce.Glance(seen, at), arrived)
	}
	w.save(ctx)
	n := WatchStats{Looked: 1}
	if !all {
		n.Glanced = 1
	}
	w.count(n)
}

// show keeps a picture for alerts.
func (w *Watcher) show(seen ward.Seen, at time.Time) {
	if w.Gallery != nil {
		w.Gallery.Put(w.Camera.PlaceID, Picture{Camera: w.Camera.ID, At: at, JPEG: seen.JPEG, Faces: seen.Faces})
	}
}

// draw takes what is drawn in the picture, and what is known of those who stay.
func (w *Watcher) draw(ctx context.Context) {
	if w.Zones != nil {
		w.debounce.Zones = w.Zones(ctx)
	}
	if w.Loiter != nil {
		w.debounce.Loiter = w.Loiter(ctx)
		w.bills(ctx)
	}
}

// sees says whether a picture of the main stream tells who is there, and keeps
// the camera's blind periods.
func (w *Watcher) sees(ctx context.Context, seen ward.Seen, at time.Time) bool {
	var offset *time.Duration
	if clock, by := w.main.stream.Clock(); clock == ward.CameraClock {
		offset = &by
	}
	sees, err := w.blind.look(ctx, seen, offset, at)
	if err != nil {
		w.ail(ctx, "blind periods are not stored", err)
	}
	return sees
}
