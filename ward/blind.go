package ward

type (
	// BlindID is the id of a stretch in which a camera saw nothing.
	BlindID string
	// OutageID is the id of an outage that was reported in advance.
	OutageID string
)

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

// BlindCauses returns every cause, as they are shown.
func BlindCauses() []BlindCause {
	return []BlindCause{SignalLost, Frozen, Black, Covered, Defocused, Moved, Glare, WrongClock}
}

// Sightless says whether what the camera showed meanwhile tells nothing of who
// was there. With a wrong clock it still does: moments are by the server's.
func (c BlindCause) Sightless() bool { return c != WrongClock }

// OfPicture says whether the cause is found in the pictures.
func (c BlindCause) OfPicture() bool { return c != SignalLost && c != WrongClock }
