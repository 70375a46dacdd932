// Package draw is the protocol of an auditable draw (双随机): what is
// committed, how the seed is made, how beds and inspectors follow from it, and
// how a stranger verifies it offline. It is pure: it has no clock, no network
// and no database, and must not know how a round is conducted.
package draw

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"wardwatch/rounds/drand"
	"wardwatch/ward"
)

// Algorithm names the sampling below. Another one gets another name.
const Algorithm = "wardwatch-draw/1"

// Kind is the ledger's kind of every step, and Ref the id of one.
const Kind = "draw"

// Head begins the record of every step. Prev is the SHA-256 of the sealed
// bytes of the step before, in hex; empty at the first.
type Head struct {
	Draw ward.DrawID       `json:"draw"`
	Seq  int64             `json:"seq"`
	Step ward.DrawStepKind `json:"step"`
	Prev string            `json:"prev"`
	At   time.Time         `json:"at"`
}

// Commitment is the first step: all that the result will follow from but the
// seed. It holds ids and no names.
type Commitment struct {
	Head
	Institution  ward.InstitutionID `json:"institution"`
	Day          string             `json:"day"`
	Number       int                `json:"number"` // of the institution's draws that day
	Previous     *Previous          `json:"previous,omitempty"`
	By           ward.UserID        `json:"by"`
	Algorithm    string             `json:"algorithm"`
	SecretSHA256 string             `json:"secret_sha256"`
	Source       SeedSource         `json:"source"`
	Strata       []Stratum          `json:"strata"`     // by ward, ascending; one with an empty ward is the whole institution
	Outside      int                `json:"outside"`    // current stays in wards that are not drawn from
	Excluded     []Exclusion        `json:"excluded"`   // stays of those wards that are not drawn from
	Inspectors   Inspectors         `json:"inspectors"` // drawn as the beds are
}

// Previous names the institution's draw before this one that day. Its
// commitment binds it: none can be left out unseen.
type Previous struct {
	Draw       ward.DrawID `json:"draw"`
	Commitment string      `json:"commitment"`
	Reason     string      `json:"reason"` // why it is drawn again
}

// SeedSource says where the seed will come from.
type SeedSource struct {
	Kind  ward.DrawSource `json:"kind"`
	Drand *DrandSource    `json:"drand,omitempty"`
	Coin  *CoinSource     `json:"coin,omitempty"`
}

// DrandSource fixes the round: the first that comes out a margin after the
// commitment was sealed. Nobody chooses it.
type DrandSource struct {
	Chain    drand.Chain `json:"chain"`
	MarginMS int64       `json:"margin_ms"`
	Round    int64       `json:"round"`
}

// CoinSource says until when the institution's contact may give a number.
type CoinSource struct {
	Until time.Time `json:"until"`
}

// Stratum is a ward and how many of its candidates are drawn.
type Stratum struct {
	Ward       string      `json:"ward"`
	Take       int         `json:"take"`
	Candidates []Candidate `json:"candidates"` // by admission, ascending
}

// Candidate is a stay. Person commits to who lies where, with a salt that is
// kept outside the ledger: see Person.
type Candidate struct {
	Admission ward.AdmissionID `json:"admission"`
	Person    string           `json:"person"`
}

// Exclusion is a stay that could have been drawn and was left out, why and by whom.
type Exclusion struct {
	Candidate
	Ward   string      `json:"ward"`
	Reason string      `json:"reason"`
	By     ward.UserID `json:"by"`
}

// Inspectors are the officers to draw from.
type Inspectors struct {
	Take       int                  `json:"take"`
	Candidates []ward.UserID        `json:"candidates"` // ascending
	Excluded   []InspectorExclusion `json:"excluded"`
}

// InspectorExclusion is an officer who was available and has a conflict of interest.
type InspectorExclusion struct {
	Inspector ward.UserID `json:"inspector"`
	Reason    string      `json:"reason"`
	By        ward.UserID `json:"by"`
}

// Result is the step that reveals the secret and what was drawn.
type Result struct {
	Head
	Drand      *DrandValue   `json:"drand,omitempty"`
	Coin       *CoinValue    `json:"coin,omitempty"`
	Secret     string        `json:"secret"`
	Seed       string        `json:"seed"`
	Beds       []Drawn       `json:"beds"` // in the order of the strata
	Inspectors []ward.UserID `json:"inspectors"`
}

// DrandValue is the beacon's signature over the round, in hex.
type DrandValue struct {
	Signature string `json:"signature"`
}

// CoinValue is the contact's number: 32 bytes in hex.
type CoinValue struct {
	By    ward.UserID `json:"by"`
	Value string      `json:"value"`
}

// Drawn is what was drawn of one stratum, in the order drawn.
type Drawn struct {
	Ward       string             `json:"ward"`
	Admissions []ward.AdmissionID `json:"admissions"`
}

// Order is the step that orders the round of exactly the result.
type Order struct {
	Head
	By         ward.UserID        `json:"by"`
	Round      ward.RoundID       `json:"round"`
	Admissions []ward.AdmissionID `json:"admissions"` // visited, in the order drawn
	Inspectors []ward.UserID      `json:"inspectors"`
	LeftOut    []LeftOut          `json:"left_out"`
}

// LeftOut is a drawn stay or inspector that the round goes without.
type LeftOut struct {
	Admission ward.AdmissionID `json:"admission,omitempty"`
	Inspector ward.UserID      `json:"inspector,omitempty"`
	Reason    string           `json:"reason"`
}

// FailReason says why a draw failed.
type FailReason string

// The reasons of a failure.
const (
	ContactRefused FailReason = "contact_refused"
	ContactSilent  FailReason = "contact_silent" // no answer in time
	NoBeacon       FailReason = "no_beacon"      // the round never came
)

// End is the step of a draw that failed or was abandoned. The secret is
// revealed even so: there is nothing left to hide.
type End struct {
	Head
	Why    FailReason  `json:"why,omitempty"` // of a failure
	By     ward.UserID `json:"by,omitempty"`
	Reason string      `json:"reason,omitempty"`
	Secret string      `json:"secret,omitempty"` // unless the result has revealed it
}

// PersonSalt is the salt of one candidate, from the draw's own random key.
func PersonSalt(key [32]byte, a ward.AdmissionID) string {
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte("wardwatch/draw/salt/v1\n" + string(a)))
	return hex.EncodeToString(m.Sum(nil))
}

// Person commits to who lies in which bed: SHA-256 of the lines
// "wardwatch/draw/person/v1", salt, admission, insured, ward and bed.
func Person(salt string, a ward.Admission) string {
	sum := sha256.Sum256([]byte("wardwatch/draw/person/v1\n" + salt + "\n" + string(a.ID) + "\n" + string(a.InsuredID) + "\n" + a.Ward + "\n" + a.Bed + "\n"))
	return hex.EncodeToString(sum[:])
}
