package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"wardwatch/ingest/rtsp"
	"wardwatch/ward"
)

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
	g.Signature = f.signature
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
