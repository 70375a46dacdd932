package ingest

import (
	"context"
	"time"

	"wardwatch/ward"
)

// paramsEvery is how often a segment may end because the parameter sets
// changed. A camera that alternates them is recorded with gaps of cause codec.
const paramsEvery = 2 * time.Second

// resume reads where the source's last segment ended.
func (r *Recorder) resume(ctx context.Context, s *Stream) {
	clock, seq, ok := r.coverage.last()
	if ok {
		r.clock, r.seq = clock, seq
		return
	}
	last, err := r.Store.LastSegment(ctx, s.Source())
	if err != nil && ward.KindOf(err) != ward.NotFound {
		r.Log.WarnContext(ctx, "number of the last segment not read", "source", s.Source().String(), "error", err)
	}
	r.seq, r.last = last.Seq, last.End
}

// watch tells once when the wall clock was set; cut follows it.
func (r *Recorder) watch(s *Stream, u Unit) {
	if r.clock.at.IsZero() {
		r.clock = steadyFrom(u.Arrived, r.last)
		if off := u.Arrived.Round(0).Sub(r.last); off <= -clockJump && !r.coverage.toldOfClock() {
			r.event(s, u, ward.RecordingEvent{Kind: ward.ClockJump, Off: off, Detail: "the server's clock is before the end of the last recording"})
		}
	}
	jump := r.clock.jumped(u.Arrived)
	if jump && !r.jump {
		r.event(s, u, ward.RecordingEvent{Kind: ward.ClockJump, Off: r.clock.off(u.Arrived), Detail: "the server's clock was set"})
	}
	r.jump = jump
}

// cut begins a segment with the key frame u: the first one, the next one
// when the wanted length is reached, or one after the parameter sets changed
// or the wall clock was set.
func (r *Recorder) cut(s *Stream, video Track, u Unit) {
	changed := video.adopt(u.AU)
	if changed {
		r.tracks = replaced(r.tracks, video)
	}
	soon := !r.newest.IsZero() && u.Arrived.Sub(r.newest) < paramsEvery
	if r.file == nil {
		if soon && r.unstable {
			return
		}
		if r.unstable {
			r.unstable, r.newest = false, u.Arrived
		}
		r.clock = r.clock.anew(u.Arrived)
		r.begin(s, u)
		return
	}
	if !changed && !r.jump && u.Arrived.Sub(r.file.begun) < r.length() && r.file.file.Size < cutBytes {
		return
	}
	if changed {
		r.event(s, u, ward.RecordingEvent{Kind: ward.ParamsChanged, Detail: string(video.Codec)})
	}
	ended := r.clock.moment(u.Arrived)
	r.finish(s, u.Arrived, u.DTS)
	if changed && soon {
		r.unstable = true
		r.coverage.missingFrom(ward.CauseCodec, ended)
		return
	}
	if changed {
		r.newest = u.Arrived
	}
	if r.jump {
		r.clock = r.clock.anew(u.Arrived)
		if now := r.clock.date(u.Arrived); now.After(ended.wall) {
			r.coverage.damaged(ward.CauseClock, ended.wall, now)
		}
	}
	r.begin(s, u)
}

func (r *Recorder) length() time.Duration {
	if r.SegmentSeconds <= 0 {
		return DefaultSegmentSeconds * time.Second
	}
	return time.Duration(r.SegmentSeconds) * time.Second
}

// endless says whether the segment must end before u though u is no key
// frame. What follows cannot be recorded until one comes, since a segment
// that begins otherwise could not be shown: a gap with cause codec.
func (r *Recorder) endless(u Unit) bool {
	return r.file != nil && (u.Arrived.Sub(r.file.begun) >= maxLengths*r.length() || r.file.file.Size >= maxBytes)
}

func replaced(tracks []Track, t Track) []Track {
	all := make([]Track, 0, len(tracks))
	for _, old := range tracks {
		if old.ID == t.ID {
			old = t
		}
		all = append(all, old)
	}
	return all
}
