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
	// backfillLook is how often gaps are looked for that ended without the
	// camera's being away, or whose end was stored late.
	backfillLook = 20 * time.Second
	// backfills is how many devices are asked at the same time: what happens
	// now goes first. After backfillTurn the others have theirs.
	backfills    = 8
	backfillTurn = 10 * time.Minute
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

// backfill fills the camera's gaps with what the device stored meanwhile,
// whenever it is live, until ctx ends.
func (c *Camera) backfill(ctx context.Context) {
	if c.ReplayURL == "" {
		return
	}
	tick := time.NewTicker(backfillPoll)
	defer tick.Stop()
	var next time.Time
	away := c.stats.reconnects.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n := c.stats.reconnects.Load(); n != away {
			next, away = time.Time{}, n
		}
		if time.Now().Before(next) || c.State().Condition != Live {
			continue
		}
		select {
		case c.fleet.doors().fills <- struct{}{}:
		default:
			continue
		}
		var err error
		next, err = c.fillOldest(ctx)
		<-c.fleet.doors().fills
		if err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "gaps not filled", "camera", c.ID, "error", err)
		}
	}
}

// fillOldest fills the oldest gap that is due, and says when to look again.
func (c *Camera) fillOldest(ctx context.Context) (next time.Time, err error) {
	now := time.Now()
	next = now.Add(backfillLook)
	gaps, err := c.Store.Fillable(ctx, c.source(), c.InstitutionID, now.Add(-backfillAge), backfillLeast)
	if err != nil {
		return next, err
	}
	for _, g := range gaps {
		if !g.Next.After(now) {
			return now, c.fill(ctx, g)
		}
		next = earlier(next, g.Next)
	}
	return next, nil
}

// fill asks the device once for what is missing of a gap, and notes how far
// that went. What fails here and not at the device is no try.
func (c *Camera) fill(ctx context.Context, g storage.Fillable) error {
	w := &filler{camera: c, gap: g.Gap}
	if err := w.resume(ctx); err != nil {
		return err
	}
	before := w.from
	c.Log.InfoContext(ctx, "a device is asked for what was not recorded", "camera", c.ID, "gap", g.ID, "seconds", w.gap.To.Sub(w.from).Seconds())
	err := w.run(ctx)
	if ctx.Err() != nil {
		return nil //nolint:nilerr // the next start goes on where this one was
	}
	wait := min(backfillWait<<min(g.Tries, 16), backfillLongest)
	switch {
	case w.gap.To.Sub(w.from) < backfillLeast:
		c.note(ward.Backfilled, w.filled, "")
		return c.Store.FillDone(ctx, g.ID)
	case w.from.After(before): // some: the rest at once
		return c.Store.FillLater(ctx, g.ID, 0, time.Now().Add(backfillPoll))
	case errors.Is(err, errOurs) || causeOf(err) == ward.CauseBusy:
		return errors.Join(err, c.Store.FillLater(ctx, g.ID, g.Tries, time.Now().Add(backfillWait)))
	case g.Tries+1 < backfillTries:
		c.Log.InfoContext(ctx, "the device did not fill a gap, it is asked again", "camera", c.ID, "gap", g.ID, "in", wait, "error", err)
		return c.Store.FillLater(ctx, g.ID, g.Tries+1, time.Now().Add(wait))
	case w.filled > 0:
		c.note(ward.Backfilled, w.filled, "")
	default:
		c.note(ward.NotBackfilled, 0, string(causeOf(err)))
	}
	return c.Store.FillGivenUp(ctx, g.ID)
}

// errOurs is wrapped by errors that are not the device's.
var errOurs = errors.New("what a device gave is not stored")

// filler writes what a device plays of one gap. One goroutine uses it.
type filler struct {
	camera *Camera
	gap    ward.Gap

	from   time.Time     // what is missing begins here; server clock
	filled time.Duration // of the gap, in this try and those before
	known  bool          // offset is
	offset time.Duration // the device's clock minus the server's
	file   *segmentFile
}

// deviceSeq numbers files of what devices gave; as the number in a file's
// name it tells them from what is being recorded while they have no row.
const deviceSeq = 1 << 40

// resume finds what earlier tries brought, and how the device's clock goes.
func (w *filler) resume(ctx context.Context) error {
	w.from = w.gap.From
	if err := w.adopt(ctx); err != nil {
		return err
	}
	have, err := w.camera.Store.SegmentsBetween(ctx, w.gap.Source, w.gap.From, w.gap.To)
	if err != nil {
		return err
	}
	for _, g := range have {
		if g.Origin == ward.FromDevice {
			w.filled += g.End.Sub(g.Start)
			w.from = later(w.from, g.End)
		}
	}
	last, err := w.camera.Store.LastSegment(ctx, w.gap.Source)
	if err != nil && ward.KindOf(err) != ward.NotFound {
		return err
	}
	w.known, w.offset = last.Clock == ward.CameraClock, last.CameraOffset
	return nil
}

// adopt commits whole files of earlier tries whose row could not be stored.
func (w *filler) adopt(ctx context.Context) error {
	entries, err := w.camera.Spool.EntriesOf(w.gap.Source)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Part || e.Seq < deviceSeq {
			continue
		}
		if _, err = w.camera.Store.SegmentStarting(ctx, e.Source, e.Start); ward.KindOf(err) == ward.NotFound {
			err = commitFinished(ctx, w.camera.Store, w.camera.Spool, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	errNoClock = errors.New("the device does not tell its clock, so that nobody knows what it recorded when")
	errUndated = errors.New("the device does not tell when it recorded what it plays")
)

// run plays what is missing and writes it, until there is no more.
func (w *filler) run(ctx context.Context) error {
	if !w.known {
		return errNoClock
	}
	from, to := w.from.Add(w.offset), w.gap.To.Add(w.offset).Add(time.Second) // asked for in whole seconds
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
	ctx, cancel := context.WithTimeout(ctx, min(2*to.Sub(from)+backfillSlack, backfillTurn))
	defer cancel()
	s, err := w.camera.fleet.open(ctx, cam, opening{replay: r, event: func(kind ward.RecordingEventKind, _ time.Duration, _ string) {
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
	if !u.Arrived.Before(w.gap.To) {
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
	if err := errors.Join(w.file.flush(), w.file.file.Sync()); err != nil {
		return errors.Join(errOurs, err)
	}
	return nil
}

func (w *filler) begin(s *Stream, tracks []Track, u Unit) error {
	video, _ := videoOf(tracks)
	h := header{
		V: checkedVersion, Source: s.Source(), InstitutionID: s.Institution(), Codec: video.Codec, Clock: ward.CameraClock, CameraOffset: w.offset, Origin: ward.FromDevice,
		KeepUntil: u.Arrived.Add(time.Duration(w.camera.RetentionDays) * 24 * time.Hour),
	}
	for _, t := range tracks {
		if !t.Video() {
			h.Audio = t.Codec
		}
	}
	space, err := w.camera.Spool.Space()
	if err != nil {
		return errors.Join(errOurs, err)
	}
	if space.Room() <= 0 {
		return errNoRoom
	}
	if w.file, err = beginSegment(w.camera.Spool, h, steady{at: u.Arrived, wall: u.Arrived}, tracks, u, deviceSeq); err != nil {
		return errors.Join(errOurs, err)
	}
	return nil
}

var errNoRoom = fmt.Errorf("the spool has no room for what is over: %w", errOurs)

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
		return errors.Join(errOurs, discard(f.file, err))
	}
	if f.media == 0 {
		return f.file.Discard()
	}
	g := f.segment()
	g.End, g.Media, g.Chunks, g.Bytes = earlier(end, w.gap.To), f.video.span(f.media), f.chunks, f.file.Size
	if g.SHA256, err = f.file.Finish(); err != nil {
		return errors.Join(errOurs, discard(f.file, err))
	}
	// What is whole is committed though ctx ended; if it cannot be, resume or Recover does it.
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), clerkFarewell)
	defer cancel()
	stored, err := w.camera.Store.CommitSegment(late, kept(g, time.Now()))
	if err != nil {
		return errors.Join(errOurs, err)
	}
	w.filled += stored.End.Sub(stored.Start)
	w.from = stored.End
	if w.camera.OnSegment != nil {
		w.camera.OnSegment(stored)
	}
	return nil
}
