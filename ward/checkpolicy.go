package ward

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Purpose is what people are verified for.
type Purpose string

// The purposes.
const (
	ForVisit     Purpose = "visit"      // a patient in a ward round
	ForDuty      Purpose = "duty"       // a physician who begins a shift by a link
	ForDutyCheck Purpose = "duty_check" // a physician on duty, by surprise
	ForTreatment Purpose = "treatment"  // a patient at a treatment session
	ForEnrolment Purpose = "enrolment"  // a patient whose reference face is taken
)

// OfPhysician says whether a physician is verified, and no patient.
func (p Purpose) OfPhysician() bool { return p == ForDuty || p == ForDutyCheck }

// Need says what a check counts for.
type Need string

// The needs.
const (
	Required Need = "required" // a failure decides; present takes a pass
	Advisory Need = "advisory" // shown to whoever decides
	Off      Need = "off"      // not done; of the colours only
)

// CheckKinds are the checks that a policy can name.
func CheckKinds() []CheckKind {
	return slices.Concat([]CheckKind{CheckLive, CheckFace, CheckColours, CheckOtherBed, CheckSeenBefore}, LiveParts(), PlaceChecks())
}

// doubts says whether a failure of the check always leaves it to people that
// somebody is present, though the policy calls the check advisory.
func (k CheckKind) doubts() bool {
	return k == CheckOtherBed || k == CheckSeenBefore || k == CheckColours
}

// LiveParts are the checks that the live check is made of. A visit draws
// some of them; one that it did not draw is not missing.
func LiveParts() []CheckKind { return []CheckKind{CheckTurn, CheckNod, CheckEyes, CheckMouth} }

// CheckPolicy says which checks count for what in a ward, an institution or
// everywhere, and how long a human has to decide what they leave open. The
// narrowest one counts. It is never changed: a new version takes its place.
type CheckPolicy struct {
	Version       int                `json:"version"`                                 // 0: built in; a later one has a higher
	InstitutionID InstitutionID      `json:"institution_id,omitempty" maxLength:"64"` // none: all
	Ward          string             `json:"ward,omitempty" maxLength:"64"`           // none: the whole institution
	Purpose       Purpose            `json:"purpose"`
	Checks        map[CheckKind]Need `json:"checks"`
	ProxyUnsure   bool               `json:"proxy_unsure,omitempty"` // a match with a face that was enrolled by proxy is unsure
	DecideMinutes int                `json:"decide_minutes" minimum:"5" maximum:"10080"`
	Off           bool               `json:"off,omitempty"` // withdrawn: the wider one counts again
	Reason        string             `json:"reason" maxLength:"500"`
	By            UserID             `json:"by,omitempty"`
	At            time.Time          `json:"at,omitzero"`
}

// DefaultCheckPolicy counts until somebody sets another.
func DefaultCheckPolicy() CheckPolicy {
	return CheckPolicy{Purpose: ForVisit, Checks: map[CheckKind]Need{CheckLive: Required, CheckFace: Required}, DecideMinutes: 24 * 60}
}

// Need is what a check counts for: one that the policy does not name is
// advisory, but for the live check and the face.
func (p CheckPolicy) Need(k CheckKind) Need {
	if n, ok := p.Checks[k]; ok {
		return n
	}
	if k == CheckLive || k == CheckFace {
		return Required
	}
	return Advisory
}

// DecideWithin is how long a human has to decide.
func (p CheckPolicy) DecideWithin() time.Duration {
	return time.Duration(p.DecideMinutes) * time.Minute
}

// Covers says whether the policy is for this ward of this institution.
func (p CheckPolicy) Covers(inst InstitutionID, ward string) bool {
	return (p.InstitutionID == "" || p.InstitutionID == inst) && (p.Ward == "" || p.Ward == ward)
}

// Check says what is wrong with the policy.
func (p CheckPolicy) Check() error {
	bad := func(zh, en string) error { return &Error{Kind: Invalid, Code: "check_policy.invalid", ZH: zh, EN: en} }
	switch {
	case p.Purpose != ForVisit:
		return bad("用途无效。", "There is no such purpose.")
	case p.Ward != "" && p.InstitutionID == "":
		return bad("指定病区时须同时指定机构。", "A ward needs its institution.")
	case p.DecideMinutes < 5 || p.DecideMinutes > 7*24*60:
		return bad("人工判定时限应为 5 分钟至 7 天。", "A human has 5 minutes to 7 days to decide.")
	case strings.TrimSpace(p.Reason) == "" || utf8.RuneCountInString(p.Reason) > 500:
		return bad("请填写设置理由（不超过 500 字）。", "Give the reason (at most 500 characters).")
	}
	for k, n := range p.Checks {
		if !slices.Contains(CheckKinds(), k) || n != Required && n != Advisory && (n != Off || k != CheckColours) {
			return bad("检测项目无效。", "There is no such check.")
		}
	}
	return nil
}

// PolicyFor is the narrowest of the policies that covers the ward, or the
// one that is built in. Each scope's newest version counts.
func PolicyFor(all []CheckPolicy, purpose Purpose, inst InstitutionID, ward string) CheckPolicy {
	best, rank := DefaultCheckPolicy(), -1
	for _, p := range all {
		if p.Off || p.Purpose != purpose || !p.Covers(inst, ward) {
			continue
		}
		r := 0
		if p.InstitutionID != "" {
			r++
		}
		if p.Ward != "" {
			r++
		}
		if r > rank {
			best, rank = p, r
		}
	}
	return best
}
