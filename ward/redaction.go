package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MaskRegion is a part of the picture that a redaction covers for a while.
type MaskRegion struct {
	Box

	From float64 `json:"from" minimum:"0" doc:"Seconds from the beginning of the recording; 0 of a still"`
	To   float64 `json:"to,omitempty" minimum:"0" doc:"0: until its end"`
}

// RedactionPlan says what a redaction covers. Sound is always left out.
type RedactionPlan struct {
	Faces   bool         `json:"faces" doc:"Every face that the detector finds, for a second before and after too"`
	Regions []MaskRegion `json:"regions" maxItems:"50"`
}

// maxRegions bounds the regions of a plan.
const maxRegions = 50

// Check says what is wrong with a plan, if anything: "redaction.nothing",
// "redaction.region".
func (p RedactionPlan) Check() error {
	if !p.Faces && len(p.Regions) == 0 {
		return &Error{Kind: Invalid, Code: "redaction.nothing", ZH: "请选择遮挡人脸，或框出要遮挡的区域。", EN: "Choose to cover faces, or draw what is to be covered."}
	}
	for _, r := range p.Regions {
		if !(r.X >= 0 && r.Y >= 0 && r.W > 0 && r.H > 0 && r.X+r.W <= 1.001 && r.Y+r.H <= 1.001) || !(r.From >= 0) || !(r.To == 0 || r.To > r.From) || len(p.Regions) > maxRegions {
			return &Error{Kind: Invalid, Code: "redaction.region", ZH: "遮挡区域须在画面内，结束时间晚于开始时间，最多 50 个。", EN: "A region lies in the picture and ends after it begins; at most 50."}
		}
	}
	return nil
}

// At are the regions that are covered at t seconds.
func (p RedactionPlan) At(t float64) []Box {
	var out []Box
	for _, r := range p.Regions {
		if t >= r.From && (r.To == 0 || t <= r.To) {
			out = append(out, r.Box)
		}
	}
	return out
}

// RedactionState says how far a Redaction is.
type RedactionState string

// The states of a Redaction.
const (
	RedactionQueued    RedactionState = "queued" // or being made
	RedactionDone      RedactionState = "done"
	RedactionFailed    RedactionState = "failed"
	RedactionCancelled RedactionState = "cancelled"
)

// Redaction makes a derivative of an item of a case in which parts of the
// picture cannot be recognised. The item itself is not touched. From the moment
// at which it is done, the item is shown as it is only to whom two people allow it.
type Redaction struct {
	ID            RedactionID    `json:"id"`
	CaseID        CaseID         `json:"case_id"`
	InstitutionID InstitutionID  `json:"institution_id"`
	EvidenceID    EvidenceID     `json:"evidence_id"` // what is covered
	State         RedactionState `json:"state"`
	Plan          RedactionPlan  `json:"plan"`
	Reason        string         `json:"reason"`
	By            UserID         `json:"by"`
	Role          Role           `json:"-"`
	Asked         time.Time      `json:"asked"`
	Ended         time.Time      `json:"ended,omitzero"`
	Key           string         `json:"-"`                // of the derivative in the object store
	ResultID      EvidenceID     `json:"result,omitempty"` // the derivative's item
	Fault         string         `json:"fault,omitempty"`  // why it failed: a code
}

// Unmasking lets the one who asked see an item that is covered as it is, for a
// while, when another person agrees.
type Unmasking struct {
	ID            UnmaskingID   `json:"id"`
	CaseID        CaseID        `json:"case_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	EvidenceID    EvidenceID    `json:"evidence_id"`
	State         ReleaseState  `json:"state"`
	Reason        string        `json:"reason"`
	RequestedBy   UserID        `json:"requested_by"`
	Requested     time.Time     `json:"requested"`
	AnsweredBy    UserID        `json:"answered_by,omitempty"`
	Answered      time.Time     `json:"answered,omitzero"`
	Answer        string        `json:"answer,omitempty"` // why it was refused
	Until         time.Time     `json:"until,omitzero"`   // it may be seen until then
	Leaf          int64         `json:"leaf"`
	AnswerLeaf    int64         `json:"answer_leaf"` // -1: none yet
}

// UnmaskedFor is how long two people's agreement lasts.
const UnmaskedFor = time.Hour

// CheckMaskReason says what is wrong with the reason of a redaction or of a
// request to lift one.
func CheckMaskReason(text string) error {
	if strings.TrimSpace(text) == "" || utf8.RuneCountInString(text) > maxReleaseText {
		return &Error{Kind: Invalid, Code: "mask.reason", ZH: "请填写理由（不超过 1000 字）。", EN: "Give the reason (at most 1000 characters)."}
	}
	return nil
}

// MayAnswer says whether by may answer the request so.
func (r Unmasking) MayAnswer(by UserID, agree bool, answer string) error {
	switch {
	case r.State != ReleaseRequested:
		return &Error{Kind: Conflict, Code: "unmask.answered", ZH: "该申请已有答复，请刷新页面。", EN: "The request has been answered; reload the page."}
	case agree && by == r.RequestedBy:
		return &Error{Kind: Forbidden, Code: "unmask.same_person", ZH: "申请人不能自己批准查看原件，须由另一人批准。", EN: "Another person must agree that the original be shown; not the one who requested it."}
	case !agree && CheckMaskReason(answer) != nil:
		return &Error{Kind: Invalid, Code: "unmask.answer", ZH: "不同意或撤回须填写理由（不超过 1000 字）。", EN: "Give the reason of a refusal (at most 1000 characters)."}
	}
	return nil
}

// Masked is the error of whoever may not see an item as it is.
func Masked() error {
	return &Error{Kind: Forbidden, Code: "evidence.masked", ZH: "该证据已遮挡：请查看遮挡件；查看原件须说明理由并经另一人批准。", EN: "This item is covered: look at its redacted copy. To see the original, request it with a reason; another person must agree."}
}
