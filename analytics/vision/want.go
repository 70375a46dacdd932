package vision

// Want is the set of things that a caller asks the worker to see.
type Want uint16

// The bits of Want. What is not asked for is not computed.
const (
	// WantPeople counts people (about 50 ms).
	WantPeople Want = 1 << iota
	// WantFaces finds faces with pose and quality (about 20 ms and 5 ms a face).
	WantFaces
	// WantTemplates embeds every usable face; it implies WantFaces (14 ms a face).
	WantTemplates
	// WantSnapshot returns the whole picture as a JPEG, longest side at most 1280 pixels.
	WantSnapshot
	// WantPrint computes the perceptual hash.
	WantPrint
	// WantLive asks the passive liveness model about every face; it implies
	// WantFaces (7 ms a face). Its opinion may lower trust, never raise it.
	WantLive
	// WantMeasures tells whether the camera can see (some ms); of a stream only.
	WantMeasures
	// WantCodes reads a QR code and a Code 128 (about 60 ms at 1280x720).
	WantCodes
	// WantLight measures the light of every face and of what surrounds it; it
	// implies WantFaces (under 1 ms a face).
	WantLight
)

// Has reports whether any bit of b is in w.
func (w Want) Has(b Want) bool { return w&b != 0 }
