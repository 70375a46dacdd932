package ward

import "time"

// Insured is a 参保人. Name and IDNumber are personal data, stored sealed.
type Insured struct {
	ID        InsuredID `json:"id"`
	Name      string    `json:"name"`
	IDNumber  string    `json:"id_number"`
	Enrolled  bool      `json:"enrolled"`  // a reference face is stored
	Enrolment int       `json:"enrolment"` // the version that counts; 0: none, or before versions were kept
	Proxy     bool      `json:"proxy"`     // it was enrolled while the person was not there
	PhotoKey  string    `json:"-"`
	Template  Template  `json:"-"`
	ModelID   string    `json:"-"`
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

// SettlementRevision is what billing said of a settlement before it corrected it.
type SettlementRevision struct {
	Revision  int            `json:"revision"`
	PlaceID   PlaceID        `json:"place_id"`
	InsuredID InsuredID      `json:"insured_id"`
	Kind      SettlementKind `json:"kind"`
	At        time.Time      `json:"at"`
	AmountFen int64          `json:"amount_fen"`
	Received  time.Time      `json:"received"`
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
	Reversed   SettlementState = "reversed"    // billing took it back; no rule counts it
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
	// Revision counts the corrections that billing has sent.
	Revision int `json:"revision"`
	// Unclear are the rules that could not tell, and why.
	Unclear []Unclear `json:"unclear"`
	// Version counts every change of the row; Stage how far it was judged.
	Version int64 `json:"-"`
	Stage   Stage `json:"-"`
	// IdentityCheck is of a report only: the check that it refers to.
	IdentityCheck IdentityCheckID `json:"-"`
}

// Unclear is a rule that could not tell; Reason is a code such as "no_location".
type Unclear struct {
	Rule   Rule   `json:"rule"`
	Reason string `json:"reason"`
}

// Stage is how far a settlement was judged.
type Stage int

// The stages.
const (
	NotJudged      Stage = iota
	JudgedPromptly       // by what the pictures around it show
	JudgedFully          // also by what comes later, and by the search for its face
)

// SettlementChange is what a report of a settlement changed.
type SettlementChange string

// The changes.
const (
	Unchanged    SettlementChange = ""          // known already, or older than what is known
	WasAdded     SettlementChange = "added"     // its number was not known
	WasCorrected SettlementChange = "corrected" // a later revision replaced what was known
	WasReversed  SettlementChange = "reversed"  // billing took it back
)

// Take applies a further report of the same number; its State is Reversed when
// billing takes the settlement back. The highest revision counts, and once
// reversed stays reversed, so that the order in which reports come does not
// matter. Another content under the same revision is a Conflict.
func (s *Settlement) Take(r Settlement) (SettlementChange, error) {
	change := Unchanged
	switch {
	case r.Revision > s.Revision:
		change = WasCorrected
		s.Revision, s.PlaceID, s.InsuredID, s.Kind, s.At, s.AmountFen = r.Revision, r.PlaceID, r.InsuredID, r.Kind, r.At, r.AmountFen
	case r.Revision == s.Revision && (s.PlaceID != r.PlaceID || s.InsuredID != r.InsuredID || s.Kind != r.Kind || !s.At.Equal(r.At) || s.AmountFen != r.AmountFen):
		return Unchanged, &Error{
			Kind: Conflict, Code: "settlement.differs",
			ZH: "该结算单号已存在且内容不同；更正请使用更大的 revision。", EN: "This settlement number exists with other content; send a correction with a higher revision.",
		}
	}
	if r.State == Reversed && s.State != Reversed {
		change = WasReversed
	}
	switch {
	case change == WasReversed || change == WasCorrected && s.State == Reversed:
		s.State = Reversed
	case change == WasCorrected:
		s.State = Pending
	default:
		return change, nil
	}
	s.Reason, s.Unclear, s.Stage = "", nil, NotJudged
	return change, nil
}

// SightingKind says what was seen.
type SightingKind string

// The kinds of Sighting.
const (
	Watched      SightingKind = "watched"   // pictures were analysed; without it nobody seen means nothing
	PeopleSeen   SightingKind = "people"    // at least one person, without a break: in the customers' zone, or anywhere but in the staff's
	StaffSeen    SightingKind = "staff"     // somebody in the zone of the staff
	QueueSeen    SightingKind = "queue"     // somebody in the zone of those who wait
	FaceSeen     SightingKind = "face"      // one person's face, tracked
	LensSeen     SightingKind = "lens"      // the picture before, at or after a blind period
	LoitererSeen SightingKind = "loitering" // somebody stays at the counter or in the queue without settling
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
	To            time.Time     `json:"to"`             // the last picture that showed it
	Count         int           `json:"count"`          // most people at once; pictures for watched; comparable pictures for a face, those closer than 0.9 s as one
	Score         float32       `json:"score"`          // the best detection
	Box           Box           `json:"box"`            // in the best shot
	Zone          ZoneKind      `json:"zone,omitempty"` // of a face: where it was, the customers' zone before any other
	ModelID       string        `json:"model_id"`
	Template      Template      `json:"-"` // of the best shots, fused
	SnapshotKey   string        `json:"-"` // the best shot, in the object store
	// Seen is when From was, with the process's monotonic reading, when it was
	// seen live and is to be stored; zero for what was seen in a recording.
	Seen time.Time `json:"-"`
}
