package ingest

import (
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
// pictures are reordered, and bridges jumps of the source's clock with the
// time that passed on the server.
type times struct {
	extract func(au [][]byte, pts int64) (int64, error)
	reset   func()
	shift   int64 // added to the source's PTS
	begun   bool
	pts     int64 // shifted, of the last unit
	dts     int64
	arrived time.Time
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
	case ward.VP8, ward.AAC, ward.Opus, ward.PCMU, ward.PCMA, ward.NoCodec:
	}
	x.reset()
	return x
}

// of returns the unit's PTS and DTS. DTS never falls.
func (x *times) of(t Track, u Unit) (pts, dts int64) {
	pts = u.PTS + x.shift
	if x.begun {
		passed := u.Arrived.Sub(x.arrived)
		if step := t.span(pts - x.pts); step-passed > maxAhead || step < -maxBack {
			want := x.pts + max(t.ticks(passed), 1)
			x.shift += want - pts
			pts = want
			x.reset()
		}
	}
	au := u.AU
	if u.Key && len(t.SPS) > 0 {
		// The extractor needs the parameter sets, which some cameras tell in
		// the SDP only.
		au = append([][]byte{t.SPS}, au...)
		if len(t.PPS) > 0 {
			au = append([][]byte{t.PPS}, au...)
		}
	}
	dts, err := x.extract(au, pts)
	if err != nil {
		dts = pts
		if u.Key {
			x.reset()
		}
	}
	if x.begun && dts < x.dts {
		dts = x.dts // damaged reordering: the picture is kept
	}
	x.begun, x.pts, x.dts, x.arrived = true, pts, dts, u.Arrived
	return pts, dts
}
