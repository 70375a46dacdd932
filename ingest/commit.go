package ingest

import (
	"context"
	"errors"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

func (r *Recorder) begin(s *Stream, u Unit) {
	video, _ := videoOf(r.tracks)
	clock, offset := s.Clock()
	h := header{V: checkedVersion, Source: s.Source(), InstitutionID: s.Institution(), Codec: video.Codec, Clock: clock, CameraOffset: offset}
	for _, t := range r.tracks {
		if !t.Video() {
			h.Audio = t.Codec
		}
	}
	h.Life, h.Mono = r.Store.Mono(u.Arrived)
	h.Sync, h.ClockError = storage.ReadSync()
	at := r.clock.moment(u.Arrived)
	if r.RetentionDays > 0 {
		h.KeepUntil = at.wall.Add(time.Duration(r.RetentionDays) * 24 * time.Hour)
	}
	f, err := beginSegment(r.Spool, h, r.clock, r.tracks, u, r.seq+1)
	if err != nil {
		r.Log.Error("recording not begun", "source", s.Source().String(), "error", err)
		cause := ward.CauseDisk
		if errors.Is(err, errTracks) {
			cause = ward.CauseCodec
		}
		r.coverage.missingFrom(cause, at)
		return
	}
	r.seq++
	r.file, r.prev = f, u.Arrived
	where := onDisk{spool: r.Spool, entry: f.file.Entry, nalus: f.video.nalus()}
	where.entry.Size = 0
	f.tell = func(pictures []written) { s.settle(where, pictures) }
	r.coverage.recordedFrom(moment{f.Start, u.Arrived})
	r.coverage.begun(r.clock, r.seq)
}

// fail ends the file at what is on the disk; recording begins again with the
// next key frame for which there is room.
func (r *Recorder) fail(s *Stream, err error) {
	r.close(s)
	r.Log.Error("recording not written", "source", s.Source().String(), "error", err)
	f := r.file
	r.file = nil
	end := r.clock.date(f.born)
	r.mend(end)
	r.tellDamage()
	r.commit(s, f, end)
	r.coverage.missingFrom(ward.CauseDisk, f.clock.dated(end))
}

// stop ends the file with the last picture; why is for the caller to say.
func (r *Recorder) stop(s *Stream) {
	r.close(s)
	if r.file == nil {
		return
	}
	f := r.file
	r.file = nil
	end, err := f.end(time.Time{}, 0)
	if now := r.clock.date(time.Now()); end.After(now) {
		end = now
	}
	r.mend(end)
	r.tellDamage()
	r.commit(s, f, end)
	r.coverage.stopped(f.clock.dated(end))
	if err != nil {
		r.Log.Error("recording not written", "source", s.Source().String(), "error", err)
		r.coverage.missingFrom(ward.CauseDisk, f.clock.dated(end))
	}
}

// commit makes the file durable and then its row.
func (r *Recorder) commit(s *Stream, f *segmentFile, end time.Time) {
	g := f.segment()
	g.End, g.Media, g.Chunks, g.Bytes = end, f.video.span(f.media), f.chunks, f.file.Size
	g.Clock, g.CameraOffset = s.Clock()
	g.Signature = f.signature
	if sync, off := storage.ReadSync(); g.Sync == ward.Synced || sync == ward.Unsynced {
		g.Sync, g.ClockError = sync, max(g.ClockError, off) // the worse of begin and end
	}
	if f.media == 0 {
		r.clerk.add("discard empty file", func(ctx context.Context) error {
			if err := f.file.Discard(); err != nil { // Recover will remove it
				r.Log.ErrorContext(ctx, "empty recording not removed", "source", f.Source.String(), "error", err)
			}
			return nil
		})
		r.coverage.damaged(ward.CauseDisk, f.Start, end)
		return
	}
	if off := driftOf(g); off != 0 {
		r.note(ward.RecordingEvent{Source: g.Source, InstitutionID: g.InstitutionID, At: g.End, Kind: ward.Drift, Off: off})
	}
	finished := false
	announce := r.OnSegment
	r.clerk.add("commit segment", func(ctx context.Context) error {
		if !finished {
			sum, err := f.file.Finish()
			if err != nil {
				r.Log.ErrorContext(ctx, "recording abandoned", "source", g.Source.String(), "error", errors.Join(err, f.file.Discard()))
				return r.Store.AddGap(ctx, ward.Gap{Source: g.Source, InstitutionID: g.InstitutionID, From: g.Start, To: g.End, Cause: ward.CauseDisk})
			}
			finished, g.SHA256 = true, sum
		}
		stored, err := r.Store.CommitSegment(ctx, kept(g, time.Now()))
		if err != nil {
			return err
		}
		if announce != nil {
			announce(stored)
		}
		return nil
	})
}

// kept lets the retention of g count from now, when it is committed, if that
// is later than its start: a clock that was wrong while it was recorded, and
// was set since, must not make it due at once.
func kept(g ward.Segment, now time.Time) ward.Segment {
	if by := now.Sub(g.Start); by > 0 && !g.KeepUntil.IsZero() {
		g.KeepUntil = g.KeepUntil.Add(by)
	}
	return g
}

// segment is the row of a recording as far as its header tells it.
func (h header) segment() ward.Segment {
	return ward.Segment{
		ID: ward.NewID[ward.SegmentID](h.Start), Source: h.Source, InstitutionID: h.InstitutionID, Start: h.Start, Clock: h.Clock, CameraOffset: h.CameraOffset,
		Codec: h.Codec, Audio: h.Audio, Life: h.Life, Mono: h.Mono, KeepUntil: h.KeepUntil, Origin: h.Origin,
		Sync: h.Sync, ClockError: h.ClockError,
	}
}

const (
	driftShare = 50 // a fiftieth, 2 %, of a segment's length
	driftLeast = 500 * time.Millisecond
)

// driftOf is by how much a segment's pictures last longer than their coming
// took, when that is more than an encoder's jitter: a media clock that runs
// at another speed, or a declared frame rate that is not the real one.
func driftOf(g ward.Segment) time.Duration {
	took := g.End.Sub(g.Start)
	if off := g.Media - took; off.Abs() > max(took/driftShare, driftLeast) {
		return off
	}
	return 0
}

// event stores what happened when u came, unless the same did just before.
func (r *Recorder) event(s *Stream, u Unit, e ward.RecordingEvent) {
	if t, ok := r.told[e.Kind]; ok && u.Arrived.Sub(t) < eventEvery {
		return
	}
	if r.told == nil {
		r.told = map[ward.RecordingEventKind]time.Time{}
	}
	r.told[e.Kind] = u.Arrived
	e.Source, e.InstitutionID, e.At = s.Source(), s.Institution(), u.Arrived.Round(0).UTC()
	r.note(e)
}

func (r *Recorder) note(e ward.RecordingEvent) {
	r.Log.Warn("recording event", "source", e.Source.String(), "kind", string(e.Kind), "off", e.Off, "detail", e.Detail)
	r.clerk.add("add recording event", func(ctx context.Context) error { return r.Store.AddRecordingEvent(ctx, e) })
}
