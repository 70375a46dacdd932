package analytics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	defaultEvery = time.Second
	// While somebody is at the counter two to five pictures a second are looked
	// at, so far apart that a camera takes a sixth of a worker's time. When a
	// look takes longer than busyLook, waiting for the worker included, it is key frames alone.
	busyEvery, busiestEvery = 500 * time.Millisecond, 200 * time.Millisecond
	busyShare               = 6
	busyLook                = 250 * time.Millisecond
	// fullEvery: of those every so often one thoroughly; the others, glances, for faces only.
	fullEvery    = 900 * time.Millisecond
	readerDepth  = 256             // units; the reading goroutine only puts them into the feed
	maxUnsaved   = 500             // sightings held while the database is away
	shotsWaiting = 16              // best shots waiting for the object store; more are dropped
	lastSave     = 5 * time.Second // for what is open when the stream ends
	shotTimeout  = 20 * time.Second
)

// Lookout watches cameras: its Watch is ingest.Fleet's OnStream. Every field
// but Every is required.
type Lookout struct {
	Pool    *vision.Pool
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery
	Every   time.Duration // least time between two pictures of a camera while nobody is there; 0: 1 s
	Log     *slog.Logger

	counts watchCounts
	zones  zoneMap
}

// Stats counts the pictures of all cameras since the start. It may be called
// from any goroutine.
func (l *Lookout) Stats() WatchStats { return l.counts.stats() }

// Watch looks at one stream of a camera until it closes or ctx ends.
func (l *Lookout) Watch(ctx context.Context, cam ward.Camera, s *ingest.Stream) {
	track, ok := s.Video()
	if !ok {
		return
	}
	session := l.Pool.NewBackgroundSession(track.Codec)
	defer session.Close()
	w := &Watcher{
		Camera: cam, Store: l.Store, Objects: l.Objects, Gallery: l.Gallery, Every: l.Every, Log: l.Log, total: &l.counts,
		See:   session.See,
		Zones: func(ctx context.Context) []ward.Zone { return l.zones.of(ctx, l.Store, cam.ID, l.Log) },
	}
	w.Run(ctx, s)
}

// Watcher turns one camera's stream into stored sightings: its key frames
// while nobody is at the counter, 2 to 5 pictures a second while somebody is.
// It never falls behind: what came while a picture was looked at gives way to
// the newest, and to the next key frame where the worker does not keep up.
type Watcher struct {
	Camera  ward.Camera
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery
	// See decodes one access unit and looks at the picture for what is wanted,
	// as vision.Session does. At most one call is under way.
	See   func(ctx context.Context, au []byte, key bool, want vision.Want) (seen ward.Seen, ok bool, err error)
	Zones func(context.Context) []ward.Zone // what is drawn in the picture now; nil: nothing
	Every time.Duration                     // least time between two pictures while nobody is there; 0: 1 s
	Log   *slog.Logger

	counts watchCounts
	total  *watchCounts // of all cameras, may be nil

	// The rest belongs to Run's goroutine.
	debounce Debouncer
	blind    blindness
	pace     pace
	full     time.Time // when the last picture came that was looked at thoroughly
	unsaved  []Change  // by id, the newest state of each
	shots    chan shotJob
	unwell   bool // the last picture or save failed, and that was logged
}

// Stats may be called from any goroutine.
func (w *Watcher) Stats() WatchStats { return w.counts.stats() }

func (w *Watcher) count(n WatchStats) {
	w.total.add(n)
	w.counts.add(n)
}

// Run watches until the stream closes or ctx ends. A picture that cannot be
// looked at, or sightings that cannot be stored, end in a stretch that is not
// Watched; they do not end Run.
func (w *Watcher) Run(ctx context.Context, s *ingest.Stream) {
	if w.Every <= 0 {
		w.Every = defaultEvery
	}
	w.debounce = Debouncer{Camera: w.Camera, NewID: ward.NewID[ward.SightingID]}
	w.shots = make(chan shotJob, shotsWaiting)
	w.blind = blindness{camera: w.Camera, store: w.Store, shots: w.send}
	units := newFeed()

	var all sync.WaitGroup
	all.Go(func() { w.read(ctx, s, units) })
	shotCtx, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	all.Go(func() { w.keepShots(shotCtx) })
	w.pace = pace{gap: w.Every}
	for us := units.next(ctx, w.pace); len(us) > 0; us = units.next(ctx, w.pace) {
		w.look(ctx, s, units, us)
	}
	w.keep(w.debounce.Close(), time.Time{})
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer cancel()
	w.save(end)
	if err := w.blind.end(end); err != nil {
		w.ail(ctx, "blind periods are not stored", err)
	}
	close(w.shots)
	late := time.AfterFunc(lastSave, giveUp)
	defer late.Stop()
	all.Wait()
}

// read puts the stream's pictures into the feed.
func (w *Watcher) read(ctx context.Context, s *ingest.Stream, units *feed) {
	defer units.end()
	r := s.Follow(readerDepth, true)
	defer r.Close()
	for {
		u, err := r.Next(ctx)
		if err != nil {
			return // the stream closed or ctx ended
		}
		if track, ok := s.Video(); ok && u.Track == track.ID && units.put(u) {
			w.count(WatchStats{Dropped: 1})
		}
	}
}

// look decodes units, analyses the last and stores what follows from it.
func (w *Watcher) look(ctx context.Context, s *ingest.Stream, units *feed, us []ingest.Unit) {
	began, newest := time.Now(), us[len(us)-1]
	want := w.wanted(newest.Arrived.Round(0).UTC())
	seen, ok, err := w.see(ctx, s, us, want)
	took := time.Since(began)
	w.pace.last = newest.Arrived
	if ctx.Err() != nil {
		return
	}
	if err != nil || !ok {
		units.rest() // what follows builds on what is broken, or was never decoded
	}
	if err != nil {
		w.count(WatchStats{Failed: 1})
		w.ail(ctx, "camera picture is not analysed", err)
	}
	if err != nil || !ok {
		return
	}
	w.step(ctx, s, seen, newest.Arrived, want)
	busy := w.debounce.Busy()
	if w.pace.between = busy && took <= busyLook; w.pace.between {
		w.pace.gap = min(max(busyShare*took, busiestEvery), busyEvery)
		return
	}
	w.pace.gap = w.Every
	units.rest()
	if busy {
		w.count(WatchStats{Late: 1})
	}
}

// wanted says what to look for in a picture of the moment at: in some for
// everything, in a glance for faces, with templates while a face is new.
func (w *Watcher) wanted(at time.Time) vision.Want {
	const full = vision.WantPeople | vision.WantFaces | vision.WantTemplates | vision.WantSnapshot | vision.WantMeasures
	gone := at.Sub(w.full)
	switch {
	case !w.pace.between || gone < 0 || gone >= fullEvery:
		return full
	case w.debounce.young():
		return vision.WantFaces | vision.WantTemplates | vision.WantSnapshot
	}
	return vision.WantFaces
}

// see decodes units and looks at the last one.
func (w *Watcher) see(ctx context.Context, s *ingest.Stream, us []ingest.Unit, want vision.Want) (ward.Seen, bool, error) {
	track, _ := s.Video()
	for _, u := range us[:len(us)-1] {
		if _, _, err := w.See(ctx, track.AnnexB(u), u.Key, 0); err != nil {
			return ward.Seen{}, false, err
		}
	}
	newest := us[len(us)-1]
	return w.See(ctx, track.AnnexB(newest), newest.Key, want)
}

// step goes on with what was seen and stores it.
func (w *Watcher) step(ctx context.Context, s *ingest.Stream, seen ward.Seen, arrived time.Time, want vision.Want) {
	at := arrived.Round(0).UTC()
	if w.Gallery != nil {
		w.Gallery.Put(w.Camera.PlaceID, Picture{Camera: w.Camera.ID, At: at, JPEG: seen.JPEG, Faces: seen.Faces})
	}
	if w.Zones != nil {
		w.debounce.Zones = w.Zones(ctx)
	}
	sees := w.sees(ctx, s, seen, at)
	if want.Has(vision.WantPeople) {
		w.full = at
		if sees {
			w.keep(w.debounce.Step(seen, at), arrived)
		}
		defer w.count(WatchStats{Looked: 1})
	} else {
		if sees {
			w.keep(w.debounce.Glance(seen, at), arrived)
		}
		defer w.count(WatchStats{Looked: 1, Glanced: 1})
	}
	w.save(ctx)
}

// sees says whether the picture tells who is there, and keeps the camera's blind periods.
func (w *Watcher) sees(ctx context.Context, s *ingest.Stream, seen ward.Seen, at time.Time) bool {
	var offset *time.Duration
	if clock, by := s.Clock(); clock == ward.CameraClock {
		offset = &by
	}
	sees, err := w.blind.look(ctx, seen, offset, at)
	if err != nil {
		w.ail(ctx, "blind periods are not stored", err)
	}
	return sees
}

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
