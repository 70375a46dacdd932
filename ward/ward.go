// Package ward is the vocabulary of Wardwatch: the types, states and pure
// rules that every other package speaks. It imports the standard library
// only, holds no clock, does no I/O, and must know nothing of SQL, HTTP,
// RTSP or WebRTC. All times are UTC; money is integer 分 (1/100 CNY).
package ward

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// The typed ids. Each is an opaque string made by NewID, sortable by the
// moment it was made; those of institutions, places, cameras and insured
// people may also be chosen by an operator (ValidID).
type (
	// InstitutionID is of a 定点机构.
	InstitutionID string
	PlaceID       string // a counter, pharmacy, corridor, ward or treatment room
	CameraID      string
	SegmentID     string
	GapID         string
	SightingID    string
	SettlementID  string // 结算
	InsuredID     string // 参保人
	AdmissionID   string // 住院
	AlertID       string // 疑点
	RoundID       string // 查房
	VisitID       string
	CaseID        string // 案件
	EvidenceID    string
	UserID        string
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
