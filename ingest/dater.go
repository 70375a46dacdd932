package ingest

import "time"

// dater gives what a device replays its dates, by the device's clock, as
// Arrived. Until the device tells one it holds the media back. One goroutine
// uses it.
type dater struct {
	replay *replay

	held  []Unit // not dated yet
	video Track
	begun bool
	at    time.Time // of the last picture
	dts   int64     // likewise
	holes map[uint64]bool
}

// add takes a unit, and returns what is dated now. An error is for good.
func (d *dater) add(s *Stream, u Unit) ([]Unit, error) {
	video, _ := videoOf(s.Tracks())
	if u.Track != video.ID {
		u.Arrived = d.at
		switch {
		case d.begun:
			return []Unit{u}, nil
		case len(d.held) > 0: // sound from before the first picture is left out
			d.held = append(d.held, u)
		}
		return nil, nil
	}
	d.video = video
	at, told := d.replay.told(video, u)
	if !d.begun {
		return d.begin(u, at, told)
	}
	if !told {
		if !d.replay.steady() {
			return nil, errUndated
		}
		at = d.at.Add(video.span(u.DTS - d.dts))
	}
	d.holes = map[uint64]bool{u.number: (at.Sub(d.at) - video.span(u.DTS-d.dts)).Abs() > maxClockStep}
	d.at, d.dts, u.Arrived = at, u.DTS, at
	return []Unit{u}, nil
}

// begin holds u back, or dates it and everything that is held.
func (d *dater) begin(u Unit, at time.Time, told bool) ([]Unit, error) {
	if len(d.held) == 0 {
		d.dts = u.DTS
	}
	d.held = append(d.held, u)
	length := d.video.span(u.DTS - d.dts)
	switch {
	case told:
		return d.release(at.Add(-length)), nil
	case length < undated:
		return nil, nil
	}
	if all := d.rest(); all != nil {
		return all, nil
	}
	return nil, errUndated
}

// rest dates what is held by where the device says that it begins; nil if it
// does not.
func (d *dater) rest() []Unit {
	from, ok := d.replay.begins()
	if !ok || len(d.held) == 0 {
		return nil
	}
	return d.release(from)
}

// release dates what is held; the first picture is of at.
func (d *dater) release(at time.Time) []Unit {
	all := d.held
	d.held, d.begun, d.at = nil, true, at
	for i := range all {
		if all[i].Track == d.video.ID {
			d.at = d.at.Add(d.video.span(all[i].DTS - d.dts))
			d.dts = all[i].DTS
		}
		all[i].Arrived = d.at
	}
	return all
}
