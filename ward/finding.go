package ward

import "time"

// Basis is what a VisitFinding rests on.
type Basis string

// The bases.
const (
	SameFace      Basis = "face"      // the faces of both visits are one person's
	SamePictures  Basis = "pictures"  // the pictures and movements are those of the other, earlier visit
	SameEnrolment Basis = "enrolment" // the face is the one enrolled for the other visit's bed
)

// VisitFinding is what another visit shows about a visit. It stands beside a
// verdict that was sealed before, and never changes it.
type VisitFinding struct {
	VisitID VisitID   `json:"visit_id"`
	Kind    CheckKind `json:"kind"` // the check that it fails
	Basis   Basis     `json:"basis"`
	Other   VisitID   `json:"other"`
	At      time.Time `json:"at"`
	Leaf    int64     `json:"leaf"`
}

// Failed is the check that f fails.
func (f VisitFinding) Failed() Check {
	c := Check{VisitID: f.VisitID, Kind: f.Kind, Outcome: Fail, At: f.At}
	c.DetailZH, c.DetailEN = "本轮另一床位的应答者是同一张脸。", "The same face answered for another bed of this round."
	switch f.Basis {
	case SameEnrolment:
		c.DetailZH, c.DetailEN = "应答者是本轮另一床位登记的人。", "The face is the one enrolled for another bed of this round."
	case SamePictures:
		c.DetailZH, c.DetailEN = "画面和动作与以往一次查访一致，可能是重放的录像。", "The pictures and movements are those of an earlier visit, perhaps its recording."
	case SameFace:
	}
	return c
}
