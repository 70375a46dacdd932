package analytics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"wardwatch/storage"
	"wardwatch/ward"
)

const (
	// insideZone is the share of a person's or face's box that must lie in a
	// zone. It is small, so that somebody at the edge is rather counted: what
	// rests on nobody being there must not rest on how a line was drawn.
	insideZone = .25
	zonesEvery = 5 * time.Second // what was drawn counts at the latest after so long
)

// kindAt says which zone a box lies in: the one that holds the largest share,
// NoZone when none holds enough. Who is with the customers is no part of the
// queue, however much of it stands behind: what the camera sees there may be
// the nearest customer's head. The staff stay staff, whom nobody accuses.
func kindAt(zones []ward.Zone, b ward.Box) ward.ZoneKind {
	share := map[ward.ZoneKind]float64{}
	for _, z := range zones {
		if v := z.Share(b); v >= insideZone {
			share[z.Kind] = max(share[z.Kind], v)
		}
	}
	customer, staff, queue := share[ward.CustomerZone], share[ward.StaffZone], share[ward.QueueZone]
	switch {
	case customer > 0 && customer >= staff:
		return ward.CustomerZone
	case customer > 0 || staff > queue:
		return ward.StaffZone
	case queue > 0:
		return ward.QueueZone
	}
	return ward.NoZone
}

// presence is the people of one kind in one picture, and the best of them.
type presence struct {
	count int
	score float32
	box   ward.Box
}

func (p *presence) take(score float32, box ward.Box) {
	p.count++
	if score > p.score {
		p.score, p.box = score, box
	}
}

// crowd is who is in one picture, and in which zone each face is.
type crowd struct {
	people, staff, queue presence
	faces                []ward.ZoneKind
}

// crowdIn sorts the people of one picture into the camera's zones: the
// persons found, or the faces when those are more (a face at the edge has no
// body in the picture). Customers are those in the customers' zone, or, where
// none is drawn, everybody but the staff. bodies are where faces belong to: the
// people of this picture, or of the last one in which they were looked for.
func crowdIn(seen ward.Seen, bodies []ward.Person, zones []ward.Zone) crowd {
	var persons, heads crowd
	for _, p := range seen.People {
		if p.Score >= personMin {
			persons.take(kindAt(zones, p.Box), zones, p.Score, p.Box)
		}
	}
	out := crowd{faces: make([]ward.ZoneKind, len(seen.Faces))}
	for i, f := range seen.Faces {
		kind := kindAt(zones, f.Box)
		if k := bodyOf(f.Box, bodies); k >= 0 {
			kind = kindAt(zones, bodies[k].Box)
		}
		if f.Score >= ward.ScoreMin {
			heads.take(kind, zones, f.Score, f.Box)
		}
		switch {
		case kind == ward.StaffZone:
			out.faces[i] = kind
		case !ward.HasZone(zones, ward.CustomerZone):
			out.faces[i] = ward.NoZone
		case kind == ward.NoZone:
			out.faces[i] = ward.Elsewhere
		default:
			out.faces[i] = kind
		}
	}
	out.people, out.staff, out.queue = more(persons.people, heads.people), more(persons.staff, heads.staff), more(persons.queue, heads.queue)
	return out
}

func (c *crowd) take(kind ward.ZoneKind, zones []ward.Zone, score float32, box ward.Box) {
	customers := ward.HasZone(zones, ward.CustomerZone)
	if kind == ward.CustomerZone || !customers && kind != ward.StaffZone {
		c.people.take(score, box)
	}
	switch kind {
	case ward.StaffZone:
		c.staff.take(score, box)
	case ward.QueueZone:
		c.queue.take(score, box)
	case ward.CustomerZone, ward.NoZone, ward.Elsewhere:
	}
}

// more joins the bodies and the faces of the same people.
func more(a, b presence) presence {
	n := max(a.count, b.count)
	if b.score > a.score {
		a = b
	}
	a.count = n
	return a
}

// bodyOf finds the smallest body that holds the middle of a face, -1 for none.
func bodyOf(face ward.Box, people []ward.Person) int {
	x, y, body := face.X+face.W/2, face.Y+face.H/2, -1
	for i, p := range people {
		b := p.Box
		if p.Score >= personMin && x >= b.X && x <= b.X+b.W && y >= b.Y && y <= b.Y+b.H &&
			(body < 0 || b.W*b.H < people[body].Box.W*people[body].Box.H) {
			body = i
		}
	}
	return body
}

// nearerCounter is the zone of a face that was in both: who was once at the
// counter counts as a customer, and only who was never anywhere else as staff.
func nearerCounter(a, b ward.ZoneKind) ward.ZoneKind {
	for _, k := range []ward.ZoneKind{ward.CustomerZone, ward.NoZone, ward.QueueZone, ward.Elsewhere} {
		if a == k || b == k {
			return k
		}
	}
	return ward.StaffZone
}

// zoneMap is what is drawn for every camera, read anew when somebody asks and
// it is old. While the catalogue is away it stays as it was: at first nothing
// is drawn, and everybody counts as a customer.
type zoneMap struct {
	mu      sync.Mutex // guards the rest
	reading bool
	read    time.Time
	by      map[ward.CameraID][]ward.Zone
}

// of returns what is drawn for a camera.
func (m *zoneMap) of(ctx context.Context, s *storage.Store, cam ward.CameraID, log *slog.Logger) []ward.Zone {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reading || time.Since(m.read) < zonesEvery {
		return m.by[cam]
	}
	m.reading = true
	m.mu.Unlock()
	all, err := s.AllZones(ctx)
	m.mu.Lock()
	m.reading, m.read = false, time.Now()
	if err != nil {
		if ctx.Err() == nil {
			log.WarnContext(ctx, "the cameras' zones are not read", "error", err)
		}
		return m.by[cam]
	}
	m.by = make(map[ward.CameraID][]ward.Zone, len(all))
	for _, z := range all {
		m.by[z.CameraID] = z.Zones
	}
	return m.by[cam]
}
