package analytics

import (
	"time"

	"wardwatch/ward"
)

const (
	// faultHold is for how long a fault must be seen, in at least two pictures:
	// with a key frame every four seconds it is found within ten.
	faultHold = 4 * time.Second
	// stillHold is for how long nothing may change before the picture is frozen.
	stillHold = 4 * time.Second
	// fineHold is for how long all must be well again.
	fineHold = 2 * time.Second
	// backAtMost is how far before it is sure a fault may have begun.
	backAtMost = 10 * time.Second
	// unseenHole is after how long without a picture what went on is not known.
	unseenHole = 15 * time.Second
	// clockTolerance is by how much the camera's clock may be off. RTCP tells it
	// to some 100 ms; people who compare the time in the picture notice a minute.
	clockTolerance = time.Minute
)

// Health judges by the measures of a camera's pictures, and what its clock
// says, whether it can see. It holds no clock and does no I/O; the same
// measures give the same answers. One goroutine uses it.
type Health struct {
	// Scene is what was learned of what the camera should see.
	Scene Scene

	picture, clock fault
	last           time.Time   // of the newest picture
	levels         ward.Grid   // of the newest picture
	changes        []change    // of the last stillHold
	lively         time.Time   // the last picture that was surely another than the one before
	learned        *comparison // of the newest picture with the scene
}

// change is by how much a picture differs from the one before it.
type change struct {
	at, since time.Time
	by        float32
}

// fault is one of the things that may be wrong, and its course.
type fault struct {
	cause  ward.BlindCause // found, and not over; or what is suspected
	found  bool
	from   time.Time // the first picture that showed it
	seen   time.Time // the last one
	shown  int       // pictures that showed it
	vague  int       // pictures that were unclear: since then, or before without a break
	unsure time.Time // since when they are; zero: they are not
	agreed time.Time // since when they show this cause
	fine   time.Time // since when no longer; zero: it is still there
}

// Trouble is what one picture made known of a fault.
type Trouble struct {
	Cause ward.BlindCause
	Over  bool // it ended; else it was just found
	// From is the moment of the first picture that showed it; To that of the
	// first that did not, or of the last that did when none came for long.
	From, To time.Time
}

// Resume goes on with a fault that was found before a restart, and last seen at seen.
func (h *Health) Resume(cause ward.BlindCause, from, seen time.Time) {
	f := &h.picture
	if cause == ward.WrongClock {
		f = &h.clock
	}
	*f = fault{cause: cause, found: true, from: from, seen: seen, agreed: from}
}

// Blind says whether the newest picture tells nothing: a fault was found, or
// this picture looks as if there were one.
func (h *Health) Blind() bool { return h.picture.cause != "" && h.picture.fine.IsZero() }

// Step takes the measures of one picture and its moment; offset is how far the
// camera's clock is ahead of the server's, nil when it does not tell. It
// returns the faults that were found or ended.
func (h *Health) Step(m ward.Measures, offset *time.Duration, at time.Time) []Trouble {
	if !m.Levels.Whole() || !m.Detail.Whole() || !h.last.IsZero() && !at.After(h.last) && h.last.Sub(at) <= unseenHole {
		return nil
	}
	if gone := at.Sub(h.last); gone < 0 || gone > unseenHole { // also a clock that was set back
		h.levels, h.changes = nil, nil
	}
	cause := h.suspect(m, at)
	var ts []Trouble
	from := at
	if cause == ward.Frozen {
		from = h.changes[0].since
		if !h.lively.IsZero() && from.Sub(h.lively) < backAtMost {
			from = h.lively
		}
	}
	ts = h.picture.step(ts, cause, from, at)
	var wrong ward.BlindCause
	if offset != nil && offset.Abs() > clockTolerance {
		wrong = ward.WrongClock
	}
	ts = h.clock.step(ts, wrong, at, at)
	if cause == "" && h.picture.cause == "" { // all is well
		h.Scene.learn(*h.learned, at.Sub(h.last))
		h.Scene.quiet(h.most(), m.Change, at.Sub(h.last))
	}
	h.last, h.levels = at, m.Levels
	return ts
}

// step goes on with a fault by what a picture shows; empty: it does not.
func (f *fault) step(ts []Trouble, cause ward.BlindCause, from, at time.Time) []Trouble {
	if !f.seen.IsZero() && (at.Before(f.seen) || at.Sub(f.seen) > unseenHole) && !f.found {
		*f = fault{}
	}
	if cause == "" {
		switch {
		case f.cause == "":
			*f = fault{}
		case !f.found:
			*f = fault{}
		case f.fine.IsZero():
			f.fine = at
		case at.Sub(f.fine) >= fineHold:
			to := f.fine
			if to.Sub(f.seen) > unseenHole {
				to = f.seen
			}
			ts = append(ts, Trouble{Cause: f.cause, Over: true, From: f.from, To: to})
			*f = fault{}
		}
		return ts
	}
	switch {
	case cause == unclear && f.cause == "":
		if f.vague++; f.unsure.IsZero() || at.Sub(f.unsure) > backAtMost {
			f.unsure = at
		}
		return ts
	case cause == unclear:
		f.vague++
	default:
		if f.cause == "" {
			if f.from = from; !f.unsure.IsZero() {
				f.from = f.unsure
			}
		}
		if f.shown++; f.cause != cause && !f.found {
			f.cause, f.agreed = cause, from
		}
	}
	if f.seen, f.fine = at, (time.Time{}); f.found {
		return ts
	}
	// Who turns a camera away or covers it takes a moment: the cause is what lasts.
	if lasts := at.Sub(f.from); f.shown >= f.vague && (lasts >= faultHold && at.Sub(f.agreed) >= faultHold/2 || lasts >= 2*faultHold) {
		f.found = true
		ts = append(ts, Trouble{Cause: f.cause, From: f.from})
	}
	return ts
}
