package ward

import "time"

// Case 案件 has a number and holds evidence.
type Case struct {
	ID            CaseID        `json:"id"`
	Number        string        `json:"number"` // 医保稽〔2026〕000001号, unique
	InstitutionID InstitutionID `json:"institution_id"`
	Title         string        `json:"title"`
	Opened        time.Time     `json:"opened"`
	OpenedBy      UserID        `json:"opened_by"`
}

// EvidenceKind says what an item is.
type EvidenceKind string

// The kinds of Evidence. Ref is the id of the thing itself.
const (
	EvidenceSegment    EvidenceKind = "segment"
	EvidenceSnapshot   EvidenceKind = "snapshot" // Ref is the object key
	EvidenceSettlement EvidenceKind = "settlement"
	EvidenceAlert      EvidenceKind = "alert"
	EvidenceVisit      EvidenceKind = "visit"
	EvidenceFile       EvidenceKind = "file"     // that somebody added: a bill, a photo; Ref is the object key
	EvidenceStretch    EvidenceKind = "stretch"  // of a source's recording, with its gaps; Ref is the item's own id
	EvidenceSighting   EvidenceKind = "sighting" // what a detector saw, as it stood when it was added
	EvidenceBlind      EvidenceKind = "blind"    // a blind period, with its pictures
	EvidenceDraw       EvidenceKind = "draw"     // a draw that has ended, with each of its sealed steps
	EvidenceOutage     EvidenceKind = "outage"   // that an institution reported, with every version of it
)

// Evidence is one item of a case.
type Evidence struct {
	ID      EvidenceID   `json:"id"`
	CaseID  CaseID       `json:"case_id"`
	Kind    EvidenceKind `json:"kind"`
	Ref     string       `json:"ref"`
	SHA256  [32]byte     `json:"-"` // of the object or of the canonical record
	Added   time.Time    `json:"added"`
	AddedBy UserID       `json:"added_by"`
	Leaf    int64        `json:"leaf"`
}

// Action is what was done to evidence or media.
type Action string

// The custody actions.
const (
	ActionOpenCase   Action = "open_case"
	ActionAdd        Action = "add"
	ActionView       Action = "view"
	ActionExport     Action = "export"
	ActionEndExport  Action = "end_export"  // an export was not fetched whole, or an original changed in it: the reason says which
	ActionRule       Action = "rule"        // two people ruled over a visit of the case
	ActionIdentify   Action = "identify"    // a face was compared with an enrolment for a terminal
	ActionFile       Action = "file"        // the file was changed: subjects, cause, officers
	ActionReview     Action = "review"      // it was handed in, passed, returned, appealed or closed
	ActionShare      Action = "share"       // the case's package may be fetched by a person outside; the hash is of the salted name
	ActionOpened     Action = "opened"      // that person came, with the code
	ActionUnshare    Action = "unshare"     // the link was withdrawn, or closed by wrong codes
	ActionHandOver   Action = "hand_over"   // the package was delivered whole; the hash is of the zip
	ActionSignIn     Action = "sign_in"     // of an administrator, or a way to sign in was made: the reason says which
	ActionAskRelease Action = "ask_release" // one person asks that what the case holds be let go; the hash is of what
	ActionRelease    Action = "release"     // another confirmed that
	ActionKeepHold   Action = "keep_hold"   // the request was refused or taken back
	ActionPermit     Action = "permit"      // a user was added or changed: the reason is role and scope
	ActionLetter     Action = "letter"      // a letter was written, issued, delivered, answered or withdrawn: the reason says which
	ActionPrint      Action = "print"       // a document of the case was printed; the hash is of its PDF
	ActionSearch     Action = "search"      // a person was looked up by number: the reason says why
	ActionPlay       Action = "play"        // a recording was played
	ActionRedact     Action = "redact"      // a copy was made in which parts cannot be recognised; the hash is of the original
	ActionAskUnmask  Action = "ask_unmask"  // one person asks to see such an original
	ActionLiftMask   Action = "lift_mask"   // another agreed to that, for an hour
	ActionUnmask     Action = "unmask"      // what was made unrecognisable was shown as it is
	ActionKeepMask   Action = "keep_mask"   // the request was refused or taken back
	ActionState      Action = "state"       // somebody said why they look at the evidence; the object is the session
	ActionReceipt    Action = "receipt"     // that person confirmed it; the hash is of the zip
)

// Custody is one touch of a case's evidence, or a view of media outside a
// case (CaseID empty). Seq counts per case without holes.
type Custody struct {
	CaseID CaseID    `json:"case_id"`
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Actor  UserID    `json:"actor"`
	Role   Role      `json:"role"`
	Action Action    `json:"action"`
	Object string    `json:"object"` // kind/id
	SHA256 string    `json:"sha256"` // hex, of the bytes concerned, or empty
	Reason string    `json:"reason"`
	Leaf   int64     `json:"leaf"`
	Result Result    `json:"result,omitempty"`
	Means
}
