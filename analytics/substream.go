package analytics

import (
	"context"
	"time"

	"wardwatch/analytics/vision"
	"wardwatch/ingest"
	"wardwatch/ward"
)

const (
	// subLeast is the least width of a sub stream, in pixels: people are looked
	// for at 300, and somebody in a tenth of a narrower picture is missed.
	subLeast = 640
	// besideEvery is the least time between two key frames of the main stream
	// beside a sub stream while nobody is there.
	besideEvery = 2 * time.Second
	// subSilent and subKeyless are after how long without a picture, and without a
	// key frame, a sub stream is given up.
	subSilent  = 5 * time.Second
	subKeyless = 12 * time.Second
	// subSparse: of a sub stream with key frames further apart other pictures
	// are looked at as well, or its camera would not count as watched.
	subSparse = 2500 * time.Millisecond
	// A sub stream that shows something else in so many looks and for so long is given up.
	subApart    = 5
	subApartFor = 10 * time.Second
	// subBeside is how far apart pictures of the two streams may be to be compared.
	subBeside = 3 * time.Second
	subKept   = 8 // pictures of the sub stream that are kept for that
	// corroborate is how often the main stream is asked for people while the sub
	// stream says that nobody is there; without an answer for uncorroborated
	// what the sub stream says is no part of Watched. The latter is no longer than
	// what nobody_at_counter looks at: who stays for that is seen in either.
	corroborate    = 4 * time.Second
	uncorroborated = 8 * time.Second
	// stirred is the share of cells that differ when something moved in the main
	// stream; if the sub stream did not change meanwhile it is frozen.
	stirred = .01
	// subFailures in a row: it cannot be decoded.
	subFailures = 5
	// subRetry is how soon one that was given up is tried again, then after
	// twice as long, up to subRetryMost times.
	subRetry     = time.Minute
	subRetryMost = 16
)

// SubStream is a camera's smaller stream of the same pictures.
type SubStream struct {
	Stream *ingest.Stream
	See    See
	Close  func() // called once, when neither is used any more
}

// subSight is what a watcher knows of its camera's sub stream.
type subSight struct {
	*sight // nil: it is not looked at

	leads   bool           // it tells who is there; until it agreed with the main stream once, that does
	stop    func()         // of sight
	opening chan subOpened // has room for one; nil: it is not being opened
	again   time.Time      // when it is opened next
	wait    time.Duration  // before the try after that
	began   time.Time
	failed  int       // looks in a row
	looks   []subLook // the newest
	apart   int       // comparisons in a row by which the streams differ
	since   time.Time // the first of these

	asked    time.Time // when the main stream was asked for people
	somebody bool      // it showed some, and the sub stream none since
	denied   bool      // the sub stream was looked at for people since, and showed none
	stood    bool      // it was given up since it stood still: it leads only after it changed
	moved    time.Time // when it changed last; zero: not yet
	mainThen ward.Grid // the first of the main stream since
}

type subOpened struct {
	SubStream
	fault ward.SubFault
}

// subLook is a picture of the sub stream.
type subLook struct {
	at     time.Time
	levels ward.Grid
}

// sparse says whether key frames are too far apart.
func (s *subSight) sparse() bool {
	_, _, gap := s.feed.newest()
	return gap > subSparse
}

func (w *Watcher) beginSub() {
	if w.SubRetry <= 0 {
		w.SubRetry = subRetry
	}
	w.sub.wait = w.SubRetry
	w.report(ward.NoSubFault)
}

// report tells what is looked at.
func (w *Watcher) report(fault ward.SubFault) {
	if w.tell != nil {
		w.tell(Watching{Sub: w.sub.leads, Fault: fault})
	}
}

// tendSub opens the sub stream when it is time, and gives it up when it brings nothing.
func (w *Watcher) tendSub(ctx context.Context) {
	now := time.Now()
	switch {
	case w.Sub == nil:
	case w.sub.opening != nil:
		select {
		case o := <-w.sub.opening:
			w.sub.opening = nil
			if o.fault != ward.NoSubFault {
				w.giveUpSub(ctx, o.fault)
				return
			}
			w.lookAtSub(ctx, o.SubStream, now)
		default:
		}
	case w.sub.sight != nil:
		came, keyed, _ := w.sub.feed.newest()
		select {
		case <-w.sub.stream.Done():
			w.giveUpSub(ctx, ward.SubAway)
			return
		default:
		}
		if now.Sub(latest(came, w.sub.began)) > subSilent {
			w.giveUpSub(ctx, ward.SubAway)
		} else if now.Sub(latest(keyed, w.sub.began)) > subKeyless {
			w.giveUpSub(ctx, ward.SubKeyless)
		}
	case !now.Before(w.sub.again):
		opening := make(chan subOpened, 1)
		w.sub.opening = opening
		w.reading.Go(func() {
			s, fault := w.Sub(ctx)
			opening <- subOpened{s, fault}
			w.main.feed.rouse()
		})
	}
}

// lookAtSub begins to look at the sub stream.
func (w *Watcher) lookAtSub(ctx context.Context, s SubStream, now time.Time) {
	own, stop := context.WithCancel(ctx)
	v := &sight{stream: s.Stream, see: s.See, feed: newFeed(w.wake), pace: pace{gap: w.Every}}
	w.sub = subSight{sight: v, stop: stop, began: now, wait: w.sub.wait, stood: w.sub.stood}
	w.reading.Go(func() {
		w.read(own, v)
		<-own.Done() // until then its pictures may be looked at
		s.Close()
	})
}

// giveUpSub goes on with the main stream alone for a while.
func (w *Watcher) giveUpSub(ctx context.Context, fault ward.SubFault) {
	if w.sub.stop != nil {
		w.sub.stop()
	}
	if w.sub.leads {
		w.main.pace.gap, w.full = w.Every, time.Time{}
		w.sub.wait = w.SubRetry
	}
	w.sub = subSight{again: time.Now().Add(w.sub.wait), wait: min(2*w.sub.wait, subRetryMost*w.SubRetry), stood: w.sub.stood}
	w.Log.WarnContext(ctx, "sub stream is not looked at", "camera_id", w.Camera.ID, "fault", fault)
	w.count(WatchStats{SubsGivenUp: 1})
	w.report(fault)
}

// endSub ends what there is of the sub stream.
func (w *Watcher) endSub() {
	if w.sub.opening != nil {
		if o := <-w.sub.opening; o.fault == ward.NoSubFault {
			o.Close()
		}
	}
	if w.sub.stop != nil {
		w.sub.stop()
	}
}

// subFailed counts a picture of v that could not be looked at.
func (w *Watcher) subFailed(ctx context.Context, v *sight) {
	if v == w.main {
		return
	}
	if w.sub.failed++; w.sub.failed >= subFailures {
		w.giveUpSub(ctx, ward.SubAway)
	}
}

// wantedBeside says what to look for in a picture of v while the sub stream
// is looked at; all: thoroughly.
func (w *Watcher) wantedBeside(v *sight, at time.Time, all bool) vision.Want {
	beside := vision.WantMeasures | vision.WantSnapshot
	if v == w.main && (w.sub.somebody || at.Sub(w.sub.asked).Abs() >= corroborate*3/4) {
		beside |= vision.WantPeople
	}
	switch {
	case v != w.main && !w.sub.leads:
		return vision.WantMeasures
	case v != w.main && all:
		return vision.WantPeople | vision.WantFaces | vision.WantMeasures
	case v != w.main:
		return vision.WantFaces | vision.WantMeasures
	case w.debounce.Busy():
		return beside | vision.WantFaces | vision.WantTemplates
	}
	return beside
}

// stepSub goes on with what was seen in the sub stream.
func (w *Watcher) stepSub(ctx context.Context, seen ward.Seen, arrived time.Time, want vision.Want) {
	w.sub.failed = 0
	if seen.Width < subLeast {
		w.giveUpSub(ctx, ward.SubSmall)
		return
	}
	if seen.Measures != nil {
		w.sub.looks = append(w.sub.looks, subLook{arrived.Round(0).UTC(), seen.Measures.Levels})
		w.sub.looks = w.sub.looks[max(len(w.sub.looks)-subKept, 0):]
		w.sub.stir(*seen.Measures, arrived.Round(0).UTC())
	}
	if !w.sub.leads {
		return
	}
	w.draw(ctx)
	sure := w.sub.apart == 0 && w.sub.agreed(seen, arrived.Round(0).UTC(), want)
	w.notice(ctx, seen, arrived, want.Has(vision.WantPeople), w.blind.sees(seen), sure)
}

// stepBeside goes on with what a key frame of the main stream showed: whether
// the camera sees, its picture, and the faces of who is there.
func (w *Watcher) stepBeside(ctx context.Context, seen ward.Seen, arrived time.Time, want vision.Want) {
	at := arrived.Round(0).UTC()
	w.show(seen, at)
	sees := w.sees(ctx, seen, at)
	if sees && (want.Has(vision.WantFaces) || somebodyIn(seen)) {
		w.draw(ctx)
		w.keep(w.debounce.CloseUp(seen, at), arrived)
		w.save(ctx)
	}
	w.main.pace.between, w.main.pace.gap = false, besideEvery
	if w.debounce.Busy() || w.sub.somebody {
		w.main.pace.gap = w.Every
	}
	w.main.feed.rest()
	w.count(WatchStats{Beside: 1})
	if w.sub.contradicted(seen, at, want) || w.sub.frozen(seen) {
		w.giveUpSub(ctx, ward.SubDiffers)
		return
	}
	w.compare(ctx, seen, at)
}

// compare looks whether the sub stream shows what the main stream does.
func (w *Watcher) compare(ctx context.Context, seen ward.Seen, at time.Time) {
	if w.sub.sight == nil || seen.Measures == nil {
		return
	}
	var near subLook
	for _, l := range w.sub.looks {
		if near.at.IsZero() || l.at.Sub(at).Abs() < near.at.Sub(at).Abs() {
			near = l
		}
	}
	switch {
	case near.at.IsZero() || near.at.Sub(at).Abs() > subBeside:
	case sameView(seen.Measures.Levels, near.levels):
		if w.sub.apart = 0; !w.sub.leads && (!w.sub.stood || !w.sub.moved.IsZero()) {
			w.sub.leads, w.sub.stood, w.sub.wait = true, false, w.SubRetry
			w.main.pace.between, w.main.pace.gap, w.sub.pace.gap = false, besideEvery, 0
			w.report(ward.NoSubFault)
		}
	default:
		if w.sub.apart++; w.sub.apart == 1 {
			w.sub.since = at
		}
		if w.sub.apart >= subApart && at.Sub(w.sub.since) >= subApartFor {
			w.giveUpSub(ctx, ward.SubDiffers)
		}
	}
}
