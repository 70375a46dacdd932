package ward

import "time"

// Insured is a 参保人. Name and IDNumber are personal data, stored sealed.
type Insured struct {
	ID       InsuredID `json:"id"`
	Name     string    `json:"name"`
	IDNumber string    `json:"id_number"`
	Enrolled bool      `json:"enrolled"` // a reference face is stored
	PhotoKey string    `json:"-"`
	Template Template  `json:"-"`
	ModelID  string    `json:"-"`
}

// MaxPhoto is the largest enrolment photo in bytes: 8 MB is a 24-megapixel
// JPEG. Whoever takes photos or speaks of the limit takes it from here.
const MaxPhoto = 8 << 20

// Masked returns the person with the name and number masked for people who
// may not see them: 张*, 110***********001X.
func (p Insured) Masked() Insured {
	if r := []rune(p.Name); len(r) > 0 {
		p.Name = string(r[0]) + "*"
	}
	if n := len(p.IDNumber); n >= 8 {
		b := []byte(p.IDNumber)
		for i := 3; i < n-4; i++ {
			b[i] = '*'
		}
		p.IDNumber = string(b)
	} else if n > 0 {
		p.IDNumber = "***"
	}
	return p
}

// SettlementKind says what was billed.
type SettlementKind string

// The kinds of Settlement.
const (
	Outpatient   SettlementKind = "outpatient" // 门诊
	DrugSale     SettlementKind = "drug_sale"  // 购药
	TreatmentFee SettlementKind = "treatment"  // 治疗
	Inpatient    SettlementKind = "inpatient"  // 住院结算
)

// SettlementState is pending until the correlator has judged it.
type SettlementState string

// The states of a Settlement.
const (
	Pending    SettlementState = "pending"
	Clear      SettlementState = "clear"       // every rule looked and none fired
	Suspicious SettlementState = "suspicious"  // at least one alert
	CannotTell SettlementState = "cannot_tell" // the camera was missing, blind or too poor
)

// Settlement 结算 is one billing event at a counter.
type Settlement struct {
	ID            SettlementID    `json:"id"`
	InstitutionID InstitutionID   `json:"institution_id"`
	PlaceID       PlaceID         `json:"place_id"`
	ExternalNo    string          `json:"external_no"` // the billing system's number, unique per institution
	InsuredID     InsuredID       `json:"insured_id"`
	Kind          SettlementKind  `json:"kind"`
	At            time.Time       `json:"at"`         // when the card was swiped
	AmountFen     int64           `json:"amount_fen"` // 分
	Received      time.Time       `json:"received"`
	Due           time.Time       `json:"due"` // not judged before: the sightings around At must be in
	State         SettlementState `json:"state"`
	Reason        string          `json:"reason"` // why cannot_tell: a code such as "no_camera"
}

// SightingKind says what was seen.
type SightingKind string

// The kinds of Sighting.
const (
	Watched    SightingKind = "watched" // pictures were analysed; without it nobody seen means nothing
	PeopleSeen SightingKind = "people"  // at least one person, without a break
	FaceSeen   SightingKind = "face"    // one person's face, tracked
)

// Sighting is what the detectors saw of one thing at one camera over one
// stretch of time. It is opened when the thing appears, extended while it
// lasts, and closed by the debouncer.
type Sighting struct {
	ID            SightingID    `json:"id"`
	CameraID      CameraID      `json:"camera_id"`
	PlaceID       PlaceID       `json:"place_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Kind          SightingKind  `json:"kind"`
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to"`    // the last picture that showed it
	Count         int           `json:"count"` // most people at once; pictures for watched; comparable pictures for a face
	Score         float32       `json:"score"` // the best detection
	Box           Box           `json:"box"`   // in the best shot
	ModelID       string        `json:"model_id"`
	Template      Template      `json:"-"` // of the best shots, fused
	SnapshotKey   string        `json:"-"` // the best shot, in the object store
}

// AlertState is where an alert stands: new → taken → confirmed or dismissed → case; a dismissal may be reopened.
type AlertState string

// The states of an Alert.
const (
	AlertNew       AlertState = "new"
	AlertTaken     AlertState = "taken"
	AlertConfirmed AlertState = "confirmed"
	AlertDismissed AlertState = "dismissed"
)

// Rule names a rule of the correlator.
type Rule string

// The rules.
const (
	NobodyAtCounter  Rule = "nobody_at_counter"   // 空刷
	FaceMismatch     Rule = "face_mismatch"       // 冒名
	OneFaceManyCards Rule = "one_face_many_cards" // 一人多卡
)

// Severity orders alerts: 1 low to 3 high.
type Severity int

// Alert 疑点: a rule fired on a settlement. One rule fires at most once on one settlement.
type Alert struct {
	ID            AlertID        `json:"id"`
	InstitutionID InstitutionID  `json:"institution_id"`
	PlaceID       PlaceID        `json:"place_id"`
	CameraID      CameraID       `json:"camera_id"`
	Rule          Rule           `json:"rule"`
	RuleVersion   int            `json:"rule_version"`
	SettlementID  SettlementID   `json:"settlement_id"`
	Related       []SettlementID `json:"related"` // the other cards of one_face_many_cards
	At            time.Time      `json:"at"`      // the settlement's moment
	Raised        time.Time      `json:"raised"`
	Severity      Severity       `json:"severity"`
	State         AlertState     `json:"state"`
	DecidedBy     UserID         `json:"decided_by"`
	DecisionNote  string         `json:"decision_note"`
	Sightings     []SightingID   `json:"sightings"`
	ExplainZH     string         `json:"explain_zh"` // no personal data
	ExplainEN     string         `json:"explain_en"`
	SnapshotKey   string         `json:"-"`
	SnapshotSHA   [32]byte       `json:"-"`         // SHA-256 of the snapshot; zero when there is none
	ClipFrom      time.Time      `json:"clip_from"` // 20 s before
	ClipTo        time.Time      `json:"clip_to"`   // 20 s after
	CaseID        CaseID         `json:"case_id"`
	Leaf          int64          `json:"leaf"`
}

// The clip around an alert.
const (
	ClipBefore = 20 * time.Second
	ClipAfter  = 20 * time.Second
)

// Apply moves the alert to state next, or says why it cannot.
func (a *Alert) Apply(next AlertState, by UserID, note string) error {
	ok := false
	switch a.State {
	case AlertNew:
		ok = next != AlertNew
	case AlertTaken:
		ok = next == AlertConfirmed || next == AlertDismissed
	case AlertDismissed:
		ok = next == AlertNew // reopened on appeal
	case AlertConfirmed:
		ok = false
	}
	if !ok {
		return &Error{Kind: Conflict, Code: "alert.state", ZH: "疑点当前状态不允许此操作，请刷新后重试。", EN: "The alert's state does not allow this; reload and try again."}
	}
	if (next == AlertDismissed || next == AlertConfirmed) && note == "" {
		return &Error{Kind: Invalid, Code: "alert.note_missing", ZH: "请填写处理理由。", EN: "Give a reason for the decision."}
	}
	a.State, a.DecidedBy, a.DecisionNote = next, by, note
	return nil
}
