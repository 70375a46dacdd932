package analytics

import (
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

// stayBridge is for how long somebody whose face is known may be out of view
// and still has not left; others for peopleHold.
const stayBridge = time.Minute

// stay is one person at the counter or in the queue: a body that stays where
// it is, or comes back with the same face.
type stay struct {
	from, to time.Time
	before   time.Time // when it was seen before to
	box      ward.Box
	score    float32
	zone     ward.ZoneKind
	modelID  string
	shots    []shot
	template ward.Template // fused; nil: no comparable face yet
	open     *open         // its sighting, since it is loitering
}

// stays are the people of one camera who might be loitering.
type stays struct{ all []*stay }

// step takes the people of a picture that was looked at thoroughly.
func (l *stays) step(seen ward.Seen, zones []ward.Zone, at time.Time) {
	type body struct {
		box   ward.Box
		score float32
	}
	var bodies []body
	for _, p := range seen.People {
		if p.Score >= personMin {
			bodies = append(bodies, body{p.Box, p.Score})
		}
	}
	for _, f := range seen.Faces { // a body need not be in the picture
		if f.Score >= ward.ScoreMin && bodyOf(f.Box, seen.People) < 0 {
			bodies = append(bodies, body{f.Box, f.Score})
		}
	}
	taken := map[*stay]bool{}
	for _, b := range bodies {
		kind, waits := waitsIn(zones, b.box)
		if !waits {
			continue
		}
		s := l.at(b.box, at, taken)
		if s == nil {
			s = &stay{from: at, to: at}
			l.all = append(l.all, s)
		}
		taken[s] = true
		s.before, s.to, s.box, s.score, s.zone = s.to, at, b.box, max(s.score, b.score), nearerCounter(kind, s.zone)
	}
	l.faces(seen, seen.People, at)
}

// waitsIn says whether somebody in the zone of a box is a customer or waits,
// and which zone it is.
func waitsIn(zones []ward.Zone, b ward.Box) (ward.ZoneKind, bool) {
	kind := kindAt(zones, b)
	if !ward.HasZone(zones, ward.CustomerZone) {
		return kind, kind != ward.StaffZone
	}
	return kind, kind == ward.CustomerZone || kind == ward.QueueZone
}

// at finds who was last seen where the box is, and is not taken.
func (l *stays) at(b ward.Box, at time.Time, taken map[*stay]bool) (found *stay) {
	best := float32(sameSpot)
	for _, s := range l.all {
		if spot := overlap(s.box, b); !taken[s] && spot >= best && at.Sub(s.to) <= peopleHold {
			found, best = s, spot
		}
	}
	return found
}

// faces tells by their faces who those are that were last seen at the bodies.
func (l *stays) faces(seen ward.Seen, bodies []ward.Person, at time.Time) {
	for _, f := range seen.Faces {
		if len(f.Template) == 0 {
			continue
		}
		box := f.Box
		if i := bodyOf(f.Box, bodies); i >= 0 {
			box = bodies[i].Box
		}
		i := slices.IndexFunc(l.all, func(s *stay) bool { return s.box == box && at.Sub(s.to) <= peopleHold })
		if i >= 0 {
			l.identify(l.all[i], f, seen.ModelID)
		}
	}
}

// identify tells that s, where it was last seen, has the face: it may be
// somebody who had gone, or no longer the one who stood there.
func (l *stays) identify(s *stay, f ward.Face, modelID string) {
	if len(s.template) > 0 && s.template.Cosine(f.Template) >= similarAtSpot {
		s.add(f, modelID)
		return
	}
	var known *stay
	best := float32(similarAnywhere)
	for _, o := range l.all {
		if cos := o.template.Cosine(f.Template); o != s && o.to.Before(s.to) && cos >= best {
			known, best = o, cos
		}
	}
	stranger := len(s.template) > 0
	switch {
	case known == nil && !stranger:
		s.add(f, modelID)
		return
	case known == nil:
		known = &stay{from: s.to, zone: s.zone}
		l.all = append(l.all, known)
	}
	known.before, known.to, known.box, known.score, known.zone = known.to, s.to, s.box, max(known.score, s.score), nearerCounter(s.zone, known.zone)
	if known.add(f, modelID); stranger {
		s.to, s.box = s.before, ward.Box{}
		return
	}
	l.all = slices.DeleteFunc(l.all, func(o *stay) bool { return o == s && s.open == nil })
}

func (s *stay) add(f ward.Face, modelID string) {
	s.modelID = modelID
	s.shots = append(s.shots, shot{quality(f), f.Template})
	slices.SortStableFunc(s.shots, better)
	s.shots = s.shots[:min(len(s.shots), bestShots)]
	s.template = fused(s.shots)
}

// since is from when on the stay has been without a settlement: its beginning,
// or the last settlement that was, or may have been, this person's.
func (s *stay) since(settled []Use) time.Time {
	from := s.from
	for _, u := range settled {
		other := u.Person.ModelID == s.modelID && len(s.template) > 0 && len(u.Person.Template) > 0 &&
			ward.DefaultFaceThresholds.Judge(s.template.Cosine(u.Person.Template)) == ward.MatchNo
		if !other && u.At.After(from) && !u.At.After(s.to) {
			from = u.At
		}
	}
	return from
}

// loitering is what follows from the picture of the moment at: who is there
// for longer than limit without a settlement begins to loiter, and who has
// left or settled no longer does. No limit: nobody does.
func (l *stays) loitering(cs []Change, d *Debouncer, at time.Time) []Change {
	l.all = slices.DeleteFunc(l.all, func(s *stay) bool {
		hold := peopleHold
		if len(s.template) > 0 {
			hold = stayBridge
		}
		gone := at.Sub(s.to) > hold
		if gone {
			cs = s.close(cs)
		}
		return gone
	})
	for _, s := range l.all {
		since := s.since(d.Settled)
		if d.Loiter <= 0 || s.to.Sub(since) < d.Loiter {
			cs = s.close(cs)
			continue
		}
		if s.to.Equal(at) {
			cs = s.extend(cs, d, since, at)
		}
	}
	return cs
}

// extend goes on with the sighting of somebody who loiters since a moment.
func (s *stay) extend(cs []Change, d *Debouncer, since, at time.Time) []Change {
	phase := Extended
	switch {
	case s.open == nil:
	case s.open.full(at):
		since = s.open.To // cut for its length only
		cs = s.close(cs)
	}
	if s.open == nil {
		if at.Sub(since) > storage.MaxSighting {
			since = at.Add(-storage.MaxSighting)
		}
		o := d.begin(ward.LoitererSeen, since)
		s.open, phase = &o, Opened
	}
	o := s.open
	o.To, o.Count, o.Box, o.Score, o.Zone, o.Template, o.ModelID = at, 1, s.box, s.score, s.zone, s.template, s.modelID
	return append(cs, Change{Phase: phase, Sighting: o.Sighting})
}

func (s *stay) close(cs []Change) []Change {
	if s.open != nil {
		cs = append(cs, Change{Phase: Closed, Sighting: s.open.Sighting})
		s.open = nil
	}
	return cs
}

// longest is since when somebody is there who is there for at least limit;
// zero: nobody.
func (l *stays) longest(limit time.Duration) time.Time {
	var from time.Time
	for _, s := range l.all {
		if s.to.Sub(s.from) >= limit && (from.IsZero() || s.from.Before(from)) {
			from = s.from
		}
	}
	return from
}
