package analytics

import (
	"slices"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	watchedHole = 5 * time.Second         // a longer stretch without an analysed picture ends Watched
	peopleHold  = 2500 * time.Millisecond // people unseen for longer have left
	closeUpLate = time.Second             // how much older than the newest picture a close-up may be
	faceHold    = 5 * time.Second         // a face that turned away for longer is a new sighting
	queueCut    = time.Minute             // a queue is told minute by minute: the most who waited
	personMin   = .35                     // COCO-SSD misses people from behind at .5 (measured)
)

// Phase is what happened to a sighting in one step.
type Phase string

// The phases. A closed sighting changes no more.
const (
	Opened   Phase = "opened"
	Extended Phase = "extended"
	Closed   Phase = "closed"
)

// Change is one sighting that one picture opened, extended or closed.
type Change struct {
	Phase    Phase
	Sighting ward.Sighting
	Shot     []byte // when a comparable face is closed: the JPEG of its best shot
}

// Debouncer turns what was seen picture by picture into sightings. It holds
// no clock and does no I/O; the same pictures give the same sightings. One
// goroutine uses it.
type Debouncer struct {
	// Camera says where the sightings are.
	Camera ward.Camera
	// NewID names a sighting that begins at the given moment.
	NewID func(at time.Time) ward.SightingID
	// Zones are what is drawn in the camera's picture; they may change
	// between two pictures.
	Zones []ward.Zone
	// Loiter is for how long somebody may stay without a settlement; 0: for any
	// time. Settled are the settlements at the place since the first who is
	// there came, or some of them. Both may change between two pictures.
	Loiter  time.Duration
	Settled []Use

	last                          time.Time     // of the newest picture
	closeUp                       time.Time     // of the newest one of CloseUp
	bodies                        []ward.Person // of the last that was looked at for people
	watched, people, staff, queue *open
	faces                         []*track
	stays                         stays
}

// open is a sighting that may still grow.
type open struct{ ward.Sighting }

// Step takes one analysed picture and its moment. A picture that is not
// newer than the one before changes nothing, unless the clock was set back.
func (d *Debouncer) Step(seen ward.Seen, at time.Time) []Change {
	cs, before, ok := d.begins(at)
	if !ok {
		return nil
	}
	d.bodies = seen.People
	d.stays.step(seen, d.Zones, at)
	return d.stays.loitering(d.stepSeen(d.stepWatched(cs, at), seen, at, before), d, at)
}

// Glance takes a picture in which only faces were looked for. It tells who is
// there, but not that nobody is: it is no part of Watched.
func (d *Debouncer) Glance(seen ward.Seen, at time.Time) []Change {
	cs, before, ok := d.begins(at)
	if !ok {
		return nil
	}
	d.stays.faces(seen, d.bodies, at)
	return d.stepSeen(cs, seen, at, before)
}

// CloseUp takes a picture of another stream of the camera in which only faces
// were looked for: a glance that may come a little late. It then counts at the
// moment of the newest picture.
func (d *Debouncer) CloseUp(seen ward.Seen, at time.Time) []Change {
	if late := d.last.Sub(at); late >= 0 && late <= closeUpLate {
		at = d.last.Add(time.Microsecond)
	}
	cs, before, ok := d.begins(at)
	if !ok {
		return nil
	}
	// Who was in the last close-up may be missing in the pictures since.
	if !d.closeUp.IsZero() && at.Sub(d.closeUp) <= faceHold {
		before = earliest(before, d.closeUp)
	}
	d.closeUp = at
	d.stays.faces(seen, d.bodies, at)
	return d.stepSeen(cs, seen, at, before)
}

// begins takes the moment of a picture; before is that of the one before.
func (d *Debouncer) begins(at time.Time) (cs []Change, before time.Time, ok bool) {
	if !d.last.IsZero() && !at.After(d.last) {
		if d.last.Sub(at) <= watchedHole {
			return nil, before, false
		}
		cs = d.Close()
	}
	before, d.last = d.last, at
	return cs, before, true
}

func (d *Debouncer) stepSeen(cs []Change, seen ward.Seen, at, before time.Time) []Change {
	crowd := crowdIn(seen, d.bodies, d.Zones)
	cs = d.stepPeople(cs, &d.people, ward.PeopleSeen, crowd.people, at)
	cs = d.stepPeople(cs, &d.staff, ward.StaffSeen, crowd.staff, at)
	cs = d.stepPeople(cs, &d.queue, ward.QueueSeen, crowd.queue, at)
	return d.stepFaces(cs, seen, crowd.faces, at, before)
}

// Busy says whether a customer was in one of the last pictures.
func (d *Debouncer) Busy() bool { return d.people != nil && d.last.Sub(d.people.To) <= peopleHold }

// longest is since when somebody is there who loiters, or will soon; zero: nobody.
func (d *Debouncer) longest() time.Time {
	if d.Loiter <= 0 {
		return time.Time{}
	}
	return d.stays.longest(d.Loiter - billsAhead)
}

// young says whether a face of the last picture is still to be compared more often.
func (d *Debouncer) young() bool {
	return slices.ContainsFunc(d.faces, func(t *track) bool { return t.To.Equal(d.last) && len(t.shots) < bestShots })
}

// Close ends every open sighting at its last picture: the stream is over.
func (d *Debouncer) Close() []Change {
	var cs []Change
	for _, o := range []*open{d.watched, d.people, d.staff, d.queue} {
		if o != nil {
			cs = append(cs, Change{Phase: Closed, Sighting: o.Sighting})
		}
	}
	for _, t := range d.faces {
		cs = append(cs, t.closed())
	}
	for _, s := range d.stays.all {
		cs = s.close(cs)
	}
	d.watched, d.people, d.staff, d.queue, d.faces, d.stays = nil, nil, nil, nil, nil, stays{}
	return cs
}

func (d *Debouncer) begin(kind ward.SightingKind, at time.Time) open {
	return open{ward.Sighting{
		ID: d.NewID(at), CameraID: d.Camera.ID, PlaceID: d.Camera.PlaceID, InstitutionID: d.Camera.InstitutionID,
		Kind: kind, From: at, To: at,
	}}
}

// full says whether the sighting would be too long to store at at.
func (o *open) full(at time.Time) bool { return at.Sub(o.From) > storage.MaxSighting }

func (d *Debouncer) stepWatched(cs []Change, at time.Time) []Change {
	phase, from := Extended, at
	if o := d.watched; o != nil {
		hole := at.Sub(o.To) > watchedHole
		if hole || o.full(at) {
			cs = append(cs, Change{Phase: Closed, Sighting: o.Sighting})
			d.watched = nil
			if !hole {
				from = o.To // cut for its length only: no hole between the two
			}
		}
	}
	if d.watched == nil {
		o := d.begin(ward.Watched, from)
		phase, d.watched = Opened, &o
	}
	d.watched.To = at
	d.watched.Count++
	return append(cs, Change{Phase: phase, Sighting: d.watched.Sighting})
}

// stepPeople goes on with the people of one kind; now is who of them is in the picture.
func (d *Debouncer) stepPeople(cs []Change, group **open, kind ward.SightingKind, now presence, at time.Time) []Change {
	if o := *group; o != nil && (at.Sub(o.To) > peopleHold || o.full(at) || kind == ward.QueueSeen && at.Sub(o.From) >= queueCut) {
		cs = append(cs, Change{Phase: Closed, Sighting: o.Sighting})
		*group = nil
	}
	if now.count == 0 {
		return cs
	}
	phase := Extended
	if *group == nil {
		o := d.begin(kind, at)
		phase, *group = Opened, &o
	}
	o := *group
	o.To, o.Count = at, max(o.Count, now.count)
	if now.score > o.Score {
		o.Score, o.Box = now.score, now.box
	}
	return append(cs, Change{Phase: phase, Sighting: o.Sighting})
}

// stepFaces goes on with the tracks; zones are those of the faces, in their order.
func (d *Debouncer) stepFaces(cs []Change, seen ward.Seen, zones []ward.ZoneKind, at, before time.Time) []Change {
	d.faces = slices.DeleteFunc(d.faces, func(t *track) bool {
		gone := at.Sub(t.To) > faceHold || t.full(at)
		if gone {
			cs = append(cs, t.closed())
		}
		return gone
	})
	for i, p := range associate(d.faces, seen.Faces, before) {
		phase, t := Extended, p.track
		if t == nil {
			phase, t = Opened, &track{open: d.begin(ward.FaceSeen, at)}
			t.Zone = zones[i]
			d.faces = append(d.faces, t)
		}
		t.Zone = nearerCounter(t.Zone, zones[i])
		t.add(p.face, seen, at)
		cs = append(cs, Change{Phase: phase, Sighting: t.Sighting})
	}
	return cs
}
