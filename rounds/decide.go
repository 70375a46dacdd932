package rounds

import (
	"context"
	"strings"

	"wardwatch/ward"
)

// Decide records a named human's verdict over a visit that the checks left
// undecided. What one person may not settle alone takes Propose and Answer.
func (e *Engine) Decide(ctx context.Context, id ward.VisitID, by ward.User, verdict ward.Verdict, reason string) (ward.Visit, error) {
	v, err := e.Store.Visit(ctx, id)
	if err != nil {
		return v, err
	}
	checks, err := e.Store.Checks(ctx, id)
	if err != nil {
		return v, err
	}
	if err = mayDecide(v, checks, by, verdict, reason); err != nil {
		return v, err
	}
	if err = e.hangUpFor(ctx, v); err != nil {
		return v, err
	}
	v.Verdict, v.DecidedBy, v.ReasonZH, v.ReasonEN = verdict, by.ID, reason, reason
	if v, err = e.Store.SealVisitAsRead(ctx, v, nil); err != nil {
		return v, err
	}
	e.Log.InfoContext(ctx, "visit decided", "visit", v.ID, "verdict", v.Verdict, "user", by.ID)
	e.forgetPhoto(ctx, v)
	e.notify(v)
	return v, nil
}

func mayDecide(v ward.Visit, checks []ward.Check, by ward.User, verdict ward.Verdict, reason string) error {
	if !by.May(ward.MayRound, v.InstitutionID) {
		return mayNotRule()
	}
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > maxDecision {
		return &ward.Error{Kind: ward.Invalid, Code: "visit.reason", ZH: "请填写结论理由（不超过 1000 字）。", EN: "Give the reason of the verdict (at most 1000 characters)."}
	}
	switch verdict {
	case ward.Present, ward.Mismatch, ward.Absent, ward.Unable, ward.Refused:
	case ward.NoVerdict, ward.NoAnswer, ward.Discharged, ward.Interrupted, ward.Undecided:
		return &ward.Error{Kind: ward.Invalid, Code: "visit.verdict", ZH: "人工不能作出此结论。", EN: "A human cannot give this verdict."}
	}
	if v.State == ward.VisitChecking {
		return &ward.Error{Kind: ward.Conflict, Code: "visit.live", ZH: "查访正在进行，请等待检测结束。", EN: "The visit is running; wait for its checks to end."}
	}
	if ward.TakesTwo(v.State, checks, verdict) {
		return &ward.Error{Kind: ward.Conflict, Code: "visit.two_people", ZH: "该结论须两人作出：请提出并由另一人确认。", EN: "This verdict takes two people: propose it, and have another person confirm."}
	}
	return nil
}
