package ward

import (
	"slices"
	"time"
)

// LetterKind is a rung of the supervision ladder 三函.
type LetterKind string

// The kinds of letter to an institution.
const (
	Reminder  LetterKind = "reminder"  // 提醒函: look at this and put it right
	Interview LetterKind = "interview" // 约谈函: come and explain
	Audit     LetterKind = "audit"     // 稽核函: we check, have this ready
)

// Numbers is the pattern of a kind's numbers; see ParseCaseNumbers.
func (k LetterKind) Numbers() CaseNumbers {
	before := map[LetterKind]string{Reminder: "医保提醒", Interview: "医保约谈", Audit: "医保稽核"}[k]
	return CaseNumbers{before + "〔{year}〕", "号", 3}
}

// LetterState is where a letter stands.
type LetterState string

// The states of a letter.
const (
	LetterDraft        LetterState = "draft"
	LetterIssued       LetterState = "issued"       // numbered, its PDF is evidence; no word changes any more
	LetterDelivered    LetterState = "delivered"    // how, and to whom, is noted
	LetterAcknowledged LetterState = "acknowledged" // who answered what is noted
	LetterWithdrawn    LetterState = "withdrawn"
)

// LetterAction moves a letter.
type LetterAction string

// The actions.
const (
	LetterWrite       LetterAction = "write" // begin, or change the words
	LetterIssue       LetterAction = "issue" // by somebody who wrote none of it
	LetterDeliver     LetterAction = "deliver"
	LetterAcknowledge LetterAction = "acknowledge"
	LetterWithdraw    LetterAction = "withdraw"
)

// LetterWords are what a letter says.
type LetterWords struct {
	Kind      LetterKind `json:"kind"`
	Recipient string     `json:"recipient" minLength:"1" maxLength:"100"`
	Body      string     `json:"body" minLength:"1" maxLength:"5000"`
	RespondBy time.Time  `json:"respond_by,omitzero"` // zero: no answer is asked for
}

// LetterStep is one sealed step of a letter, with what it said then.
type LetterStep struct {
	LetterWords
	ID     LetterID     `json:"id"`
	CaseID CaseID       `json:"case_id"`
	Seq    int64        `json:"seq"` // from 1 per letter
	Action LetterAction `json:"action"`
	State  LetterState  `json:"state"`            // that it led to
	Number string       `json:"number,omitempty"` // from its issue on
	PDF    string       `json:"pdf_sha256,omitempty"`
	By     UserID       `json:"by"`
	At     time.Time    `json:"at"`
	Note   string       `json:"note,omitempty"`
	Leaf   int64        `json:"leaf"`
}

// letterMoves is the whole table.
var letterMoves = map[LetterState]map[LetterAction]LetterState{
	"":              {LetterWrite: LetterDraft},
	LetterDraft:     {LetterWrite: LetterDraft, LetterIssue: LetterIssued, LetterWithdraw: LetterWithdrawn},
	LetterIssued:    {LetterDeliver: LetterDelivered, LetterWithdraw: LetterWithdrawn},
	LetterDelivered: {LetterAcknowledge: LetterAcknowledged, LetterWithdraw: LetterWithdrawn},
}

// StepLetter is the next step of a letter with those steps, or why it cannot
// be taken. words count only where it is written.
func StepLetter(steps []LetterStep, action LetterAction, words LetterWords, by UserID, note string, now time.Time) (LetterStep, error) {
	next := LetterStep{LetterWords: words, Seq: 1}
	var from LetterState
	if n := len(steps); n > 0 {
		last := steps[n-1]
		next, from = last, last.State
		next.Seq++
		if action == LetterWrite {
			next.LetterWords = words
			next.Kind = last.Kind
		}
	}
	to, ok := letterMoves[from][action]
	if !ok {
		return next, &Error{Kind: Conflict, Code: "letter.state", ZH: "该函当前状态不允许此操作，请刷新后重试。", EN: "The letter's state does not allow this; reload and try again."}
	}
	switch {
	case action == LetterWrite && (!slices.Contains([]LetterKind{Reminder, Interview, Audit}, next.Kind) || !filled(next.Recipient, 100) || !filled(next.Body, 5000)):
		return next, &Error{Kind: Invalid, Code: "letter.words", ZH: "请填写收函单位（不超过 100 字）和正文（不超过 5000 字）。", EN: "Give the recipient (at most 100 characters) and the text (at most 5,000)."}
	case action == LetterIssue && slices.ContainsFunc(steps, func(s LetterStep) bool { return s.Action == LetterWrite && s.By == by }):
		return next, &Error{Kind: Forbidden, Code: "letter.same", ZH: "拟稿人不能签发自己的函件，须由另一人签发。", EN: "Who wrote the letter cannot issue it; another person must."}
	case (action == LetterDeliver || action == LetterAcknowledge || action == LetterWithdraw) && !filled(note, 500):
		return next, &Error{Kind: Invalid, Code: "letter.note", ZH: "请填写送达方式与签收人、回复内容或撤回理由（不超过 500 字）。", EN: "Say how and to whom it was delivered, what was answered, or why it is withdrawn, in at most 500 characters."}
	}
	next.Action, next.State, next.By, next.At, next.Note, next.Leaf = action, to, by, now, note, 0
	return next, nil
}
