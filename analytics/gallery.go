package analytics

import (
	"sync"
	"time"

	"wardwatch/ward"
)

const (
	galleryKeep  = time.Minute // a settlement is judged at most 20 s after its moment
	galleryBytes = 256 << 20   // of JPEG in all; at 100 kB a picture, 43 cameras at one a second
)

// Picture is one analysed picture of a camera.
type Picture struct {
	Camera ward.CameraID
	At     time.Time
	JPEG   []byte
	Faces  []ward.Face
}

// Gallery keeps the pictures of the last minute in memory, so that an alert
// can show its moment. Past its bound the oldest picture of any camera goes
// first. The zero value is ready; it is safe for concurrent use.
type Gallery struct {
	mu    sync.Mutex                                   // guards the rest
	rings map[ward.PlaceID]map[ward.CameraID][]Picture // oldest first
	bytes int
}

// Put keeps one picture; one without a JPEG is ignored.
func (g *Gallery) Put(place ward.PlaceID, p Picture) {
	if len(p.JPEG) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rings == nil {
		g.rings = map[ward.PlaceID]map[ward.CameraID][]Picture{}
	}
	if g.rings[place] == nil {
		g.rings[place] = map[ward.CameraID][]Picture{}
	}
	g.rings[place][p.Camera] = append(g.rings[place][p.Camera], p)
	g.bytes += len(p.JPEG)
	for r := g.rings[place][p.Camera]; p.At.Sub(r[0].At) > galleryKeep; r = g.rings[place][p.Camera] {
		g.dropOldest(place, p.Camera)
	}
	for g.bytes > galleryBytes {
		g.dropOldest(g.oldest())
	}
}

// oldest finds the ring with the oldest picture; called locked.
func (g *Gallery) oldest() (place ward.PlaceID, camera ward.CameraID) {
	var at time.Time
	for pl, rings := range g.rings {
		for cam, r := range rings {
			if at.IsZero() || r[0].At.Before(at) {
				place, camera, at = pl, cam, r[0].At
			}
		}
	}
	return place, camera
}

// dropOldest forgets the first picture of a ring; called locked.
func (g *Gallery) dropOldest(place ward.PlaceID, camera ward.CameraID) {
	r := g.rings[place][camera]
	g.bytes -= len(r[0].JPEG)
	r[0] = Picture{} // the array outlives the slice's beginning
	if r = r[1:]; len(r) > 0 {
		g.rings[place][camera] = r
		return
	}
	delete(g.rings[place], camera)
	if len(g.rings[place]) == 0 {
		delete(g.rings, place)
	}
}

// Near returns the picture of a place for the moment at, taken at most within
// before or after it: with a face like, the best picture of that face if
// there is one, else the nearest in time.
func (g *Gallery) Near(place ward.PlaceID, at time.Time, within time.Duration, like ward.Template) (Picture, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var near, best Picture
	found, bestQuality := false, float32(0)
	for _, ring := range g.rings[place] {
		for _, p := range ring {
			away := p.At.Sub(at).Abs()
			if away > within {
				continue
			}
			if !found || away < near.At.Sub(at).Abs() {
				near, found = p, true
			}
			for _, f := range p.Faces {
				if q := quality(f); f.Template.Cosine(like) >= similarAtSpot && q > bestQuality {
					best, bestQuality = p, q
				}
			}
		}
	}
	if bestQuality > 0 {
		return best, true
	}
	return near, found
}

// Of returns the first picture of a camera at a place in [from, to].
func (g *Gallery) Of(place ward.PlaceID, camera ward.CameraID, from, to time.Time) (Picture, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.rings[place][camera] {
		if !p.At.Before(from) && !p.At.After(to) {
			return p, true
		}
	}
	return Picture{}, false
}
