package ward

import "time"

// DrawSource says where a draw's seed comes from beside our own secret.
// It is an open list: a proof with a source that the verifier does not know
// is refused, never passed over.
type DrawSource string

// The sources of a seed.
const (
	SourceDrand DrawSource = "drand" // a public randomness beacon's round that lay in the future
	SourceCoin  DrawSource = "coin"  // a number by the institution's contact, given after our commitment
)

// DrawState is where a draw stands: committed → drawn → ordered; or failed or
// abandoned, for good.
type DrawState string

// The states of a Draw.
const (
	DrawCommitted DrawState = "committed" // the seed is awaited
	DrawDrawn     DrawState = "drawn"     // the result is sealed
	DrawOrdered   DrawState = "ordered"   // its round is ordered
	DrawFailed    DrawState = "failed"    // the source refused or never came
	DrawAbandoned DrawState = "abandoned" // somebody gave it up, with a reason
)

// DrawStepKind names one sealed step of a draw.
type DrawStepKind string

// The steps of a draw.
const (
	StepCommit  DrawStepKind = "commit"
	StepResult  DrawStepKind = "result"
	StepOrder   DrawStepKind = "order"
	StepFail    DrawStepKind = "fail"
	StepAbandon DrawStepKind = "abandon"
)

// After is the state that a step leads to.
func (k DrawStepKind) After() DrawState {
	switch k {
	case StepCommit:
		return DrawCommitted
	case StepResult:
		return DrawDrawn
	case StepOrder:
		return DrawOrdered
	case StepFail:
		return DrawFailed
	case StepAbandon:
		return DrawAbandoned
	}
	return ""
}

// Follows says whether the step may be taken in a state.
func (k DrawStepKind) Follows(s DrawState) bool {
	switch k {
	case StepCommit:
		return s == ""
	case StepResult, StepFail:
		return s == DrawCommitted
	case StepOrder:
		return s == DrawDrawn
	case StepAbandon:
		return s == DrawCommitted || s == DrawDrawn
	}
	return false
}

// Draw 双随机抽取 is one auditable draw of beds and inspectors. Nothing of it is
// ever deleted; a repetition is a new draw that names the one before.
type Draw struct {
	ID            DrawID        `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Day           string        `json:"day"`    // 2026-11-22, in China
	Number        int           `json:"number"` // of the institution's draws that day, from 1
	State         DrawState     `json:"state"`
	Source        DrawSource    `json:"source"`
	By            UserID        `json:"by"`
	Previous      DrawID        `json:"previous,omitempty"` // the institution's draw before it that day
	Committed     time.Time     `json:"committed"`
	Due           time.Time     `json:"due"`        // drand: when the round comes out; coin: until when the contact may answer
	Commitment    string        `json:"commitment"` // SHA-256 of the sealed commitment, hex: the leaf's
	RoundID       RoundID       `json:"round_id,omitempty"`
	Leaf          int64         `json:"leaf"` // of the commitment
}

// DrawStep is one sealed step; what it says is its sealed record.
type DrawStep struct {
	DrawID DrawID       `json:"draw_id"`
	Seq    int64        `json:"seq"` // from 1 without holes
	Kind   DrawStepKind `json:"kind"`
	At     time.Time    `json:"at"`
	Leaf   int64        `json:"leaf"`
}

// china is the time zone of days: China has one, without summer time.
var china = time.FixedZone("CST", 8*60*60)

// ChinaDay is the day of t in China, such as 2026-11-22.
func ChinaDay(t time.Time) string { return t.In(china).Format(time.DateOnly) }

// RoundMethod says how the beds of a round were chosen.
type RoundMethod string

// The methods.
const (
	ByHand RoundMethod = "hand"
	ByRisk RoundMethod = "risk"
	ByDraw RoundMethod = "draw"
)
