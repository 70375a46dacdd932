package ward

import "math"

// Codec names a video or audio coding as RTSP and WebRTC negotiate it.
type Codec string

// The codecs that Wardwatch records. The analyser decodes the video ones.
const (
	H264    Codec = "h264"
	H265    Codec = "h265"
	VP8     Codec = "vp8"
	MJPEG   Codec = "mjpeg"
	AAC     Codec = "aac"
	Opus    Codec = "opus"
	PCMU    Codec = "pcmu" // G.711 µ-law
	PCMA    Codec = "pcma" // G.711 A-law
	NoCodec Codec = ""
)

// Box is a rectangle in fractions of the picture (0 to 1, origin top left).
type Box struct {
	X float32 `json:"x"`
	Y float32 `json:"y"`
	W float32 `json:"w"`
	H float32 `json:"h"`
}

// Person is one person found in a picture; Score is 0 to 1.
type Person struct {
	Box   Box     `json:"box"`
	Score float32 `json:"score"`
}

// Face is one face found in a picture.
type Face struct {
	Box   Box     `json:"box"`
	Score float32 `json:"score"` // detector, 0 to 1
	// EyePx is the distance between the eye centres in pixels of the
	// decoded picture.
	EyePx float32 `json:"eye_px"`
	// Yaw is in degrees, positive when the nose points to the right edge of
	// the picture; Pitch positive when the head is down. Both come from the
	// 468-point mesh and are smooth for |yaw| below about 20 degrees.
	Yaw   float32 `json:"yaw"`
	Pitch float32 `json:"pitch"`
	// Mouth is the opening over the width: closed 0 to .2, open to .7.
	Mouth float32 `json:"mouth"`
	// Eyes is the eye aspect ratio: open .31 to .38, blink .15 to .19.
	Eyes float32 `json:"eyes"`
	// Sharp is the variance of the Laplacian of the 112x112 aligned crop
	// (grey levels squared); below SharpMin the crop is too blurred to match.
	Sharp float32 `json:"sharp"`
	// Bright is the mean grey level of the aligned crop, 0 to 255.
	Bright float32 `json:"bright"`
	// What may hide it, each 0 when nothing does. Partial is the mesh's doubt
	// that the whole face is there, 0 to 1. Mask is how far the mouth's colour
	// is from that of the bridge of the nose (Cr and Cb, grey levels). Shade is
	// how much darker the eyes are than the skin around them, Uneven one half of the face
	// than the other, 0 to 1. Shared is the part of the box that another face covers, 0 to 1.
	Partial float32 `json:"partial"`
	Mask    float32 `json:"mask"`
	Shade   float32 `json:"shade"`
	Uneven  float32 `json:"uneven"`
	Shared  float32 `json:"shared"`
	// Live is a passive model's opinion, 0 to 1. It may lower trust, never raise it.
	Live float32 `json:"live"`
	// Light is what the skin and its surroundings send back; nil when not asked
	// for, or when the face fills the picture.
	Light *Light `json:"light,omitempty"`
	// Template is the L2-normalised embedding; empty when not asked for.
	Template Template `json:"-"`
}

// Seen is what the vision worker saw in one picture.
type Seen struct {
	Width   int      `json:"width"`  // pixels of the decoded picture
	Height  int      `json:"height"` // pixels
	People  []Person `json:"people"`
	Faces   []Face   `json:"faces"`
	ModelID string   `json:"model_id"` // of the embedding: first 12 hex digits of its file's SHA-256
	// Print is a 64-bit perceptual hash (dHash) of the picture: equal or
	// near-equal prints mean an unchanged picture.
	Print uint64 `json:"print"`
	// Measures tell whether the camera can see; nil when not asked for.
	Measures *Measures `json:"measures,omitempty"`
	// Codes are the texts of the bar codes in the picture, short and printable. A
	// bed card's is personal data: it is compared, and never stored or logged.
	Codes []string `json:"codes,omitempty"`
	JPEG  []byte   `json:"-"` // the picture, when a snapshot was asked for
}

// Template is a face embedding of unit length (192 float32 for MobileFaceNet).
// It is personal data: it is stored sealed and never logged.
type Template []float32

// Cosine returns the similarity of two templates, -1 to 1, or -1 when their
// lengths differ or one is empty (they come from different models).
func (t Template) Cosine(u Template) float32 {
	if len(t) != len(u) || len(t) == 0 {
		return -1
	}
	var s float32
	for i := range t {
		s += t[i] * u[i]
	}
	return s
}

// Fuse returns the normalised mean of several templates of one person.
// It is nil when there are none or their lengths differ.
func Fuse(ts []Template) Template {
	if len(ts) == 0 {
		return nil
	}
	sum := make(Template, len(ts[0]))
	for _, t := range ts {
		if len(t) != len(sum) {
			return nil
		}
		for i, v := range t {
			sum[i] += v
		}
	}
	var n float64
	for _, v := range sum {
		n += float64(v) * float64(v)
	}
	n = math.Sqrt(n)
	if n == 0 {
		return nil
	}
	for i := range sum {
		sum[i] = float32(float64(sum[i]) / n)
	}
	return sum
}

// Match is the outcome of comparing a face with an enrolment.
type Match string

// The three outcomes: the middle one is for a human to decide.
const (
	MatchYes    Match = "match"
	MatchUnsure Match = "unsure"
	MatchNo     Match = "no_match"
)

// FaceThresholds split the cosine scale. The defaults are those measured
// for East Asian faces on all of LFW with MobileFaceNet: .560 is FAR 1e-3,
// .467 is FAR 1e-2. Thresholds belong to one model id.
type FaceThresholds struct {
	Match   float32 // at or above: the same person
	NoMatch float32 // below: different people; between the two: unsure
}

// DefaultFaceThresholds are the starting values; a deployer recalibrates.
var DefaultFaceThresholds = FaceThresholds{Match: .560, NoMatch: .400}

// Judge places a cosine in one of the three outcomes.
func (t FaceThresholds) Judge(cosine float32) Match {
	switch {
	case cosine >= t.Match:
		return MatchYes
	case cosine >= t.NoMatch:
		return MatchUnsure
	default:
		return MatchNo
	}
}
