package rounds

import (
	"time"

	"github.com/pion/rtp"

	"wardwatch/ward"
)

// PlayOn runs the live check, in virtual time, on a bedside that plays on
// whatever is asked; face gives the pose at a moment, if one is seen.
func PlayOn(face func(time.Duration) (ward.Face, bool)) ward.Outcome {
	const step = 150 * time.Millisecond
	now := time.Duration(0)
	next := func() look {
		now += step
		l := look{at: time.Unix(0, 0).Add(now)}
		if f, ok := face(now); ok {
			f.Score, f.EyePx, f.Sharp, f.Bright = .9, 50, 100, 120
			l.seen.Faces = []ward.Face{f}
		}
		return l
	}
	var b baseline
	base, found := pose{}, false
	for now < baselineWait && !found {
		base, found = b.see(next())
	}
	if !found {
		return ward.Fail
	}
	draws := newLots(nil)
	row := newSeries(draws)
	for {
		t, ok := row.next()
		if !ok {
			return row.live()
		}
		since, settled := time.Duration(0), false
		for end := now + settleWait; now < end && !settled; {
			f, ok := next().face()
			switch {
			case !ok || !neutral(f, base):
				since = 0
			case since == 0:
				since = now
			default:
				settled = now-since >= settleHeld
			}
		}
		r := tooLate
		if settled {
			now += draws.pause()
			a := attempt{asked: t, baseline: base, receipt: time.Unix(0, 0).Add(now)}
			for r = waiting; r == waiting; {
				r = a.see(next())
			}
		}
		row.count(r)
	}
}

// Pictures makes pictures of packets as a session does.
type Pictures struct{ p *pictures }

func NewPictures(c ward.Codec) Pictures { return Pictures{newPictures(c)} }

// Push returns the NAL units of the pictures that p completes, and whether
// something before one of them was lost.
func (p Pictures) Push(packet *rtp.Packet) (all [][][]byte, lost bool) {
	p.p.push(packet)
	for pic, ok := p.p.next(); ok; pic, ok = p.p.next() {
		all, lost = append(all, pic.au), lost || pic.lost
	}
	return all, lost
}

// NALUnits is what takes H.264 packets apart.
func NALUnits() rtp.Depacketizer { return &nalus{} }
