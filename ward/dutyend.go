package ward

import (
	"strings"
	"time"
	"unicode/utf8"
)

// DutyEnd ends a physician's window early: by the physician's own face, or by
// an administrator with a reason.
type DutyEnd struct {
	DutyID DutyID    `json:"duty_id"`
	At     time.Time `json:"at"`
	By     UserID    `json:"by"`
	Reason string    `json:"reason" doc:"Empty: the physician's face ended it"`
	Score  float32   `json:"score" doc:"Of the face; 0: none was asked for"`
	Leaf   int64     `json:"leaf"`
}

// CheckReason says what is wrong with an administrator's reason.
func (e DutyEnd) CheckReason() error {
	if strings.TrimSpace(e.Reason) == "" || utf8.RuneCountInString(e.Reason) > 500 {
		return &Error{Kind: Invalid, Code: "duty.reason", ZH: "请填写提前结束的理由（不超过 500 字）。", EN: "Give the reason for the early end (at most 500 characters)."}
	}
	return nil
}

// Over is when the start's window ends, or was ended.
func (d *Duty) Over() time.Time {
	if !d.Ended.IsZero() && d.Ended.Before(d.Until) {
		return d.Ended
	}
	return d.Until
}
