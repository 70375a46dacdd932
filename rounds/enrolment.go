package rounds

import (
	"context"
	"time"

	"wardwatch/ward"
)

// OrderEnrolment makes a single-use link by which the patient of a stay is
// enrolled at the bedside: the live check first, then the reference face is
// that of the session. A face other than the one that is enrolled already is
// left to people.
func (e *Engine) OrderEnrolment(ctx context.Context, by ward.User, a ward.Admission, reason string, deadline time.Time) (ward.Round, VisitLink, error) {
	if a.InsuredID == "" {
		return ward.Round{}, VisitLink{}, &ward.Error{
			Kind: ward.Conflict, Code: "enrol.unmatched",
			ZH: "这次住院还没有对应的参保人，不能登记人脸。请先登记参保人（证件号相同即自动对应）。",
			EN: "No insured person belongs to this stay yet. Register the person first; the same number joins them.",
		}
	}
	e.prepare()
	r, links, err := e.order(ctx, by, Order{InstitutionID: a.InstitutionID, Reason: reason, Ward: a.Ward, Admissions: []ward.AdmissionID{a.ID}, Deadline: deadline, purpose: ward.ForEnrolment},
		func(r ward.Round, visits []ward.Visit, hashes [][]byte) (ward.Round, error) {
			return e.Store.OrderRound(ctx, r, visits, hashes)
		})
	if err != nil {
		return r, VisitLink{}, err
	}
	return r, links[0], nil
}

// forgetPhoto deletes the photo that a visit's face took the place of: a face
// is kept no longer than it is needed.
func (e *Engine) forgetPhoto(ctx context.Context, v ward.Visit) {
	if v.Purpose != ward.ForEnrolment || v.Verdict != ward.Present {
		return
	}
	key, err := e.Store.PhotoReplaced(ctx, v)
	if err == nil && key != "" {
		if err = e.Objects.Delete(ctx, key); err == nil {
			err = e.Store.ForgetPhoto(ctx, v.InsuredID, key)
		}
	}
	if err != nil {
		e.Log.ErrorContext(ctx, "delete the photo that a visit replaced", "visit", v.ID, "error", err)
	}
}
