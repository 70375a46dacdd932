package ward

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// AccessPolicy says for which actions on a case's evidence a person must say
// why, and which reasons are usual. It counts from when it is set.
type AccessPolicy struct {
	Version int       `json:"version"` // 0: built in
	Actions []Action  `json:"actions"` // of PolicyActions, that need a reason
	Usual   []string  `json:"usual"`   // reasons to choose from; others may be written
	By      UserID    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

// Bounds of an AccessPolicy and of a reason.
const (
	maxUsual        = 20
	MaxAccessReason = 200 // characters
)

// PolicyActions are the actions that a policy can ask a reason for. A
// print, a share and a release always have one.
func PolicyActions() []Action {
	return []Action{ActionView, ActionPlay, ActionSearch, ActionExport, ActionUnmask}
}

// DefaultAccessPolicy asks for none, and counts until somebody sets another.
func DefaultAccessPolicy() AccessPolicy {
	return AccessPolicy{Actions: []Action{}, Usual: []string{"案件调查", "复核", "听证与质证", "移送司法机关"}}
}

// Needs says whether the action needs a reason.
func (p AccessPolicy) Needs(a Action) bool { return slices.Contains(p.Actions, a) }

// Check says what is wrong with the policy.
func (p AccessPolicy) Check() error {
	bad := func(code, zh, en string) error {
		return &Error{Kind: Invalid, Code: "access_policy." + code, ZH: zh, EN: en}
	}
	for i, a := range p.Actions {
		if !slices.Contains(PolicyActions(), a) || slices.Contains(p.Actions[:i], a) {
			return bad("actions", "所列操作不可要求理由，或重复。", "An action cannot need a reason, or is named twice.")
		}
	}
	if len(p.Usual) > maxUsual {
		return bad("usual", "常用理由最多 20 条。", "At most 20 usual reasons.")
	}
	for _, r := range p.Usual {
		if err := CheckAccessReason(r); err != nil {
			return err
		}
	}
	return nil
}

// CheckAccessReason says what is wrong with a reason.
func CheckAccessReason(reason string) error {
	if n := utf8.RuneCountInString(reason); strings.TrimSpace(reason) != reason || n < 2 || n > MaxAccessReason {
		return &Error{Kind: Invalid, Code: "access.reason_text", ZH: "理由应为 2 至 200 个字，前后不留空格。", EN: "A reason has 2 to 200 characters, and no space around it."}
	}
	return nil
}

// NeedsReason is the error of an action that needs a reason and has none.
func NeedsReason() error {
	return &Error{Kind: Conflict, Code: "access.reason", ZH: "按规定须先说明理由：请填写本次调阅该案证据的理由后重试。", EN: "A reason is required: say why you look at this evidence (POST /access-reasons), then try again."}
}
