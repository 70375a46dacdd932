package ingest

import (
	"time"

	"wardwatch/ward"
)

// lateSound is how long after a cut sound from before it is waited for.
const lateSound = 500 * time.Millisecond

// overlap is a file whose last picture is on the disk; it ended before the
// key frame that arrived at next.
type overlap struct {
	*segmentFile
	next time.Time // arrival of that key frame
	ends time.Time // the same, on the clock of the recordings
	dts  int64     // of that key frame
}

// finish ends the file before the key frame that arrived at next. Sound that
// belongs before it may come after it, so the file stays open for a while.
func (r *Recorder) finish(s *Stream, next time.Time, dts int64) {
	r.close(s)
	r.tellDamage()
	f := r.file
	r.file = nil
	end, err := f.end(next, dts)
	if err != nil {
		r.Log.Error("recording not written", "source", s.Source().String(), "error", err)
		r.commit(s, f, end)
		r.coverage.missingFrom(ward.CauseDisk, f.clock.dated(end))
		return
	}
	r.sync(f) // the clerk may wait for a database before it finishes the file
	r.over = &overlap{f, next, end, dts}
	if len(f.tracks) == 1 {
		r.close(s)
	}
}

// late gives sound from before the last cut to the file before it, and says
// whether it did; it closes that file when no more is to come.
func (r *Recorder) late(s *Stream, u Unit) bool {
	o := r.over
	if o == nil {
		return false
	}
	if u.Track == o.video.ID {
		if u.Arrived.Sub(o.next) > lateSound {
			r.close(s)
		}
		return false
	}
	for _, t := range o.tracks {
		if t.ID == u.Track && u.DTS < o.dts*int64(t.ClockRate)/int64(o.video.ClockRate) {
			o.add(u)
			return true
		}
	}
	r.close(s)
	return false
}

// close finishes the file before the last cut, if it is open.
func (r *Recorder) close(s *Stream) {
	o := r.over
	if o == nil {
		return
	}
	r.over = nil
	o.settleSound()
	if err := o.flush(); err != nil {
		r.Log.Warn("last sound of a recording not written", "source", s.Source().String(), "error", err)
	}
	r.commit(s, o.segmentFile, o.ends)
}
