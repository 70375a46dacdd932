package analytics

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/storage"
	"wardwatch/storage/objects"
	"wardwatch/ward"
)

const (
	defaultEvery = time.Second
	readerDepth  = 256             // units; the reading goroutine only sorts out key frames
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
	Every   time.Duration // least time between two pictures of a camera; 0: 1 s
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
	session := l.Pool.NewSession(track.Codec)
	defer session.Close()
	w := &Watcher{
		Camera: cam, Store: l.Store, Objects: l.Objects, Gallery: l.Gallery, Every: l.Every, Log: l.Log, total: &l.counts,
		See: func(ctx context.Context, au []byte, key bool) (ward.Seen, bool, error) {
			return session.See(ctx, au, key, vision.WantPeople|vision.WantFaces|vision.WantTemplates|vision.WantSnapshot)
		},
		Zones: func(ctx context.Context) []ward.Zone { return l.zones.of(ctx, l.Store, cam.ID, l.Log) },
	}
	w.Run(ctx, s)
}

// Watcher turns the key frames of one camera's stream into stored
// sightings. It never falls behind: while one picture is looked at, of those
// that arrive only the newest is kept.
type Watcher struct {
	Camera  ward.Camera
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery
	// See looks at one access unit: people, faces with templates, and the
	// picture as JPEG. ok is false when no picture came out. At most one call
	// is under way.
	See   func(ctx context.Context, au []byte, key bool) (seen ward.Seen, ok bool, err error)
	Zones func(context.Context) []ward.Zone // what is drawn in the picture now; nil: nothing
	Every time.Duration                     // least time between two pictures; 0: 1 s
	Log   *slog.Logger

	counts watchCounts
	total  *watchCounts // of all cameras, may be nil

	// The rest belongs to Run's goroutine.
	debounce Debouncer
	unsaved  []Change // by id, the newest state of each
	shots    chan shotJob
	unwell   bool // the last picture or save failed, and that was logged
}

// WatchStats count pictures since the start.
type WatchStats struct {
	Looked  uint64 // analysed
	Dropped uint64 // skipped: too soon after the one before, or a newer one had come
	Failed  uint64 // the worker gave an error
}

type watchCounts struct{ looked, dropped, failed atomic.Uint64 }

func (c *watchCounts) stats() WatchStats {
	return WatchStats{c.looked.Load(), c.dropped.Load(), c.failed.Load()}
}

func (c *watchCounts) add(looked, dropped, failed uint64) {
	if c != nil {
		c.looked.Add(looked)
		c.dropped.Add(dropped)
		c.failed.Add(failed)
	}
}

// Stats may be called from any goroutine.
func (w *Watcher) Stats() WatchStats { return w.counts.stats() }

func (w *Watcher) count(looked, dropped, failed uint64) {
	w.total.add(looked, dropped, failed)
	w.counts.add(looked, dropped, failed)
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
	newest := make(chan ingest.Unit, 1)

	var all sync.WaitGroup
	all.Go(func() { w.read(ctx, s, newest) })
	shotCtx, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	all.Go(func() { w.keepShots(shotCtx) })
	var last time.Time
	for u := range newest {
		if gone := u.Arrived.Sub(last); !last.IsZero() && gone >= 0 && gone < w.Every*3/4 {
			w.count(0, 1, 0)
			continue
		}
		last = u.Arrived
		w.look(ctx, s, u)
	}
	w.keep(w.debounce.Close())
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer cancel()
	w.save(end)
	close(w.shots)
	late := time.AfterFunc(lastSave, giveUp)
	defer late.Stop()
	all.Wait()
}

// read hands the newest key frame on and drops the one before it.
func (w *Watcher) read(ctx context.Context, s *ingest.Stream, newest chan ingest.Unit) {
	defer close(newest)
	r := s.Follow(readerDepth, true)
	defer r.Close()
	for {
		u, err := r.Next(ctx)
		if err != nil {
			return // the stream closed or ctx ended
		}
		if track, ok := s.Video(); !ok || u.Track != track.ID || !u.Key {
			continue
		}
		select {
		case newest <- u:
			continue
		default:
		}
		select {
		case <-newest:
			w.count(0, 1, 0)
		default: // taken in between
		}
		newest <- u // the only sender: there is room
	}
}

// look analyses one key frame and stores what follows from it.
func (w *Watcher) look(ctx context.Context, s *ingest.Stream, u ingest.Unit) {
	track, _ := s.Video()
	seen, ok, err := w.See(ctx, track.AnnexB(u), u.Key)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.count(0, 0, 1)
		w.ail(ctx, "camera picture is not analysed", err)
		return
	}
	if !ok {
		return
	}
	w.count(1, 0, 0)
	at := u.Arrived.Round(0).UTC()
	if w.Gallery != nil {
		w.Gallery.Put(w.Camera.PlaceID, Picture{Camera: w.Camera.ID, At: at, JPEG: seen.JPEG, Faces: seen.Faces})
	}
	if w.Zones != nil {
		w.debounce.Zones = w.Zones(ctx)
	}
	w.keep(w.debounce.Step(seen, at))
	w.save(ctx)
}

// ail logs the first of a series of failures.
func (w *Watcher) ail(ctx context.Context, message string, err error) {
	if !w.unwell {
		w.Log.WarnContext(ctx, message, "camera_id", w.Camera.ID, "error", err) //nolint:sloglint // the callers pass constants
	}
	w.unwell = true
}

// keep adds changes to those not yet stored; the newest state of a sighting replaces older ones.
func (w *Watcher) keep(cs []Change) {
next:
	for _, c := range cs {
		for i := range w.unsaved {
			if w.unsaved[i].Sighting.ID == c.Sighting.ID {
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
		select {
		case w.shots <- shotJob{c.Sighting, c.Shot}:
		default: // the object store is slow; the sighting stays without its picture
		}
	}
	w.unsaved = nil
}

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
