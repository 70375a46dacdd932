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

// See decodes one access unit and looks at the picture for what is wanted, as
// vision.Session does. Of one stream at most one call is under way.
type See func(ctx context.Context, au []byte, key bool, want vision.Want) (seen ward.Seen, ok bool, err error)

// Watcher turns one camera's stream into stored sightings: its key frames
// while nobody is at the counter, 2 to 5 pictures a second while somebody is.
// It never falls behind: what came while a picture was looked at gives way to
// the newest, and to the next key frame where the worker does not keep up.
//
// Where there is a sub stream, that tells who is there; key frames of the main
// stream tell whether the camera sees, and show the faces.
type Watcher struct {
	Camera  ward.Camera
	Store   *storage.Store
	Objects objects.Objects
	Gallery *Gallery
	See     See                                              // of the main stream
	Sub     func(context.Context) (SubStream, ward.SubFault) // opens the sub stream; nil: there is none
	Zones   func(context.Context) []ward.Zone                // what is drawn in the picture now; nil: nothing
	Loiter  func(context.Context) time.Duration              // how long somebody may stay without a settlement; nil: for any time
	Every   time.Duration                                    // least time between two pictures while nobody is there; 0: 1 s
	// SubRetry is as Lookout's.
	SubRetry time.Duration
	Log      *slog.Logger

	counts watchCounts
	total  *watchCounts   // of all cameras, may be nil
	tell   func(Watching) // what is looked at now; may be nil

	// The rest belongs to Run's goroutine.
	main     *sight
	sub      subSight
	wake     chan struct{} // something came
	reading  sync.WaitGroup
	debounce Debouncer
	settled  time.Time // when its settlements were read
	blind    blindness
	full     time.Time // when the last picture came that was looked at thoroughly
	unsaved  []Change  // by id, the newest state of each
	shots    chan shotJob
	unwell   bool // the last picture or save failed, and that was logged
}

// sight is a stream that is looked at.
type sight struct {
	stream *ingest.Stream
	see    See
	feed   *feed
	pace   pace
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
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w.debounce = Debouncer{Camera: w.Camera, NewID: ward.NewID[ward.SightingID]}
	w.shots = make(chan shotJob, shotsWaiting)
	w.blind = blindness{camera: w.Camera, store: w.Store, shots: w.send}
	w.wake = make(chan struct{}, 1)
	w.main = &sight{stream: s, see: w.See, feed: newFeed(w.wake), pace: pace{gap: w.Every}}

	w.reading.Go(func() { w.read(ctx, w.main) })
	shotCtx, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	var shooting sync.WaitGroup
	shooting.Go(func() { w.keepShots(shotCtx) })
	w.beginSub()
	for v, us := w.next(ctx); len(us) > 0; v, us = w.next(ctx) {
		w.look(ctx, v, us)
	}
	stop()
	w.endSub()
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
	shooting.Wait()
	w.reading.Wait()
}

// read puts the stream's pictures into its feed.
func (w *Watcher) read(ctx context.Context, v *sight) {
	defer v.feed.end()
	r := v.stream.Follow(readerDepth, true)
	defer r.Close()
	for {
		u, err := r.Next(ctx)
		if err != nil {
			return // the stream closed or ctx ended
		}
		if track, ok := v.stream.Video(); ok && u.Track == track.ID && v.feed.put(u) {
			w.count(WatchStats{Dropped: 1})
		}
	}
}

// next waits for units to look at, and says of which stream; none means that
// the main stream is over.
func (w *Watcher) next(ctx context.Context) (*sight, []ingest.Unit) {
	for {
		w.tendSub(ctx)
		us, over := w.main.feed.take(w.main.pace)
		if len(us) > 0 || over {
			return w.main, us
		}
		if v := w.sub.sight; v != nil {
			if us, _ := v.feed.take(v.pace); len(us) > 0 {
				return v, us
			}
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// look decodes units, analyses the last and stores what follows from it.
func (w *Watcher) look(ctx context.Context, v *sight, us []ingest.Unit) {
	began, newest := time.Now(), us[len(us)-1]
	want := w.wanted(v, newest.Arrived.Round(0).UTC())
	seen, ok, err := w.see(ctx, v, us, want)
	took := time.Since(began)
	v.pace.last = newest.Arrived
	if ctx.Err() != nil {
		return
	}
	if err != nil || !ok {
		v.feed.rest() // what follows builds on what is broken, or was never decoded
	}
	if err != nil {
		w.count(WatchStats{Failed: 1})
		w.ail(ctx, "camera picture is not analysed", err)
		w.subFailed(ctx, v)
	}
	if err != nil || !ok {
		return
	}
	switch {
	case v != w.main:
		w.stepSub(ctx, seen, newest.Arrived, want)
	case w.sub.leads:
		w.stepBeside(ctx, seen, newest.Arrived, want)
		return
	default:
		w.step(ctx, seen, newest.Arrived, want)
	}
	if v == w.main || v == w.sub.sight {
		w.hurry(v, took)
	}
}

// hurry sets when the next picture is looked at, after one that took so long.
func (w *Watcher) hurry(v *sight, took time.Duration) {
	busy := w.debounce.Busy() && (v == w.main || w.sub.leads)
	switch {
	case busy && took <= busyLook:
		v.pace.between = true
		v.pace.gap = min(max(busyShare*took, busiestEvery), busyEvery)
		return
	case v != w.main && !busy && w.sub.sparse():
		v.pace.between, v.pace.gap = true, w.Every
		return
	}
	v.pace.between, v.pace.gap = false, w.Every
	v.feed.rest()
	if busy {
		w.count(WatchStats{Late: 1})
	}
}

// wanted says what to look for in a picture of the moment at: in some for
// everything, in a glance for faces, with templates while a face is new.
func (w *Watcher) wanted(v *sight, at time.Time) vision.Want {
	const full = vision.WantPeople | vision.WantFaces | vision.WantTemplates | vision.WantSnapshot | vision.WantMeasures
	gone := at.Sub(w.full)
	all := !v.pace.between || gone < 0 || gone >= fullEvery
	switch {
	case w.sub.sight != nil && (w.sub.leads || v != w.main):
		return w.wantedBeside(v, at, all)
	case all:
		return full
	case w.debounce.young():
		return vision.WantFaces | vision.WantTemplates | vision.WantSnapshot
	}
	return vision.WantFaces
}

// see decodes units and looks at the last one.
func (w *Watcher) see(ctx context.Context, v *sight, us []ingest.Unit, want vision.Want) (ward.Seen, bool, error) {
	track, _ := v.stream.Video()
	for _, u := range us[:len(us)-1] {
		if _, _, err := v.see(ctx, track.AnnexB(u), u.Key, 0); err != nil {
			return ward.Seen{}, false, err
		}
	}
	newest := us[len(us)-1]
	return v.see(ctx, track.AnnexB(newest), newest.Key, want)
}
