package storage

import (
	"context"
	"errors"
	"time"

	"wardwatch/ward"
)

// treatmentOfVisit adds what the verdict of a patient's own link says to the
// session that it is about, in the transaction of the verdict: an answered
// call, or the end. Nothing is added when people decided it, since they do so
// later; when the session or the call is over meanwhile; and when the patient
// was found at another session.
func (t *tx) treatmentOfVisit(ctx context.Context, v *ward.Visit, checks []ward.Check) error {
	face, tried := ward.TreatmentFaceByVisit(*v, checks)
	if v.Purpose != ward.ForTreatment || !tried {
		return nil
	}
	_, _, err := t.stepTreatment(ctx, ward.User{}, v.TreatmentID, time.Now(), []byte(v.ID), func(s ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (e ward.TreatmentEvent, err error) {
		if _, over := s.Over(now); over {
			return e, nil
		}
		if v.TreatmentCall == 0 {
			return ward.TreatmentEvent{Kind: ward.TreatmentEnded, Face: &face, Visit: v.ID}, nil
		}
		if w, show, ok := s.Waiting(events, now); !ok || show || w.N != v.TreatmentCall {
			return e, nil
		}
		return ward.TreatmentEvent{Kind: ward.TreatmentSeen, Call: v.TreatmentCall, Face: &face, Visit: v.ID}, nil
	})
	if errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment.elsewhere"}) {
		return nil
	}
	return err
}
