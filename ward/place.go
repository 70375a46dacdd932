package ward

import (
	"math"
	"time"
)

// Institution is a 定点机构: a hospital, clinic or pharmacy under contract.
type Institution struct {
	ID   InstitutionID `json:"id"`
	Name string        `json:"name"`
	// Location is where it is; nil when nobody has said.
	Location *Location `json:"location,omitempty"`
}

// Location is a point on the earth in degrees (WGS 84; the offset of
// Chinese maps, some 500 m, does not matter for distances between towns).
type Location struct {
	Lat float64 `json:"lat" minimum:"-90" maximum:"90"`
	Lon float64 `json:"lon" minimum:"-180" maximum:"180"`
}

// Km is the distance between two points along the surface, in kilometres
// (haversine on a sphere of 6371 km, right to half a percent).
func (a Location) Km(b Location) float64 {
	const rad = math.Pi / 180
	lat, lon := (b.Lat-a.Lat)*rad/2, (b.Lon-a.Lon)*rad/2
	h := math.Sin(lat)*math.Sin(lat) + math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Sin(lon)*math.Sin(lon)
	return 2 * 6371 * math.Asin(math.Sqrt(min(1, h)))
}

// PlaceKind says what happens at a place.
type PlaceKind string

// The kinds of Place.
const (
	Charge    PlaceKind = "charge"    // charge counter 收费窗口
	Pharmacy  PlaceKind = "pharmacy"  // pharmacy counter 药房窗口
	Corridor  PlaceKind = "corridor"  // corridor or waiting hall 走廊
	Ward      PlaceKind = "ward"      // sickroom 病房
	Treatment PlaceKind = "treatment" // treatment room 治疗室
)

// Place is a spot inside an institution that cameras watch.
type Place struct {
	ID            PlaceID       `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Name          string        `json:"name"`
	Kind          PlaceKind     `json:"kind"`
}

// Transport is how RTP travels from a camera.
type Transport string

// The RTSP transports. Auto tries UDP and falls back to TCP.
const (
	TransportTCP  Transport = "tcp"
	TransportUDP  Transport = "udp"
	TransportAuto Transport = "auto"
)

// RecordPolicy says when a camera is recorded.
type RecordPolicy string

// The record policies.
const (
	RecordAlways RecordPolicy = "always"
	RecordHours  RecordPolicy = "hours" // within RecordFrom and RecordTo; the rest is a gap with cause schedule
	RecordNever  RecordPolicy = "never" // live view only
)

// Camera is one RTSP feed at a place. URL never holds credentials; the
// password is stored sealed and never leaves the storage package but to
// ingest.
type Camera struct {
	ID            CameraID      `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	PlaceID       PlaceID       `json:"place_id"`
	Name          string        `json:"name"`
	URL           string        `json:"url"`
	SubURL        string        `json:"sub_url,omitempty"` // a smaller stream of the same pictures, for live view and analysis
	// ReplayURL is where the device, or a recorder it is connected to, plays
	// what it stored itself; see ReplayAt. Empty: nothing is fetched from there.
	ReplayURL string `json:"replay_url,omitempty"`
	User      string `json:"user"`
	Password  Secret `json:"-"`
	// PasswordLost says that the stored password cannot be read, since the
	// key that sealed it is another one now: it must be typed again.
	PasswordLost bool      `json:"password_lost,omitempty"`
	Transport    Transport `json:"transport"`
	// TLSFingerprint is the SHA-256 of the certificate that an rtsps camera
	// must show, in hex. Empty: it must be signed by an authority the system trusts.
	TLSFingerprint string       `json:"tls_fingerprint,omitempty"`
	Record         RecordPolicy `json:"record"`
	RecordFrom     string       `json:"record_from,omitempty"` // "08:00" in Asia/Shanghai, RecordHours only
	RecordTo       string       `json:"record_to,omitempty"`   // "18:30"; before RecordFrom: over midnight
	// SegmentSeconds is the wanted length of a segment, 2 to 3600; it ends
	// at the first key frame at or after it.
	SegmentSeconds int       `json:"segment_seconds"`
	RetentionDays  int       `json:"retention_days"`
	Enabled        bool      `json:"enabled"`
	Created        time.Time `json:"created"`
}

// Secret is a credential that prints as *** in every format and log.
type Secret string

// String hides the secret.
func (Secret) String() string { return "***" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "***" }

// MarshalText hides the secret from JSON and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }
