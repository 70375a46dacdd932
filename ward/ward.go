// Package ward is the vocabulary of Wardwatch: the types, states and pure
// rules that every other package speaks. It imports the standard library
// only, holds no clock, does no I/O, and must know nothing of SQL, HTTP,
// RTSP or WebRTC. All times are UTC; money is integer 分 (1/100 CNY).
package ward

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// The typed ids are opaque strings made by NewID, sortable by the moment
// they were made; those of institutions, places, cameras and insured people
// may also be chosen by an operator (ValidID).
type (
	// InstitutionID is the id of a 定点机构.
	InstitutionID string
	// PlaceID is the id of a counter, pharmacy, corridor, ward or treatment room.
	PlaceID string
	// CameraID is the id of a camera.
	CameraID string
	// SegmentID is the id of a finished stretch of recording.
	SegmentID string
	// GapID is the id of a stretch that was not recorded.
	GapID string
	// SightingID is the id of what a detector saw.
	SightingID string
	// SettlementID is the id of a 结算.
	SettlementID string
	// InsuredID is the id of a 参保人.
	InsuredID string
	// AdmissionID is the id of a 住院.
	AdmissionID string
	// AlertID is the id of a 疑点.
	AlertID string
	// RoundID is the id of a 查房.
	RoundID string
	// VisitID is the id of one bed in a round.
	VisitID string
	// CaseID is the id of a 案件.
	CaseID string
	// HoldID is the id of a hold on a stretch of recording.
	HoldID string
	// LetterID is the id of a letter to an institution.
	LetterID string
	// ReleaseID is the id of a request that a case holds something no more.
	ReleaseID string
	// RedactionID is the id of a redaction of an item of a case.
	RedactionID string
	// UnmaskingID is the id of a request to see a redacted item as it is.
	UnmaskingID string
	// EvidenceID is the id of one item of a case.
	EvidenceID string
	// FaceSearchID is the id of one search for a face.
	FaceSearchID string
	// IdentityCheckID is the id of one answer to "is this the insured?".
	IdentityCheckID string
	// PhysicianID is the id of a 医师.
	PhysicianID string
	// DutyID is the id of one start of a physician's shift.
	DutyID string
	// TreatmentID is the id of one treatment session.
	TreatmentID string
	// EndpointID is the id of where notifications go.
	EndpointID string
	// MessageID is the id of a line that was written in a visit.
	MessageID string
	// RulingID is the id of what people decided over a visit.
	RulingID string
	// DrawID is the id of an auditable draw (双随机).
	DrawID string
	// PlanID is the id of a round that starts by itself.
	PlanID string
	// TabletID is the id of a registered ward tablet.
	TabletID string
	// UserID is the id of a person who signs in.
	UserID string
)

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// NewID returns a 26-character id: 48 bits of milliseconds since 1970 and
// 80 random bits, in Crockford's base 32, so that ids sort by time (the
// layout of ULID).
func NewID[T ~string](now time.Time) T {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(b[6:]) // crypto/rand.Read never fails (Go 1.24)
	return T(idEncoding.EncodeToString(b[:]))
}

// LooksNational says whether id has the form of a resident identity card's
// number: 15 digits, or 17 and a digit or x.
func LooksNational(id string) bool {
	digits := strings.Trim(id, "0123456789") == ""
	switch len(id) {
	case 15:
		return digits
	case 18:
		return digits || strings.EqualFold(strings.TrimLeft(id, "0123456789"), "x")
	}
	return false
}

// ValidID says whether s can stand in an object key and a URL path: 1 to 64
// of a-z, 0-9, '-' and '_', beginning with a letter or digit.
func ValidID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i, c := range []byte(s) {
		alnum := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alnum && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return true
}
