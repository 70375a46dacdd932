// Package sealed has the records behind the ledger's leaves that evidence is
// made of, as they are written and as a verifier without a database reads them.
package sealed

import (
	"time"

	"wardwatch/ward"
)

// The kinds of record that a verifier knows.
const (
	KindSegment     = "segment"
	KindAlert       = "alert"
	KindVerdict     = "verdict"
	KindSettlement  = "settlement"
	KindCase        = "case"
	KindCustody     = "custody"
	KindStretch     = "stretch"
	KindUpload      = "upload"
	KindCaseVersion = "case_version"
	KindSighting    = "sighting"
	KindBlind       = "blind"
	KindDraw        = "draw"
	KindOutage      = "outage"

	KindCameraDevice = "camera_device"
)

// Segment is what the ledger commits to when a segment is finished.
type Segment struct {
	ID             ward.SegmentID     `json:"id"`
	Source         ward.Source        `json:"source"`
	InstitutionID  ward.InstitutionID `json:"institution_id"`
	Seq            int64              `json:"seq"`
	Start          time.Time          `json:"start"`
	End            time.Time          `json:"end"`
	MediaUS        int64              `json:"media_us"`
	Clock          ward.Clock         `json:"clock"`
	CameraOffsetUS int64              `json:"camera_offset_us"`
	Codec          ward.Codec         `json:"codec"`
	Bytes          int64              `json:"bytes"`
	SHA256         string             `json:"sha256"`
	Key            string             `json:"key"`
	Repaired       bool               `json:"repaired"`
	Audio          ward.Codec         `json:"audio,omitempty"`
	Life           string             `json:"life,omitempty"`
	MonoUS         int64              `json:"mono_us,omitempty"`
	KeepUntil      time.Time          `json:"keep_until,omitzero"`
	Origin         ward.Origin        `json:"origin,omitempty"`
	// Recordings of earlier versions have none of these.
	Sync         ward.ClockSync       `json:"sync,omitempty"`
	ClockErrorUS int64                `json:"clock_error_us,omitempty"`
	Signature    ward.CameraSignature `json:"signature,omitempty"`
}

// Alert is what the ledger commits to when an alert is raised: which
// rule said what on which facts, and no names.
type Alert struct {
	Alert       ward.AlertID        `json:"alert"`
	Institution ward.InstitutionID  `json:"institution"`
	Place       ward.PlaceID        `json:"place"`
	Camera      ward.CameraID       `json:"camera,omitempty"`
	Rule        ward.Rule           `json:"rule"`
	RuleVersion int                 `json:"rule_version"`
	Settlement  ward.SettlementID   `json:"settlement"`
	Blind       ward.BlindID        `json:"blind,omitempty"` // the blind period that it is about instead
	Related     []ward.SettlementID `json:"related"`
	At          time.Time           `json:"at"`
	Raised      time.Time           `json:"raised"`
	ClipFrom    time.Time           `json:"clip_from"`
	ClipTo      time.Time           `json:"clip_to"`
	Sightings   []ward.SightingID   `json:"sightings"`
	ExplainZH   string              `json:"explain_zh"`
	ExplainEN   string              `json:"explain_en"`
	Snapshot    string              `json:"snapshot_sha256,omitempty"`
}

// Verdict is what the ledger commits to when a visit is sealed: the
// outcome, what it rests on, and no names.
type Verdict struct {
	Visit     ward.VisitID     `json:"visit"`
	Round     ward.RoundID     `json:"round"`
	Admission ward.AdmissionID `json:"admission"`
	Verdict   ward.Verdict     `json:"verdict"`
	ReasonZH  string           `json:"reason_zh"`
	ReasonEN  string           `json:"reason_en"`
	DecidedBy ward.UserID      `json:"decided_by,omitempty"`
	Opened    time.Time        `json:"opened,omitzero"`
	Consented time.Time        `json:"consented,omitzero"`
	Sealed    time.Time        `json:"sealed"`
	Checks    []Check          `json:"checks"`
	Events    string           `json:"events_sha256"` // of the JSON array of the visit's events
	Segments  []Part           `json:"segments"`      // of the recording, as far as committed
	Snapshot  string           `json:"snapshot_sha256,omitempty"`
	Policy    int              `json:"policy,omitempty"`  // version of the check policy
	Purpose   ward.Purpose     `json:"purpose,omitempty"` // none: a ward round
}

// Check is one of a verdict's checks.
type Check struct {
	Kind    ward.CheckKind `json:"kind"`
	Outcome ward.Outcome   `json:"outcome"`
	Score   float32        `json:"score"`
	Detail  string         `json:"detail"`
	// Enrolment and Proxy are of the reference face that was compared with.
	Enrolment int  `json:"enrolment,omitempty"`
	Proxy     bool `json:"proxy,omitempty"`
}

// Part is one segment of a visit's recording.
type Part struct {
	ID     ward.SegmentID `json:"id"`
	SHA256 string         `json:"sha256"`
}

// Stretch is what the ledger commits to when somebody adds a stretch of a
// source's recording to a case: what there is of it at that time, and where and
// why there is nothing.
type Stretch struct {
	Source      ward.Source        `json:"source"`
	Institution ward.InstitutionID `json:"institution"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`
	RecordedMS  int64              `json:"recorded_ms"` // as it happened
	FilledMS    int64              `json:"filled_ms"`   // of Gaps, given by the device afterwards
	Segments    []Part             `json:"segments"`
	Gaps        []Gap              `json:"gaps"`
	By          ward.UserID        `json:"by"`
}

// Upload is what the ledger commits to when somebody adds a file to a case.
type Upload struct {
	Institution ward.InstitutionID `json:"institution"`
	Name        string             `json:"name"`       // as the person called it; no path
	MediaType   string             `json:"media_type"` // by its first bytes
	Bytes       int64              `json:"bytes"`
	SHA256      string             `json:"sha256"`
	By          ward.UserID        `json:"by"`
	Derived     *Derived           `json:"derived,omitempty"` // this system made it of another item
}

// Derived says of what a derivative was made, and how.
type Derived struct {
	From   string             `json:"from"`             // the item, kind/ref
	SHA256 string             `json:"sha256"`           // of its bytes, hex
	Tool   string             `json:"tool"`             // with its version
	Model  string             `json:"model,omitempty"`  // of the face detector, when faces were covered
	Plan   ward.RedactionPlan `json:"plan"`             // what is covered
	Reason string             `json:"reason,omitempty"` // why
}

// Sighting is what the ledger commits to when what a detector saw is added to
// a case: all of it but the face's template, which is biometric data.
type Sighting struct {
	ID          ward.SightingID    `json:"id"`
	Camera      ward.CameraID      `json:"camera"`
	Place       ward.PlaceID       `json:"place"`
	Institution ward.InstitutionID `json:"institution"`
	Kind        ward.SightingKind  `json:"kind"`
	From        time.Time          `json:"from"`
	To          time.Time          `json:"to"`    // the last picture that showed it
	Count       int                `json:"count"` // as ward.Sighting
	Score       float32            `json:"score"` // of the best detection, 0 to 1
	Box         ward.Box           `json:"box"`   // in the picture
	Zone        ward.ZoneKind      `json:"zone,omitempty"`
	Model       string             `json:"model_id"`
	Snapshot    string             `json:"snapshot_sha256,omitempty"` // absent: no picture is kept
	By          ward.UserID        `json:"by"`
}

// Gap is a part of a Stretch that was not recorded, or is there no more.
type Gap struct {
	From  time.Time  `json:"from"`
	To    time.Time  `json:"to"`
	Cause ward.Cause `json:"cause"`
}

// Custody is the record that a custody event's leaf commits to.
type Custody struct {
	CaseID ward.CaseID `json:"case_id"`
	Seq    int64       `json:"seq"` // from 1 per case, without holes
	At     time.Time   `json:"at"`
	Actor  ward.UserID `json:"actor"`
	Role   ward.Role   `json:"role"`
	Action ward.Action `json:"action"`
	Object string      `json:"object"`
	SHA256 string      `json:"sha256"`
	Reason string      `json:"reason"`
	// Prev is the SHA-256 (hex) of the sealed bytes of the case's event
	// before this one, empty for the first.
	Prev   string      `json:"prev"`
	Result ward.Result `json:"result,omitempty"`
	ward.Means
}
