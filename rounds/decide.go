package rounds

import (
	"context"
	"strings"

	"wardwatch/ward"
)

// Decide records a named human's verdict. A visit that awaits a decision may
// end in any verdict but interrupted; one that has not begun only in those
// that need no session. A sealed verdict is not changed: that takes two people.
func (e *Engine) Decide(ctx context.Context, id ward.VisitID, by ward.User, verdict ward.Verdict, reason string) (ward.Visit, error) {
	v, err := e.Store.Visit(ctx, id)
	if err != nil {
		return v, err
	}
	if err = mayDecide(v, by, verdict, reason); err != nil {
		return v, err
	}
	if s, live := e.session(id); live {
		if v.State != ward.VisitDeciding {
			return v, &ward.Error{Kind: ward.Conflict, Code: "visit.live", ZH: "查访正在进行，请等待检测结束。", EN: "The visit is running; wait for its checks to end."}
		}
		s.end(errDecided)
		select {
		case <-s.over: // the recording is committed, so that the seal lists it
		case <-ctx.Done():
			return v, ctx.Err()
		}
	}
	v.Verdict, v.DecidedBy, v.ReasonZH, v.ReasonEN = verdict, by.ID, reason, reason
	if v, err = e.Store.SealVisitAsRead(ctx, v, nil); err != nil {
		return v, err
	}
	e.Log.InfoContext(ctx, "visit decided", "visit", v.ID, "verdict", v.Verdict, "user", by.ID)
	e.notify(v)
	return v, nil
}

func mayDecide(v ward.Visit, by ward.User, verdict ward.Verdict, reason string) error {
	if !by.May(ward.MayRound, v.InstitutionID) {
		return &ward.Error{Kind: ward.Forbidden, Code: "visit.forbidden", ZH: "您无权对该查访作出结论。", EN: "You may not decide this visit."}
	}
	if strings.TrimSpace(reason) == "" || len([]rune(reason)) > maxDecision {
		return &ward.Error{Kind: ward.Invalid, Code: "visit.reason", ZH: "请填写结论理由（不超过 1000 字）。", EN: "Give the reason of the verdict (at most 1000 characters)."}
	}
	allowed := false
	switch v.State {
	case ward.VisitSealed:
		return &ward.Error{Kind: ward.Conflict, Code: "visit.two_people", ZH: "该查访已有结论；更改结论须两人复核，目前尚不支持。", EN: "The visit has its verdict; changing one takes two people and is not possible yet."}
	case ward.VisitDeciding, ward.VisitChecking:
		switch verdict {
		case ward.Present, ward.Mismatch, ward.Absent, ward.Unable, ward.Refused:
			allowed = true
		case ward.NoVerdict, ward.NoAnswer, ward.Interrupted, ward.Undecided:
		}
	case ward.VisitOrdered, ward.VisitOpened, ward.VisitConsented:
		switch verdict {
		case ward.Absent, ward.Unable, ward.Refused:
			allowed = true
		case ward.NoVerdict, ward.Present, ward.Mismatch, ward.NoAnswer, ward.Interrupted, ward.Undecided:
		}
	}
	if !allowed {
		return &ward.Error{Kind: ward.Invalid, Code: "visit.verdict", ZH: "当前状态下不能作出此结论。", EN: "This verdict is not possible in the visit's state."}
	}
	return nil
}
