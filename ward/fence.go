package ward

import "math"

// GeoPoint is a place on the ground in WGS-84, the datum of GPS and of browsers.
type GeoPoint struct {
	Lat float64 `json:"lat" minimum:"-85" maximum:"85" doc:"Degrees north, WGS-84"`
	Lon float64 `json:"lon" minimum:"-180" maximum:"180" doc:"Degrees east, WGS-84"`
}

// Fence is where a bedside may be: a circle around Center, or a polygon.
type Fence struct {
	Datum   Datum      `json:"datum" doc:"wgs84; coordinates of Chinese maps (gcj02, bd09) are refused, not shifted"`
	Center  GeoPoint   `json:"center,omitzero"`
	Radius  float64    `json:"radius_m,omitempty" maximum:"5000" doc:"Metres, 30 to 5000; left out for a polygon"`
	Polygon []GeoPoint `json:"polygon,omitempty" maxItems:"100" doc:"3 to 100 corners in order; left out for a circle"`
}

// Datum says on which ellipsoid coordinates were measured.
type Datum string

// The datums that people have coordinates in. Only WGS84 is accepted.
const (
	WGS84 Datum = "wgs84"
	GCJ02 Datum = "gcj02" // shifted by law: Amap, Tencent
	BD09  Datum = "bd09"  // shifted again: Baidu
)

const (
	earth       = 6371008.8 // metres, mean radius
	fenceLeast  = 30        // metres: no browser knows better indoors
	fenceMost   = 5000
	maxCorners  = 100
	maxAccuracy = 1e7
)

// Fix is a position as a browser tells it.
type Fix struct {
	At       GeoPoint
	Accuracy float64 // metres, radius of 95 % confidence
}

// Whereabouts is what a fix says about a fence.
type Whereabouts string

// The answers. Shifted is outside, but inside if the device told GCJ-02 as
// some Chinese browsers do: a human judges.
const (
	Inside  Whereabouts = "inside"
	Outside Whereabouts = "outside"
	Vague   Whereabouts = "vague" // the fix may as well be on the other side
	Shifted Whereabouts = "shifted"
	BadFix  Whereabouts = "bad" // no position on earth
)

// Check says what is wrong with a fence.
func (f Fence) Check() error {
	bad := func(zh, en string) error { return &Error{Kind: Invalid, Code: "site.fence", ZH: zh, EN: en} }
	if f.Datum != WGS84 {
		return bad("围栏坐标须为 WGS-84（GPS）。高德、腾讯、百度地图的坐标有偏移，请先换算，系统不会自动偏移。", "A fence must be in WGS-84 (GPS). Coordinates of Amap, Tencent and Baidu maps are shifted: convert them first, nothing is shifted silently.")
	}
	if len(f.Polygon) == 0 {
		if !f.Center.valid() || !(f.Radius >= fenceLeast && f.Radius <= fenceMost) {
			return bad("请填写圆心经纬度和半径（30 至 5000 米）。", "Give the circle's centre and its radius (30 to 5000 m).")
		}
		return nil
	}
	if f.Radius != 0 || f.Center != (GeoPoint{}) {
		return bad("圆形与多边形只能选择一种。", "Give a circle or a polygon, not both.")
	}
	if len(f.Polygon) < 3 || len(f.Polygon) > maxCorners {
		return bad("多边形须有 3 至 100 个顶点。", "A polygon has 3 to 100 corners.")
	}
	for _, p := range f.Polygon {
		if !p.valid() || distance(p, f.Polygon[0]) > 2*fenceMost {
			return bad("多边形顶点无效，或相距超过 10 千米。", "A corner is no place on earth, or the polygon is wider than 10 km.")
		}
	}
	if f.size() < fenceLeast {
		return bad("围栏过小：室内定位达不到这样的精度。", "The fence is too small: no device knows its place so well indoors.")
	}
	return nil
}

func (p GeoPoint) valid() bool {
	return p.Lat >= -85 && p.Lat <= 85 && p.Lon >= -180 && p.Lon <= 180 && (p.Lat != 0 || p.Lon != 0)
}

// Judge says where a fix is, and how many metres beyond the fence (below 0: within).
func (f Fence) Judge(x Fix) (w Whereabouts, beyond float64) {
	if !x.At.valid() || !(x.Accuracy >= 0 && x.Accuracy <= maxAccuracy) {
		return BadFix, 0
	}
	beyond = f.beyond(x.At)
	switch {
	case x.Accuracy > f.size():
		return Vague, beyond
	case beyond <= 0:
		return Inside, beyond
	case beyond <= x.Accuracy:
		return Vague, beyond
	case f.beyond(fromGCJ02(x.At)) <= 0:
		return Shifted, beyond
	}
	return Outside, beyond
}

// size is a circle's radius, or that of the circle of a polygon's area, in metres.
func (f Fence) size() float64 {
	if len(f.Polygon) == 0 {
		return f.Radius
	}
	var twice float64
	for i, p := range f.Polygon {
		ax, ay := f.Polygon[0].plane(p)
		bx, by := f.Polygon[0].plane(f.Polygon[(i+1)%len(f.Polygon)])
		twice += ax*by - bx*ay
	}
	return math.Sqrt(math.Abs(twice) / 2 / math.Pi)
}

// beyond is how far p is outside, in metres; below 0 inside.
func (f Fence) beyond(p GeoPoint) float64 {
	if len(f.Polygon) == 0 {
		return distance(f.Center, p) - f.Radius
	}
	inside, least := false, math.Inf(1)
	for i, a := range f.Polygon {
		ax, ay := p.plane(a)
		bx, by := p.plane(f.Polygon[(i+1)%len(f.Polygon)])
		if (ay > 0) != (by > 0) && ax-ay*(bx-ax)/(by-ay) > 0 {
			inside = !inside
		}
		least = min(least, fromOrigin(ax, ay, bx, by))
	}
	if inside {
		return -least
	}
	return least
}

// fromOrigin is the distance of the origin from the line between a and b.
func fromOrigin(ax, ay, bx, by float64) float64 {
	dx, dy := bx-ax, by-ay
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = max(0, min(1, -(ax*dx+ay*dy)/l))
	}
	return math.Hypot(ax+t*dx, ay+t*dy)
}

// plane is q in metres east and north of p; good for some kilometres.
func (p GeoPoint) plane(q GeoPoint) (x, y float64) {
	lon := math.Remainder(q.Lon-p.Lon, 360)
	return radians(lon) * earth * math.Cos(radians(p.Lat)), radians(q.Lat-p.Lat) * earth
}

// distance is the great circle's length in metres.
func distance(a, b GeoPoint) float64 {
	lat, lon := radians(b.Lat-a.Lat)/2, radians(b.Lon-a.Lon)/2
	h := math.Sin(lat)*math.Sin(lat) + math.Cos(radians(a.Lat))*math.Cos(radians(b.Lat))*math.Sin(lon)*math.Sin(lon)
	return 2 * earth * math.Asin(math.Sqrt(min(1, h)))
}

func radians(d float64) float64 { return d * math.Pi / 180 }

// fromGCJ02 is where a point is if it was told in GCJ-02, to about a metre.
func fromGCJ02(p GeoPoint) GeoPoint {
	q := p
	for range 3 {
		s := toGCJ02(q)
		q.Lat += p.Lat - s.Lat
		q.Lon += p.Lon - s.Lon
	}
	return q
}

// toGCJ02 is the shift of Chinese maps as it is publicly known (Krasovsky 1940).
func toGCJ02(p GeoPoint) GeoPoint {
	if p.Lon < 72.004 || p.Lon > 137.8347 || p.Lat < 0.8293 || p.Lat > 55.8271 {
		return p // maps are shifted in China only
	}
	const a, ee = 6378245.0, 0.00669342162296594323
	x, y := p.Lon-105, p.Lat-35
	sin := func(v float64) float64 { return math.Sin(v * math.Pi) }
	ripple := (20*sin(6*x) + 20*sin(2*x)) * 2 / 3
	north := -100 + 2*x + 3*y + .2*y*y + .1*x*y + .2*math.Sqrt(math.Abs(x)) + ripple +
		(20*sin(y)+40*sin(y/3))*2/3 + (160*sin(y/12)+320*sin(y/30))*2/3
	east := 300 + x + 2*y + .1*x*x + .1*x*y + .1*math.Sqrt(math.Abs(x)) + ripple +
		(20*sin(x)+40*sin(x/3))*2/3 + (150*sin(x/12)+300*sin(x/30))*2/3
	m := 1 - ee*math.Pow(math.Sin(radians(p.Lat)), 2)
	return GeoPoint{
		Lat: p.Lat + north*180/(a*(1-ee)/(m*math.Sqrt(m))*math.Pi),
		Lon: p.Lon + east*180/(a/math.Sqrt(m)*math.Cos(radians(p.Lat))*math.Pi),
	}
}
