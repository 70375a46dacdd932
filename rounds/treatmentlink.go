package rounds

import (
	"context"
	"time"

	"wardwatch/ward"
)

// treatmentEnd is how long a link for the end of a session may be answered;
// one for a call that was missed already, likewise.
const treatmentEnd = 10 * time.Minute

// OrderTreatment makes a single-use link for the patient of a running session:
// to answer call, which is shown already, or with a call of 0 to end it. What
// the live check and the face say becomes an event of the session when the
// verdict is sealed.
func (e *Engine) OrderTreatment(ctx context.Context, by ward.User, v ward.TreatmentSession, call ward.TreatmentCall, reason string) (ward.Round, VisitLink, error) {
	e.prepare()
	now := time.Now()
	if !by.May(ward.MayIdentify, v.InstitutionID) {
		return ward.Round{}, VisitLink{}, &ward.Error{Kind: ward.Forbidden, Code: "treatment.forbidden", ZH: "您无权对该机构的治疗进行核验。", EN: "You may not have patients of this institution's treatments checked."}
	}
	if _, over := v.Over(now); over || v.Answer == ward.MatchNo {
		return ward.Round{}, VisitLink{}, &ward.Error{Kind: ward.Conflict, Code: "treatment.over", ZH: "该治疗已结束或没有开始。", EN: "The session is over, or did not begin."}
	}
	deadline := call.Until
	if deadline.Before(now.Add(minDeadline)) {
		deadline = now.Add(treatmentEnd)
	}
	r := ward.Round{
		ID: ward.NewID[ward.RoundID](now), InstitutionID: v.InstitutionID, OrderedBy: by.ID, Purpose: ward.ForTreatment, Reason: reason, Ordered: now, Deadline: deadline,
	}
	visits := []ward.Visit{{InsuredID: v.InsuredID, TreatmentID: v.ID, TreatmentCall: call.N}}
	r, links, err := e.issue(ctx, r, visits, func(r ward.Round, visits []ward.Visit, hashes [][]byte) (ward.Round, error) {
		return e.Store.OrderRound(ctx, r, visits, hashes)
	})
	if err != nil {
		return r, VisitLink{}, err
	}
	return r, links[0], nil
}
