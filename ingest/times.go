package ingest

import (
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"

	"wardwatch/ward"
)

// A step of the source's media clock between two units counts as a jump (the
// camera set its clock, or restarted its encoder) when it leads the time that
// passed on the server by more than maxAhead, or goes back by more than
// maxBack: reordered pictures go back by less, and a late burst does neither.
const (
	maxAhead = 5 * time.Second
	maxBack  = time.Second
)

// times keeps a track's time stamps rising: it finds decode times where
// pictures are reordered, bridges jumps of the source's clock with the time
// that passed on the server, and does without time stamps that are absurd.
type times struct {
	extract func(au [][]byte, pts int64) (int64, error)
	reset   func()

	begun   bool
	prev    uint32 // RTP time of the last unit
	pts     int64  // of the last unit
	dts     int64
	arrived time.Time
	pace    pace
}

func newTimes(t Track) *times {
	x := &times{reset: func() {}, extract: func(_ [][]byte, pts int64) (int64, error) { return pts, nil }}
	switch t.Codec {
	case ward.H264:
		x.reset = func() {
			d := &h264.DTSExtractor{}
			d.Initialize()
			x.extract = d.Extract
		}
	case ward.H265:
		x.reset = func() {
			d := &h265.DTSExtractor{}
			d.Initialize()
			x.extract = d.Extract
		}
	case ward.MJPEG, ward.VP8, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
	}
	x.reset()
	return x
}

// anew says that the next unit is another sender's: its time stamps have
// nothing to do with those before.
func (x *times) anew() {
	x.pace = pace{}
	x.begun = false
}

// of returns the PTS and DTS of the unit with RTP time ts. DTS never falls.
func (x *times) of(s *session, t Track, u Unit, ts uint32) (pts, dts int64) {
	switch {
	case !x.begun && x.arrived.IsZero():
		pts = t.ticks(u.Arrived.Sub(s.origin(u.Arrived)))
	case !x.begun:
		pts = x.pts + max(t.ticks(u.Arrived.Sub(x.arrived)), 1)
		x.reset()
	default:
		pts = x.next(s, t, u, ts)
	}
	dts = pts
	if !x.pace.absurd {
		dts = x.decode(t, u, pts)
	}
	if !x.arrived.IsZero() && dts < x.dts {
		dts = x.dts // damaged reordering: the picture is kept
	}
	x.begun, x.prev, x.pts, x.dts, x.arrived = true, ts, pts, dts, u.Arrived
	return pts, dts
}

// next is the PTS of a unit after another of the same sender.
func (x *times) next(s *session, t Track, u Unit, ts uint32) int64 {
	step, passed := int64(int32(ts-x.prev)), u.Arrived.Sub(x.arrived) //nolint:gosec // RTP time wraps
	off := t.span(step) - passed
	jump := off > maxAhead || t.span(step) < -maxBack
	if !jump && s.told.replay == nil { // a device may play faster than it recorded
		was := x.pace.absurd
		x.pace.add(t.span(step), passed, u.Arrived)
		if x.pace.absurd != was && t.Video() {
			s.tell(ward.ClockJump, 0, x.pace.String())
			x.reset()
		}
	}
	switch {
	case x.pace.absurd:
		return x.pts + max(t.ticks(x.pace.step(u.Arrived)), 1)
	case jump:
		if t.Video() {
			s.tell(ward.ClockJump, off, "the media's time stamps jumped")
		}
		x.reset()
		return x.pts + max(t.ticks(passed), 1)
	}
	return x.pts + step
}

// decode finds the DTS, where pictures are reordered.
func (x *times) decode(t Track, u Unit, pts int64) int64 {
	au := u.AU
	if u.Key && len(t.SPS) > 0 {
		// The extractor needs the parameter sets, which some cameras tell in
		// the SDP only. It keeps them: the track's are copies, the unit's
		// would keep all of the unit.
		au = append([][]byte{t.SPS}, au...)
		if len(t.PPS) > 0 {
			au = append([][]byte{t.PPS}, au...)
		}
	}
	dts, err := x.extract(au, pts)
	if err != nil {
		if u.Key {
			x.reset()
		}
		return pts
	}
	return dts
}

const (
	// paceWindow is over how long media time is compared with the server's.
	paceWindow = 2 * time.Second
	// Media time may run at minPace to maxPace times the server's; a burst
	// after a pause of the network makes one window fast, and one slow.
	minPace, maxPace = 0.7, 1.4
	// maxOdd is how many windows in a row may be too slow, or too fast.
	maxOdd = 3
	// maxStill is how many units in a row may bring no later time stamp:
	// reordered pictures are at most 4 in a row that do not.
	maxStill = 8
)

// pace compares a sender's time stamps with the server's clock, and says
// when they are absurd: constant, falling, or of a wrong rate. Then units
// are dated by their arrival, evenly, until the time stamps are sane again.
type pace struct {
	absurd bool
	still  int // units in a row that brought no later time stamp
	odd    int // windows in a row that were too slow (negative) or too fast
	sane   int // windows in a row that were right
	ratio  float64

	media, passed, gap time.Duration // of the window: sums, and the longest time without a unit

	began  time.Time     // of absurdity
	given  time.Duration // media time since
	period time.Duration // between units, smoothed
	last   time.Time
}

func (p *pace) String() string {
	if !p.absurd {
		return "the media's time stamps are sane again"
	}
	return fmt.Sprintf("the media's time stamps run at %.2f times real time: arrival is used", p.ratio)
}

func (p *pace) add(step, passed time.Duration, at time.Time) {
	if step > 0 {
		p.still = 0
	} else {
		p.still++
	}
	p.media, p.passed, p.gap = p.media+step, p.passed+passed, max(p.gap, passed)
	if !p.absurd && p.still >= maxStill && p.passed > 0 {
		p.ratio = max(p.media.Seconds(), 0) / p.passed.Seconds()
		p.turn(true, at)
	}
	if p.passed < paceWindow {
		return
	}
	p.ratio = p.media.Seconds() / p.passed.Seconds()
	steady := p.gap < paceWindow/4
	p.media, p.passed, p.gap = 0, 0, 0
	switch {
	case p.ratio < minPace/2 && steady: // no pause of the network looks like that
		p.odd, p.sane = -maxOdd, 0
	case p.ratio < minPace:
		p.odd, p.sane = min(p.odd, 0)-1, 0
	case p.ratio > maxPace:
		p.odd, p.sane = max(p.odd, 0)+1, 0
	default:
		p.odd, p.sane = 0, p.sane+1
	}
	switch {
	case !p.absurd && (p.odd >= maxOdd || p.odd <= -maxOdd):
		p.turn(true, at)
	case p.absurd && p.sane >= maxOdd && p.still < maxStill:
		p.turn(false, at)
	}
}

func (p *pace) turn(absurd bool, at time.Time) {
	p.absurd, p.odd, p.sane = absurd, 0, 0
	p.began, p.given, p.period, p.last = time.Time{}, 0, 0, at
}

// step is how much later than the last unit the one that arrived at at is:
// about the usual time between units, corrected so that media time follows
// arrival.
func (p *pace) step(at time.Time) time.Duration {
	passed := at.Sub(p.last)
	p.last = at
	if p.began.IsZero() {
		p.began, p.period = at, max(passed, time.Millisecond)
		return p.period
	}
	p.period += (min(passed, time.Second) - p.period) / 16
	behind := at.Sub(p.began) - p.given
	step := behind
	if behind.Abs() <= time.Second { // else a pause: no smoothing over it
		step = max(p.period+(behind-p.period)/8, 0)
	}
	p.given += step
	return step
}
