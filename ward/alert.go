package ward

import (
	"slices"
	"time"
)

// AlertState is where an alert stands: new → taken → confirmed or dismissed →
// case. A dismissal can be reopened, a confirmation appealed.
type AlertState string

// The states of an Alert.
const (
	AlertNew       AlertState = "new"
	AlertTaken     AlertState = "taken"     // somebody's task
	AlertAppealed  AlertState = "appealed"  // confirmed once; to be decided again
	AlertConfirmed AlertState = "confirmed" // it was fraud
	AlertDismissed AlertState = "dismissed"
	AlertWithdrawn AlertState = "withdrawn" // what it rests on was corrected or reversed and no longer holds
)

// Open says whether an alert in this state waits for a decision.
func (s AlertState) Open() bool { return s == AlertNew || s == AlertTaken || s == AlertAppealed }

// Severity orders alerts: 1 low to 3 high.
type Severity int

// AlertSubject says what an alert is about.
type AlertSubject string

// The subjects of alerts.
const (
	OnSettlement AlertSubject = "settlement"
	OnBlind      AlertSubject = "blind" // a blind period
)

// Alert 疑点: a rule fired on a settlement or on a blind period. One rule fires at most once on one of them.
type Alert struct {
	ID            AlertID        `json:"id"`
	InstitutionID InstitutionID  `json:"institution_id"`
	PlaceID       PlaceID        `json:"place_id"`
	CameraID      CameraID       `json:"camera_id"`
	Rule          Rule           `json:"rule"`
	RuleVersion   int            `json:"rule_version"`
	Subject       AlertSubject   `json:"subject_kind"`
	SettlementID  SettlementID   `json:"settlement_id"` // empty when it is not about one
	BlindID       BlindID        `json:"blind_id"`      // empty when it is not about a blind period
	Related       []SettlementID `json:"related"`       // the other cards of one_face_many_cards; of a blind period the first that were settled meanwhile
	At            time.Time      `json:"at"`            // the settlement's moment, or since when a camera was blind unreported
	Raised        time.Time      `json:"raised"`
	Severity      Severity       `json:"severity"`
	State         AlertState     `json:"state"`
	DecidedBy     UserID         `json:"decided_by"` // who confirmed or dismissed it
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
	Shadow        bool           `json:"shadow"`   // of a rule in shadow: recorded, not shown
	Revision      int            `json:"revision"` // of the settlement when it was raised

	Version  int64         `json:"version"` // counts its steps; a decision names the one it was made on
	Assignee UserID        `json:"assignee"`
	Deadline time.Time     `json:"deadline,omitzero"` // for the decision; zero: none
	Decided  time.Time     `json:"decided,omitzero"`
	Reason   DismissReason `json:"reason_code"`
	Appealed bool          `json:"appealed"` // at any time
	Quiet    bool          `json:"quiet"`    // its rule and camera cooled down when it was raised: no reason to call a person
	Next     time.Time     `json:"-"`        // when its assignee is reminded, or it is overdue; zero: never again
}

// About says what the alert is about, and its id.
func (a *Alert) About() (AlertSubject, string) {
	if a.BlindID != "" {
		return OnBlind, string(a.BlindID)
	}
	return OnSettlement, string(a.SettlementID)
}

// The clip around an alert.
const (
	ClipBefore = 20 * time.Second
	ClipAfter  = 20 * time.Second
)

// Withdrawable says whether the alert falls when it no longer holds: not when
// a person has ever confirmed it, or has dismissed it, or it is in a case.
func (a *Alert) Withdrawable() bool {
	return (a.State == AlertNew || a.State == AlertTaken) && !a.Appealed && a.CaseID == ""
}

// AlertAction is one step of an alert's life.
type AlertAction string

// The actions. Persons take those that Personal names.
const (
	AlertRaise    AlertAction = "raise"
	AlertRestate  AlertAction = "restate"  // it holds again, or on another revision of the settlement
	AlertWithdraw AlertAction = "withdraw" // it no longer holds
	AlertRemind   AlertAction = "remind"   // its deadline is near
	AlertExpire   AlertAction = "expire"   // its deadline has passed: overdue
	AlertFile     AlertAction = "file"     // a case was opened with it
	AlertTake     AlertAction = "take"
	AlertAssign   AlertAction = "assign"
	AlertRelease  AlertAction = "release" // give it back
	AlertExtend   AlertAction = "extend"  // another deadline
	AlertConfirm  AlertAction = "confirm"
	AlertDismiss  AlertAction = "dismiss"
	AlertReopen   AlertAction = "reopen" // a dismissed one
	AlertAppeal   AlertAction = "appeal" // by the institution, against a confirmation
)

// Personal says whether the action is a reviewer's own decision.
func (a AlertAction) Personal() bool {
	return slices.Contains([]AlertAction{AlertTake, AlertAssign, AlertRelease, AlertExtend, AlertConfirm, AlertDismiss, AlertReopen}, a)
}

// from are the states in which an action is possible.
func (a AlertAction) from() []AlertState {
	switch a {
	case AlertRaise:
		return []AlertState{""}
	case AlertRestate:
		return []AlertState{AlertNew, AlertTaken, AlertWithdrawn}
	case AlertWithdraw:
		return []AlertState{AlertNew, AlertTaken}
	case AlertFile:
		return []AlertState{AlertNew, AlertTaken, AlertAppealed, AlertConfirmed, AlertDismissed, AlertWithdrawn}
	case AlertTake:
		return []AlertState{AlertNew, AlertAppealed}
	case AlertAssign, AlertExtend, AlertConfirm, AlertDismiss, AlertRemind, AlertExpire:
		return []AlertState{AlertNew, AlertTaken, AlertAppealed}
	case AlertRelease:
		return []AlertState{AlertTaken}
	case AlertReopen:
		return []AlertState{AlertDismissed}
	case AlertAppeal:
		return []AlertState{AlertConfirmed}
	}
	return nil
}

// DismissReason says why an alert was dismissed. How precise a rule is, is
// counted from it: see Counts.
type DismissReason string

// The reasons.
const (
	NotDismissed      DismissReason = ""
	DismissWrong      DismissReason = "wrong"      // the pictures show something else
	DismissLegitimate DismissReason = "legitimate" // as the rule says, and allowed
	DismissUnclear    DismissReason = "unclear"    // cannot be proven
	DismissDuplicate  DismissReason = "duplicate"  // decided with another alert
	DismissTest       DismissReason = "test"       // a test or training
)

// Counts says whether such a dismissal counts against the rule.
func (r DismissReason) Counts() bool { return r != DismissDuplicate && r != DismissTest }

// AlertStep is what somebody does to an alert, or the system when By is empty.
type AlertStep struct {
	Action   AlertAction
	By       UserID
	At       time.Time
	Note     string
	Reason   DismissReason // of a dismissal
	Assignee UserID        // of an assignment
	Deadline time.Time     // of an extension
}

// AlertEvent is a step that was taken. Seq counts an alert's from 1 without
// holes; At is zero for steps of before they were rows.
type AlertEvent struct {
	Seq      int64         `json:"seq"`
	At       time.Time     `json:"at,omitzero"`
	By       UserID        `json:"by"`
	Action   AlertAction   `json:"action"`
	From     AlertState    `json:"from,omitempty"`
	To       AlertState    `json:"to"`
	Note     string        `json:"note"`
	Reason   DismissReason `json:"reason_code"`
	Assignee UserID        `json:"assignee"`
	Deadline time.Time     `json:"deadline,omitzero"`
	Leaf     int64         `json:"leaf"`
}
