package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"wardwatch/ingest/rtsp"
	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// backfillPoll is how soon after a camera is back its gaps are filled.
	backfillPoll = 2 * time.Second
	// backfillAge is how old a gap may be: devices overwrite the oldest.
	backfillAge = 7 * 24 * time.Hour
	// backfillLeast is the shortest gap that is worth a connection.
	backfillLeast = 2 * time.Second
	// backfills is how many devices are asked at the same time: what happens
	// now goes first.
	backfills = 2
	// backfillTries is how often a device is asked in vain, and backfillWait
	// how long after the first time it is asked again; then twice as long, up
	// to backfillLongest.
	backfillTries   = 8
	backfillWait    = time.Minute
	backfillLongest = time.Hour
	// backfillSlack is how much longer than the gap it may take: devices play
	// in real time.
	backfillSlack = 2 * time.Minute
)

// backfill fills the gaps of cameras that are back with what the devices
// stored meanwhile, until ctx ends.
func (f *Fleet) backfill(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, backfills)
	waits := map[ward.CameraID]*fillWait{}
	tick := time.NewTicker(backfillPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, m := range f.list() {
			if m.ReplayURL == "" || m.State().Condition != Live {
				continue
			}
			w := waits[m.ID]
			if w == nil {
				w = &fillWait{}
				waits[m.ID] = w
			}
			away := m.Stats().Reconnects
			if !w.due(away) {
				continue
			}
			select {
			case free <- struct{}{}:
			default:
				continue
			}
			w.begin(away)
			wg.Go(func() {
				next, err := f.fillOldest(ctx, m.Camera)
				if err != nil && ctx.Err() == nil {
					f.Log.WarnContext(ctx, "gaps not filled", "camera", m.ID, "error", err)
				}
				w.end(next)
				<-free
			})
		}
	}
}

// fillWait says when a camera's gaps are looked at again: after it was away,
// or when a gap is to be tried again.
type fillWait struct {
	mu         sync.Mutex
	busy, done bool
	reconnects uint64
	next       time.Time // zero: nothing to do until the camera was away
}

func (w *fillWait) due(reconnects uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	again := reconnects != w.reconnects || !w.done || !w.next.IsZero() && time.Now().After(w.next)
	return again && !w.busy
}

func (w *fillWait) begin(reconnects uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.reconnects = true, reconnects
}

func (w *fillWait) end(next time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.done, w.next = false, true, next
}

// fillOldest fills the oldest gap that is due, and says when to look again;
// zero: not before the camera was away.
func (f *Fleet) fillOldest(ctx context.Context, c *Camera) (next time.Time, err error) {
	now := time.Now()
	src := ward.Source{Kind: ward.FromCamera, ID: string(c.ID)}
	gaps, err := f.Store.Fillable(ctx, src, now.Add(-backfillAge), backfillLeast)
	if err != nil {
		return now.Add(backfillWait), err
	}
	for _, g := range gaps {
		if g.InstitutionID != c.InstitutionID {
			continue
		}
		if g.Next.After(now) {
			next = earlier(orNever(next), g.Next)
			continue
		}
		return now, f.fill(ctx, c, g)
	}
	return next, nil
}

func orNever(t time.Time) time.Time {
	if t.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return t
}

// fill asks the device once for what is missing of a gap, and notes how far
// that went.
func (f *Fleet) fill(ctx context.Context, c *Camera, g storage.Fillable) error {
	w := &filler{fleet: f, camera: c, gap: g.Gap}
	err := w.resume(ctx)
	before := w.from
	f.Log.InfoContext(ctx, "a device is asked for what was not recorded", "camera", c.ID, "gap", g.ID, "seconds", w.to().Sub(w.from).Seconds())
	if err == nil {
		err = w.run(ctx)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the next start goes on where this one was
	}
	filled := w.from.Sub(g.From)
	switch {
	case w.to().Sub(w.from) < backfillLeast:
		c.event(ward.Backfilled, w.filled, "")
		return f.Store.FillDone(ctx, g.ID)
	case w.from.After(before): // some: the rest at once
		return f.Store.FillLater(ctx, g.ID, time.Now().Add(backfillPoll))
	case g.Tries+1 < backfillTries:
		wait := min(backfillWait<<g.Tries, backfillLongest)
		f.Log.InfoContext(ctx, "the device did not fill a gap, it is asked again", "camera", c.ID, "gap", g.ID, "in", wait, "error", err)
		return f.Store.FillLater(ctx, g.ID, time.Now().Add(wait))
	case filled > 0:
		c.event(ward.Backfilled, w.filled, "")
	default:
		c.event(ward.NotBackfilled, 0, string(causeOf(err)))
	}
	return f.Store.FillGivenUp(ctx, g.ID)
}

// filler writes what a device plays of one gap. One goroutine uses it.
type filler struct {
	fleet  *Fleet
	camera *Camera
	gap    ward.Gap

	from   time.Time     // what is missing begins here; server clock
	filled time.Duration // of the gap, in this try and those before
	clock  ward.Clock
	offset time.Duration // the device's clock minus the server's
	file   *segmentFile
	seq    int64 // of the segment before the gap, which puts a file without a row where it belongs
}

func (w *filler) to() time.Time { return w.gap.To }

// lookBack is how far before a gap the segment before it is looked for.
const lookBack = time.Hour

// resume finds what earlier tries brought, and how the device's clock goes.
func (w *filler) resume(ctx context.Context) error {
	w.from, w.seq = w.gap.From, 1
	have, err := w.fleet.Store.SegmentsBetween(ctx, w.gap.Source, w.gap.From.Add(-lookBack), w.gap.To)
	if err != nil {
		return err
	}
	for _, g := range have {
		if g.Origin == ward.FromStream && g.Start.Before(w.gap.From) {
			w.seq = max(w.seq, g.Seq)
		}
		if g.Origin == ward.FromDevice && g.End.After(w.gap.From) {
			w.filled += g.End.Sub(g.Start)
			w.from = later(w.from, g.End)
		}
	}
	last, err := w.fleet.Store.LastSegment(ctx, w.gap.Source)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return err
	}
	w.clock = ward.ServerClock
	if last.Clock == ward.CameraClock {
		w.clock, w.offset = last.Clock, last.CameraOffset
	}
	return nil
}

// run plays what is missing and writes it, until there is no more.
func (w *filler) run(ctx context.Context) error {
	from, to := w.from.Add(w.offset), w.to().Add(w.offset).Add(time.Second) // asked for in whole seconds
	cam := w.camera.Camera
	address, marked := cam.ReplayAt(from, to)
	cam.URL = address
	if cam.Transport == ward.TransportAuto {
		cam.Transport = ward.TransportTCP // nothing must be lost
	}
	r := newReplay(from, to)
	if !marked {
		r.ask = rtsp.ClockRange(from, to)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*to.Sub(from)+backfillSlack)
	defer cancel()
	s, err := w.fleet.open(ctx, cam, opening{replay: r, event: func(kind ward.RecordingEventKind, _ time.Duration, _ string) {
		if kind == ward.ClockJump {
			r.jumped()
		}
	}})
	if err != nil {
		return err
	}
	var ended error
	var wg sync.WaitGroup
	wg.Go(func() {
		ended = s.Wait(ctx)
		s.Close() // the reader ends with the stream
	})
	rd := s.Stream.subscribe(recorderDepth, recorderBytes, true)
	err = w.write(ctx, s.Stream, rd, r)
	rd.Close()
	cancel()
	wg.Wait()
	if errors.Is(err, io.EOF) {
		err = ended
	}
	return errors.Join(err, w.finish(ctx, time.Time{}, 0))
}

var errUndated = errors.New("the device's recording has a hole and does not tell its dates")

// undated is how much of a replay is held back until the device tells a
// date: sender reports come every 5 s.
const undated = 6 * time.Second

// write records until the gap is full.
func (w *filler) write(ctx context.Context, s *Stream, rd *Reader, r *replay) error {
	d := &dater{replay: r}
	for {
		u, err := rd.Next(ctx)
		var ready []Unit
		if err == nil {
			ready, err = d.add(s, u)
		} else {
			ready = d.rest()
		}
		for _, u := range ready {
			u.Arrived = u.Arrived.Add(-w.offset)
			full, bad := w.unit(ctx, s, u, d.holes[u.number] || u.Lost != "")
			if bad != nil || full {
				return bad
			}
		}
		if err != nil {
			return err
		}
	}
}

// unit writes one unit; full says that the gap ends before it.
func (w *filler) unit(ctx context.Context, s *Stream, u Unit, hole bool) (full bool, err error) {
	tracks := s.Tracks()
	if video, _ := videoOf(tracks); u.Track != video.ID {
		if w.file != nil {
			w.file.add(u)
		}
		return false, nil
	}
	if !u.Arrived.Before(w.to()) {
		return true, w.finish(ctx, u.Arrived, u.DTS)
	}
	return false, w.picture(ctx, s, tracks, u, hole)
}

// picture writes one picture. Its Arrived is when it was taken.
func (w *filler) picture(ctx context.Context, s *Stream, tracks []Track, u Unit, hole bool) error {
	if hole {
		if err := w.finish(ctx, time.Time{}, 0); err != nil {
			return err
		}
	}
	if w.file != nil && u.Key && u.Arrived.Sub(w.file.begun) >= time.Duration(w.camera.SegmentSeconds)*time.Second {
		if err := w.finish(ctx, u.Arrived, u.DTS); err != nil {
			return err
		}
	}
	if w.file == nil {
		// One that begins earlier would overlap with what is there.
		if !u.Key || u.Arrived.Before(w.from) {
			return nil
		}
		if err := w.begin(s, tracks, u); err != nil {
			return err
		}
	}
	w.file.add(u)
	if !w.file.due(u) {
		return nil
	}
	if err := w.file.flush(); err != nil {
		return err
	}
	return w.file.file.Sync()
}

func (w *filler) begin(s *Stream, tracks []Track, u Unit) error {
	video, _ := videoOf(tracks)
	h := header{
		V: 1, Source: s.Source(), InstitutionID: s.Institution(), Codec: video.Codec, Clock: w.clock, CameraOffset: w.offset, Origin: ward.FromDevice,
		KeepUntil: u.Arrived.Add(time.Duration(w.camera.RetentionDays) * 24 * time.Hour),
	}
	for _, t := range tracks {
		if !t.Video() {
			h.Audio = t.Codec
		}
	}
	space, err := w.fleet.Spool.Space()
	if err != nil {
		return err
	}
	if space.Room() <= 0 {
		return errNoRoom
	}
	w.file, err = beginSegment(w.fleet.Spool, h, steady{at: u.Arrived, wall: u.Arrived}, tracks, u, w.seq)
	return err
}

var errNoRoom = errors.New("the spool has no room for what is over")

// finish ends the file, if there is one, and commits it. With a zero next it
// ends with its last picture.
func (w *filler) finish(ctx context.Context, next time.Time, nextDTS int64) error {
	f := w.file
	if f == nil {
		return nil
	}
	w.file = nil
	end, err := f.end(next, nextDTS)
	if err != nil {
		return discard(f.file, err)
	}
	if f.media == 0 {
		return f.file.Discard()
	}
	g := f.segment()
	g.End, g.Media, g.Chunks, g.Bytes = earlier(end, w.to()), f.video.span(f.media), f.chunks, f.file.Size
	if g.SHA256, err = f.file.Finish(); err != nil {
		return discard(f.file, err)
	}
	// What is whole is committed though ctx ended; if it cannot be, Recover does it.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), clerkFarewell)
	defer cancel()
	stored, err := w.fleet.Store.CommitSegment(late, kept(g, time.Now()))
	if err != nil {
		return fmt.Errorf("commit what the device gave: %w", err)
	}
	w.filled += stored.End.Sub(stored.Start)
	w.from = stored.End
	if w.fleet.OnSegment != nil {
		w.fleet.OnSegment(stored)
	}
	return nil
}
