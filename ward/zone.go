package ward

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// ZoneKind says who stands in a zone of a camera's picture.
type ZoneKind string

// The kinds of Zone. NoZone and Elsewhere are never drawn: they say of a face
// that its camera does not tell customers apart, and that it was in no zone.
const (
	CustomerZone ZoneKind = "customer" // at the counter
	StaffZone    ZoneKind = "staff"    // behind it
	QueueZone    ZoneKind = "queue"    // waiting
	Elsewhere    ZoneKind = "elsewhere"
	NoZone       ZoneKind = ""
)

// AtCounter says whether a face of this zone may be the customer's: it was
// in the customers' zone, or its camera has none.
func (k ZoneKind) AtCounter() bool { return k == CustomerZone || k == NoZone }

// Point is a place in a picture in fractions (0 to 1, origin top left).
type Point struct {
	X float64 `json:"x" minimum:"0" maximum:"1"`
	Y float64 `json:"y" minimum:"0" maximum:"1"`
}

// Zone is a part of a camera's picture: a polygon that does not cross itself.
type Zone struct {
	Kind    ZoneKind `json:"kind"`
	Polygon []Point  `json:"polygon" minItems:"3" maxItems:"32"`
}

// Zoning is one version of what is drawn in a camera's picture.
type Zoning struct {
	CameraID CameraID  `json:"camera_id"`
	Version  int       `json:"version"` // 0: nothing was ever drawn
	Zones    []Zone    `json:"zones"`
	By       UserID    `json:"by"`
	At       time.Time `json:"at,omitzero"`
}

// Has says whether there is a zone of a kind.
func (z Zoning) Has(kind ZoneKind) bool { return HasZone(z.Zones, kind) }

// HasZone says whether there is a zone of a kind among them.
func HasZone(zones []Zone, kind ZoneKind) bool {
	return slices.ContainsFunc(zones, func(z Zone) bool { return z.Kind == kind })
}

// The bounds of what is drawn in one picture.
const (
	maxZones      = 12
	minZonePoints = 3
	maxZonePoints = 32
	minZoneArea   = .001 // of the picture: 45 × 45 pixels of 1920 × 1080
)

// CheckZones says what is wrong with the zones of one camera.
func CheckZones(zones []Zone) error {
	if len(zones) > maxZones {
		return badZone("many", fmt.Sprintf("一个摄像头最多画 %d 个区域。", maxZones), fmt.Sprintf("A camera has at most %d zones.", maxZones))
	}
	for i, z := range zones {
		switch n := i + 1; {
		case z.Kind != CustomerZone && z.Kind != StaffZone && z.Kind != QueueZone:
			return badZone("kind", "区域类型应为 customer、staff 或 queue。", "A zone is one of customer, staff and queue.")
		case len(z.Polygon) < minZonePoints || len(z.Polygon) > maxZonePoints:
			return badZone("points", fmt.Sprintf("第 %d 个区域应有 %d 到 %d 个点。", n, minZonePoints, maxZonePoints), fmt.Sprintf("Zone %d must have %d to %d points.", n, minZonePoints, maxZonePoints))
		case slices.ContainsFunc(z.Polygon, func(p Point) bool { return !(p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1) }): // also refuses NaN
			return badZone("outside", fmt.Sprintf("第 %d 个区域超出画面。", n), fmt.Sprintf("Zone %d leaves the picture.", n))
		case crosses(z.Polygon):
			return badZone("crosses", fmt.Sprintf("第 %d 个区域的边线相交，请重画。", n), fmt.Sprintf("The lines of zone %d cross each other; draw it again.", n))
		case math.Abs(signedArea(z.Polygon)) < minZoneArea:
			return badZone("small", fmt.Sprintf("第 %d 个区域太小，至少占画面的 %g%%。", n, 100*minZoneArea), fmt.Sprintf("Zone %d is too small: at least %g %% of the picture.", n, 100*minZoneArea))
		}
	}
	return nil
}

func badZone(code, zh, en string) error {
	return &Error{Kind: Invalid, Code: "zone." + code, ZH: zh, EN: en}
}

// Share is how much of the box lies in the zone, 0 to 1; 0 for an empty box.
func (z Zone) Share(b Box) float64 {
	x, y, w, h := float64(b.X), float64(b.Y), float64(b.W), float64(b.H)
	if !(w > 0 && h > 0) {
		return 0
	}
	p := z.Polygon
	p = cut(p, func(q Point) float64 { return q.X - x })
	p = cut(p, func(q Point) float64 { return x + w - q.X })
	p = cut(p, func(q Point) float64 { return q.Y - y })
	p = cut(p, func(q Point) float64 { return y + h - q.Y })
	return min(math.Abs(signedArea(p))/(w*h), 1)
}

// cut keeps what is on the side of a line where in is not negative
// (Sutherland and Hodgman; where a polygon with dents falls apart, the pieces
// stay joined by lines that have no area).
func cut(p []Point, in func(Point) float64) []Point {
	var out []Point
	for i, b := range p {
		a := p[(i+len(p)-1)%len(p)]
		da, db := in(a), in(b)
		if da >= 0 != (db >= 0) {
			t := da / (da - db)
			out = append(out, Point{a.X + t*(b.X-a.X), a.Y + t*(b.Y-a.Y)})
		}
		if db >= 0 {
			out = append(out, b)
		}
	}
	return out
}

// signedArea is the area, negative when the points go the other way round.
func signedArea(p []Point) float64 {
	sum := 0.0
	for i, b := range p {
		a := p[(i+len(p)-1)%len(p)]
		sum += a.X*b.Y - b.X*a.Y
	}
	return sum / 2
}

// crosses says whether two sides of the polygon touch that are not neighbours,
// or neighbours that turn straight back.
func crosses(p []Point) bool {
	n := len(p)
	for i := range n {
		a, b, c := p[i], p[(i+1)%n], p[(i+2)%n]
		if a == b || turn(a, b, c) == 0 && (b.X-a.X)*(c.X-b.X)+(b.Y-a.Y)*(c.Y-b.Y) < 0 {
			return true
		}
		for k := i + 2; k < n; k++ {
			if (k+1)%n != i && touch(a, b, p[k], p[(k+1)%n]) {
				return true
			}
		}
	}
	return false
}

// turn is positive when a, b, c go one way round, negative the other, 0 on a line.
func turn(a, b, c Point) float64 { return (b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X) }

// touch says whether the stretches ab and cd have a point in common.
func touch(a, b, c, d Point) bool {
	t1, t2, t3, t4 := turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)
	if (t1 > 0) != (t2 > 0) && (t3 > 0) != (t4 > 0) && t1 != 0 && t2 != 0 && t3 != 0 && t4 != 0 {
		return true
	}
	on := func(t float64, p, q, r Point) bool {
		return t == 0 && r.X >= min(p.X, q.X) && r.X <= max(p.X, q.X) && r.Y >= min(p.Y, q.Y) && r.Y <= max(p.Y, q.Y)
	}
	return on(t1, a, b, c) || on(t2, a, b, d) || on(t3, c, d, a) || on(t4, c, d, b)
}
