package ward

import "time"

// Admission 住院 is an insured person's stay in a bed.
type Admission struct {
	ID            AdmissionID   `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	InsuredID     InsuredID     `json:"insured_id"`
	Ward          string        `json:"ward"`
	Bed           string        `json:"bed"`
	Physician     string        `json:"physician"`
	From          time.Time     `json:"from"`
	To            time.Time     `json:"to,omitzero"` // absent while the stay lasts
}

// Round 查房 is one command to one institution.
type Round struct {
	ID            RoundID       `json:"id"`
	InstitutionID InstitutionID `json:"institution_id"`
	OrderedBy     UserID        `json:"ordered_by"`
	Reason        string        `json:"reason"`
	Ward          string        `json:"ward"`
	Ordered       time.Time     `json:"ordered"`
	Deadline      time.Time     `json:"deadline"`
	Purpose       Purpose       `json:"purpose"`
	Method        RoundMethod   `json:"method"`                 // how its beds were chosen
	RiskVersion   int           `json:"risk_version,omitempty"` // of the scores that ranked them
	DrawID        DrawID        `json:"draw_id,omitempty"`
	Leaf          int64         `json:"leaf"`
	PlanID        PlanID        `json:"plan_id,omitempty"`
	Due           time.Time     `json:"due,omitzero"`       // when its plan wanted it; Ordered says how late it was
	Remind        time.Time     `json:"remind,omitzero"`    // when who has not answered is reminded
	Notify        []EndpointID  `json:"notify"`             // who is reminded, and told when nobody answered
	Reminded      time.Time     `json:"reminded,omitzero"`  // it was
	Escalated     time.Time     `json:"escalated,omitzero"` // they were told
	Run           *PlanRun      `json:"-"`                  // that the order ends
	// Scores are the risks that the beds were chosen by; they are sealed with the order.
	Scores map[AdmissionID]int `json:"-"`
}

// VisitState is where a visit stands: ordered → opened → consented → checking → (deciding →) sealed.
type VisitState string

// The states of a Visit.
const (
	VisitOrdered   VisitState = "ordered"   // the link is out
	VisitOpened    VisitState = "opened"    // a device holds the link
	VisitConsented VisitState = "consented" // the person agreed; media may flow
	VisitChecking  VisitState = "checking"  // challenges and face
	VisitDeciding  VisitState = "deciding"  // unsure: a human decides
	VisitSealed    VisitState = "sealed"    // has a verdict, in the ledger
)

// Verdict is how a visit ended.
type Verdict string

// The verdicts.
const (
	NoVerdict   Verdict = ""
	Present     Verdict = "present"     // every required check passed in this session, or a named human said so
	Mismatch    Verdict = "mismatch"    // somebody else answered
	Absent      Verdict = "absent"      // decided by a human: not there
	Unable      Verdict = "unable"      // could not do the checks (asleep, ICU…), or failed the live check
	Refused     Verdict = "refused"     // declined, lawfully
	NoAnswer    Verdict = "no_answer"   // nobody joined by the deadline
	Discharged  Verdict = "discharged"  // nobody joined, and by the register the patient was discharged by then
	Interrupted Verdict = "interrupted" // cut off before the end
	Undecided   Verdict = "undecided"   // a human must decide; never stored as sealed
)

// Visit is one bed in a round, or one physician in an order of ForDuty or ForDutyCheck.
type Visit struct {
	ID            VisitID       `json:"id"`
	RoundID       RoundID       `json:"round_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	Purpose       Purpose       `json:"purpose"`
	PhysicianID   PhysicianID   `json:"physician_id,omitempty" doc:"Who is verified instead of a patient"`
	DutyID        DutyID        `json:"duty_id,omitempty" doc:"The start of the shift during which the physician is checked"`
	AdmissionID   AdmissionID   `json:"admission_id"`
	InsuredID     InsuredID     `json:"insured_id"`
	TreatmentID   TreatmentID   `json:"treatment_id,omitempty" doc:"The session whose call it answers, or which it ends"`
	TreatmentCall int           `json:"treatment_call,omitempty" doc:"The call; 0: the end"`
	Ward          string        `json:"ward"`
	Bed           string        `json:"bed"`
	State         VisitState    `json:"state"`
	Verdict       Verdict       `json:"verdict"`
	ReasonZH      string        `json:"reason_zh"`
	ReasonEN      string        `json:"reason_en"`
	DecidedBy     UserID        `json:"decided_by"` // when a human decided
	LinkExpires   time.Time     `json:"link_expires,omitzero"`
	Opened        time.Time     `json:"opened,omitzero"`
	Consented     time.Time     `json:"consented,omitzero"`
	Sealed        time.Time     `json:"sealed,omitzero"`
	SnapshotKey   string        `json:"-"`
	SnapshotSHA   [32]byte      `json:"-"`
	CaseID        CaseID        `json:"case_id"`
	Leaf          int64         `json:"leaf"`
	// Policy is the version of the CheckPolicy that its checks were judged by; 0: built in.
	Policy int `json:"policy,omitempty"`
	// DecideBy is until when a human is to decide a visit in VisitDeciding.
	DecideBy time.Time `json:"decide_by,omitzero"`
}

// Who tells whom the visit is to meet from everybody else: the insured person's id, or "physician/" and the id.
func (v Visit) Who() string {
	if v.PhysicianID != "" {
		return "physician/" + string(v.PhysicianID)
	}
	return string(v.InsuredID)
}

// CheckKind names one test in a visit.
type CheckKind string

// The checks of a visit.
const (
	CheckLive CheckKind = "liveness" // random challenges, answered in time, moving pictures
	CheckFace CheckKind = "face"     // compared with the enrolled photo over several frames

	// The kinds of challenge that the live check is made of.
	CheckTurn  CheckKind = "turn"
	CheckNod   CheckKind = "nod"
	CheckEyes  CheckKind = "eyes"  // shut
	CheckMouth CheckKind = "mouth" // opened

	// CheckColours looks for the reflection of the screen's colours on the face.
	CheckColours CheckKind = "colours"

	// CheckOtherBed fails when the same person answers for another bed of the round.
	CheckOtherBed CheckKind = "other_bed"
	// CheckSeenBefore fails when the pictures are those of an earlier visit.
	CheckSeenBefore CheckKind = "seen_before"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes of a check.
const (
	Pass    Outcome = "pass"
	Fail    Outcome = "fail"
	Unsure  Outcome = "unsure"   // a human decides
	NotDone Outcome = "not_done" // cut off, or no enrolment to compare with
)

// Check is one test in a visit. Detail never holds a score that the bedside could see.
type Check struct {
	VisitID  VisitID   `json:"visit_id"`
	Kind     CheckKind `json:"kind"`
	Outcome  Outcome   `json:"outcome"`
	DetailZH string    `json:"detail_zh"`
	DetailEN string    `json:"detail_en"`
	Score    float32   `json:"score"` // cosine, or challenges passed over asked; for inspectors only
	At       time.Time `json:"at"`
	// Enrolment is the version of the reference face that CheckFace was judged
	// against; 0: none, or one from before versions were kept.
	Enrolment int  `json:"enrolment,omitempty"`
	Proxy     bool `json:"proxy,omitempty"` // that version was enrolled while the person was not there
}

// VisitEvent is one step of a visit's protocol: a prompt sent, a receipt,
// an answer, a network change. Seq counts from 1 without holes.
type VisitEvent struct {
	VisitID VisitID   `json:"visit_id"`
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"` // "command", "receipt", "consent", "joined", "left", "check"…
	Body    string    `json:"body"` // JSON without personal data
}
