package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// ReleaseState says how far a HoldRelease is.
type ReleaseState string

// The states of a HoldRelease.
const (
	ReleaseRequested ReleaseState = "requested" // waits for another person
	ReleaseConfirmed ReleaseState = "confirmed" // what it names is held no more
	ReleaseRefused   ReleaseState = "refused"   // or taken back by who requested it
)

// HoldRelease ends what a case holds at the moment of the request: two people
// do it by name. What the case comes to hold afterwards stays held.
type HoldRelease struct {
	ID            ReleaseID     `json:"id"`
	CaseID        CaseID        `json:"case_id"`
	InstitutionID InstitutionID `json:"institution_id"`
	State         ReleaseState  `json:"state"`
	Reason        string        `json:"reason"`
	Count         int           `json:"count"`        // stretches of recording and pictures that it names
	Holds         string        `json:"holds_sha256"` // hex, of their ids, sorted, each with a line feed
	RequestedBy   UserID        `json:"requested_by"`
	Requested     time.Time     `json:"requested"`
	AnsweredBy    UserID        `json:"answered_by,omitempty"`
	Answered      time.Time     `json:"answered,omitzero"`
	Answer        string        `json:"answer,omitempty"` // why it was refused
	Leaf          int64         `json:"leaf"`             // of the request
	AnswerLeaf    int64         `json:"answer_leaf"`      // -1: none yet
}

// maxReleaseText bounds a reason, in characters.
const maxReleaseText = 1000

// Check says what is wrong with a request, if anything.
func (r HoldRelease) Check() error {
	if strings.TrimSpace(r.Reason) == "" || utf8.RuneCountInString(r.Reason) > maxReleaseText {
		return &Error{Kind: Invalid, Code: "release.reason", ZH: "请填写解除冻结的理由（不超过 1000 字）。", EN: "Give the reason for the release (at most 1000 characters)."}
	}
	if r.Count == 0 {
		return &Error{Kind: Conflict, Code: "release.nothing", ZH: "该案件目前没有冻结任何录像或图片。", EN: "The case holds no recording and no picture at present."}
	}
	return nil
}

// MayAnswer says whether by may answer the request so.
func (r HoldRelease) MayAnswer(by UserID, agree bool, answer string) error {
	switch {
	case r.State != ReleaseRequested:
		return &Error{Kind: Conflict, Code: "release.answered", ZH: "该解除申请已有答复，请刷新页面。", EN: "The request has been answered; reload the page."}
	case agree && by == r.RequestedBy:
		return &Error{Kind: Forbidden, Code: "release.same_person", ZH: "申请人不能自己确认解除，须由另一人确认。", EN: "Another person must confirm the release; not the one who requested it."}
	case !agree && strings.TrimSpace(answer) == "" || utf8.RuneCountInString(answer) > maxReleaseText:
		return &Error{Kind: Invalid, Code: "release.answer", ZH: "不同意或撤回须填写理由（不超过 1000 字）。", EN: "Give the reason of a refusal (at most 1000 characters)."}
	}
	return nil
}
