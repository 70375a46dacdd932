package ward

import "time"

// BlindID is the id of a stretch in which a camera saw nothing.
type BlindID string

// BlindCause says why a camera saw nothing.
type BlindCause string

// The causes of a BlindPeriod. The list is closed.
const (
	SignalLost BlindCause = "signal_lost" // no media came: the camera or its line
	Frozen     BlindCause = "frozen"      // the same picture again and again
	Black      BlindCause = "black"       // nothing but darkness
	Covered    BlindCause = "covered"     // something flat before the lens
	Defocused  BlindCause = "defocused"   // the scene is there, its detail is not
	Moved      BlindCause = "moved"       // another scene than the one that was learned
	Glare      BlindCause = "glare"       // most of the picture is overexposed
	WrongClock BlindCause = "wrong_clock" // the camera's own clock is off: the time in its pictures is wrong
)

// Sightless says whether what the camera showed meanwhile tells nothing of who
// was there. With a wrong clock it still does: moments are by the server's.
func (c BlindCause) Sightless() bool { return c != WrongClock }

// OfPicture says whether the cause is found in the pictures.
func (c BlindCause) OfPicture() bool { return c != SignalLost && c != WrongClock }

// BlindPeriod 盲区: a stretch in which a camera saw nothing.
type BlindPeriod struct {
	ID            BlindID       `json:"id"`
	CameraID      CameraID      `json:"camera_id"`
	PlaceID       PlaceID       `json:"place_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Cause         BlindCause    `json:"cause"`
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to,omitzero"` // absent while it lasts
	Found         time.Time     `json:"found"`       // when it was noticed
	// Seen is when it was last known to last.
	Seen    time.Time `json:"-"`
	EndedBy UserID    `json:"ended_by"` // who said that the camera is well as it is
	// OutageID is that which covers its beginning, when all of it was reported in advance as far as is known.
	OutageID OutageID `json:"outage_id"`
	// Due is when it becomes an alert unless the camera sees again; zero: it is one, or never will be.
	Due    time.Time    `json:"-"`
	Before BlindPicture `json:"-"`
	At     BlindPicture `json:"-"`
	After  BlindPicture `json:"-"`
	Leaf   int64        `json:"-"` // in the ledger, of its newest record
}

// BlindPicture is a picture before, at or after a blind period: a sighting of
// kind LensSeen, and the SHA-256 of its JPEG. It is zero when there is none.
type BlindPicture struct {
	Sighting SightingID
	SHA256   [32]byte
}

// Lasts says how long it has lasted by now.
func (b BlindPeriod) Lasts(now time.Time) time.Duration {
	if !b.To.IsZero() {
		now = b.To
	}
	return now.Sub(b.From)
}
