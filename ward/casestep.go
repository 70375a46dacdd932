package ward

import "time"

// CaseState is where a case stands.
type CaseState string

// The states of a case.
const (
	CaseOpen     CaseState = "open"     // its officers work on it
	CaseFirst    CaseState = "first"    // 初审: a reviewer looks at it
	CaseSecond   CaseState = "second"   // 复审: a second reviewer looks at it
	CaseDecided  CaseState = "decided"  // both agreed
	CaseAppealed CaseState = "appealed" // the subject objects; both levels again
	CaseClosed   CaseState = "closed"
)

// CaseAction moves a case.
type CaseAction string

// The actions. Whoever passes or returns a case is none of its officers, and
// the second reviewer is not the first.
const (
	CaseSubmit  CaseAction = "submit"  // an officer hands it in
	CasePass    CaseAction = "pass"    // a reviewer agrees, with an opinion
	CaseReturn  CaseAction = "return"  // a reviewer sends it back, with an opinion
	CaseAppeal  CaseAction = "appeal"  // an objection was received: its text
	CaseClose   CaseAction = "close"   // a reviewer's last step
	CaseReopen  CaseAction = "reopen"  // with a reason
	CaseRecheck CaseAction = "recheck" // after an appeal an officer hands it in again
)

// CaseStep is one sealed step of a case.
type CaseStep struct {
	Seq    int64      `json:"seq"` // from 1 per case
	Action CaseAction `json:"action"`
	From   CaseState  `json:"from"`
	To     CaseState  `json:"to"`
	By     UserID     `json:"by"`
	At     time.Time  `json:"at"`
	Note   string     `json:"note"`
	Leaf   int64      `json:"leaf"`
}

// caseMoves is the whole table.
var caseMoves = map[CaseState]map[CaseAction]CaseState{
	CaseOpen:     {CaseSubmit: CaseFirst},
	CaseFirst:    {CasePass: CaseSecond, CaseReturn: CaseOpen},
	CaseSecond:   {CasePass: CaseDecided, CaseReturn: CaseOpen},
	CaseDecided:  {CaseAppeal: CaseAppealed, CaseClose: CaseClosed},
	CaseAppealed: {CaseRecheck: CaseFirst, CaseReturn: CaseOpen},
	CaseClosed:   {CaseReopen: CaseOpen},
}

// CaseStateOf is where a case with these steps stands.
func CaseStateOf(steps []CaseStep) CaseState {
	if len(steps) == 0 {
		return CaseOpen
	}
	return steps[len(steps)-1].To
}

// StepCase is the next step of a case with that file and those steps, or why
// it cannot be taken.
func StepCase(f CaseFile, steps []CaseStep, action CaseAction, by UserID, note string, now time.Time) (CaseStep, error) {
	from := CaseStateOf(steps)
	to, ok := caseMoves[from][action]
	if !ok {
		return CaseStep{}, &Error{Kind: Conflict, Code: "case.state", ZH: "案件当前状态不允许此操作，请刷新后重试。", EN: "The case's state does not allow this; reload and try again."}
	}
	officer := len(f.Officers) == 2 && (f.Officers[0].User == by || f.Officers[1].User == by)
	refused := func(code, zh, en string) error { return &Error{Kind: Forbidden, Code: code, ZH: zh, EN: en} }
	switch action {
	case CaseSubmit, CaseRecheck:
		if len(f.Officers) != 2 || f.Cause == "" || len(f.Basis) == 0 {
			return CaseStep{}, &Error{Kind: Conflict, Code: "case.unready", ZH: "提交审核前，请先填写案由、法律依据和两名执法人员。", EN: "Before it is handed in, the case needs a cause, a legal basis and two officers."}
		}
		if !officer {
			return CaseStep{}, refused("case.officer", "只有本案执法人员可以提交审核。", "Only an officer of the case hands it in.")
		}
	case CasePass, CaseReturn, CaseClose, CaseReopen:
		if officer {
			return CaseStep{}, refused("case.own", "本案执法人员不能审核自己的案件。", "An officer of the case cannot review it.")
		}
		if action == CasePass && from == CaseSecond && lastPass(steps) == by {
			return CaseStep{}, refused("case.same", "初审和复审须由不同的人员完成。", "The second review is another person's.")
		}
	case CaseAppeal:
	}
	if action != CaseSubmit && action != CaseRecheck && !filled(note, 2000) {
		return CaseStep{}, &Error{Kind: Invalid, Code: "case.note", ZH: "请填写意见（不超过 2000 字）。", EN: "Give an opinion, in at most 2,000 characters."}
	}
	return CaseStep{Seq: int64(len(steps)) + 1, Action: action, From: from, To: to, By: by, At: now, Note: note}, nil
}

// lastPass is who passed the first review that led here.
func lastPass(steps []CaseStep) UserID { return steps[len(steps)-1].By }
