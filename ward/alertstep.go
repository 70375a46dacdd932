package ward

import (
	"slices"
	"time"
)

// Apply takes a step, or says why it cannot be taken and changes nothing. It
// returns the event to be stored.
func (a *Alert) Apply(s AlertStep, p AlertPolicy) (AlertEvent, error) {
	if !slices.Contains(s.Action.from(), a.State) {
		return AlertEvent{}, &Error{Kind: Conflict, Code: "alert.state", ZH: "疑点当前状态不允许此操作，请刷新后重试。", EN: "The alert's state does not allow this; reload and try again."}
	}
	if err := a.check(s, p); err != nil {
		return AlertEvent{}, err
	}
	from := a.State
	a.move(s, p)
	a.Version++
	return AlertEvent{
		Seq: a.Version, At: s.At, By: s.By, Action: s.Action, From: from, To: a.State, Note: s.Note, Reason: a.Reason, Assignee: a.Assignee, Deadline: a.Deadline,
	}, nil
}

// check says what a step lacks that is possible in the alert's state.
func (a *Alert) check(s AlertStep, p AlertPolicy) error {
	bad := func(kind Kind, code, zh, en string) error {
		return &Error{Kind: kind, Code: "alert." + code, ZH: zh, EN: en}
	}
	switch s.Action {
	case AlertConfirm, AlertDismiss, AlertReopen, AlertExtend, AlertAppeal:
		if s.Note == "" {
			return bad(Invalid, "note_missing", "请填写处理理由。", "Give a reason for the decision.")
		}
	case AlertRaise, AlertRestate, AlertWithdraw, AlertRemind, AlertExpire, AlertFile, AlertTake, AlertAssign, AlertRelease:
	}
	switch {
	case s.Action == AlertDismiss && !slices.Contains([]DismissReason{DismissWrong, DismissLegitimate, DismissUnclear, DismissDuplicate, DismissTest}, s.Reason):
		return bad(Invalid, "reason_code", "请选择排除原因。", "Choose why it is dismissed.")
	case s.Action == AlertAssign && s.Assignee == "":
		return bad(Invalid, "assignee", "请选择承办人。", "Choose who is to deal with it.")
	case s.Action == AlertAssign && s.Assignee == a.Assignee:
		return bad(Conflict, "assigned", "该疑点已由此人承办。", "It is this person's already.")
	case s.Action == AlertExtend && (!s.Deadline.After(s.At) || s.Deadline.Sub(s.At) > maxExtension):
		return bad(Invalid, "deadline", "办理期限应在现在之后一年以内。", "The deadline must be within a year from now.")
	case s.Action == AlertAppeal && a.Appealed:
		return bad(Conflict, "appealed", "该疑点已申诉过一次，不能再次申诉。", "It was appealed once already and cannot be again.")
	case s.Action == AlertAppeal && s.At.After(p.AppealUntil(*a)):
		return bad(Conflict, "appeal_late", "申诉期限已过。", "The time for an appeal is over.")
	}
	return nil
}

// maxExtension bounds a deadline: beyond it nobody would be reminded in time to matter.
const maxExtension = 366 * 24 * time.Hour

// move changes the alert by a step that was checked.
func (a *Alert) move(s AlertStep, p AlertPolicy) {
	switch s.Action {
	case AlertRaise, AlertRestate, AlertReopen:
		a.State, a.Assignee = AlertNew, ""
		a.renew(s.At, p)
	case AlertAppeal:
		a.State, a.Assignee, a.Appealed = AlertAppealed, "", true
		a.renew(s.At, p)
	case AlertTake:
		a.State, a.Assignee = AlertTaken, s.By
	case AlertAssign:
		a.State, a.Assignee = AlertTaken, s.Assignee
	case AlertRelease:
		if a.State, a.Assignee = AlertNew, ""; a.Appealed {
			a.State = AlertAppealed
		}
	case AlertExtend:
		a.Deadline = s.Deadline
		a.Next = p.look(a.Deadline, s.At)
	case AlertConfirm:
		a.decide(AlertConfirmed, s)
	case AlertDismiss:
		a.decide(AlertDismissed, s)
		a.Reason = s.Reason
	case AlertWithdraw:
		a.decide(AlertWithdrawn, s)
	case AlertRemind:
		a.Next = a.Deadline
	case AlertExpire:
		a.Next = time.Time{}
	case AlertFile:
	}
}

func (a *Alert) decide(to AlertState, s AlertStep) {
	a.State, a.DecidedBy, a.Decided, a.DecisionNote, a.Reason, a.Next = to, s.By, s.At, s.Note, NotDismissed, time.Time{}
}

// renew makes the alert undecided with a new deadline.
func (a *Alert) renew(now time.Time, p AlertPolicy) {
	a.DecidedBy, a.Decided, a.DecisionNote, a.Reason, a.Deadline, a.Next = "", time.Time{}, "", "", time.Time{}, time.Time{}
	if !a.Shadow { // nobody's task
		a.Deadline = now.Add(p.within(a.Severity))
		a.Next = p.look(a.Deadline, now)
	}
}

// Due is the step that the clock takes at now, when there is one.
func (a *Alert) Due(now time.Time) (AlertStep, bool) {
	switch {
	case !a.State.Open() || a.Next.IsZero() || now.Before(a.Next):
		return AlertStep{}, false
	case now.Before(a.Deadline):
		return AlertStep{Action: AlertRemind, At: now}, true
	default:
		return AlertStep{Action: AlertExpire, At: now}, true
	}
}
