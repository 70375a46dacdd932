package rounds

import (
	"context"
	"time"

	"wardwatch/ward"
)

// TreatmentFaceAsked is how a session is asked who is there: with a photo, or
// with the face that a camera of the session's place saw at most Fresh ago.
// Neither: nobody's face is asked for, which only an end may do.
type TreatmentFaceAsked struct {
	Photo  []byte
	Camera ward.CameraID
	Fresh  time.Duration
}

func (q TreatmentFaceAsked) empty() bool { return len(q.Photo) == 0 && q.Camera == "" }

// BeginTreatment compares the face and begins, seals and returns a session at a
// place. Insured, Kind, Station and TabletID are v's; zh and en say what came
// of the face. Another face begins nothing: the session is refused, and sealed so.
func (c *Counter) BeginTreatment(ctx context.Context, by ward.User, v ward.TreatmentSession, place ward.Place, q TreatmentFaceAsked) (s ward.TreatmentSession, zh, en string, err error) {
	now, _ := c.settings()
	v.ID, v.InstitutionID, v.PlaceID, v.At = ward.NewID[ward.TreatmentID](now), place.InstitutionID, place.ID, now
	if v.Policy, err = c.Store.TreatmentPolicyFor(ctx, place.InstitutionID, v.Kind); err != nil {
		return s, "", "", err
	}
	face, picture, zh, en, err := c.treatmentFace(ctx, v, q, now)
	if err != nil {
		return s, "", "", err
	}
	s, err = c.Store.AddTreatment(ctx, by, v, face, picture)
	return s, zh, en, err
}

// treatmentFace compares a face with the patient's enrolment.
func (c *Counter) treatmentFace(ctx context.Context, v ward.TreatmentSession, q TreatmentFaceAsked, now time.Time) (f ward.TreatmentFace, picture []byte, zh, en string, err error) {
	_, t := c.settings()
	p, err := c.Store.Insured(ctx, v.InsuredID)
	if err != nil {
		return f, nil, "", "", err
	}
	check := ward.IdentityCheck{PlaceID: v.PlaceID, CameraID: q.Camera, Source: ward.IdentityByPhoto, Answer: ward.MatchUnsure, Thresholds: t, Seen: now}
	picture, zh, en, err = c.look(ctx, &check, enrolment{p.Template, p.ModelID}, IdentityQuestion{Photo: q.Photo, Camera: q.Camera, Fresh: q.Fresh}, now)
	if zh == "" {
		zh, en = check.Reason.Told()
	}
	return ward.TreatmentFace{
		Source: check.Source, CameraID: check.CameraID, Seen: check.Seen, Answer: check.Answer, Reason: check.Reason,
		Score: check.Score, ModelID: check.ModelID, Thresholds: check.Thresholds,
	}, picture, zh, en, err
}

// TreatmentCall is the call that the patient of a session may answer now, if
// there is one. One that is shown for the first time is sealed as shown first;
// tablet is the one that shows it, or empty.
func (c *Counter) TreatmentCall(ctx context.Context, by ward.User, tablet ward.TabletID, id ward.TreatmentID) (call ward.TreatmentCall, ok bool, err error) {
	now, _ := c.settings()
	v, err := c.Store.Treatment(ctx, id)
	if err != nil {
		return call, false, err
	}
	events, err := c.Store.TreatmentEvents(ctx, []ward.TreatmentID{id})
	if err != nil {
		return call, false, err
	}
	call, show, ok := v.Waiting(events[id], now)
	if !show {
		return call, ok, nil
	}
	v, all, err := c.Store.StepTreatment(ctx, by, id, now, nil, func(v ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (e ward.TreatmentEvent, err error) {
		if call, show, _ := v.Waiting(events, now); show { // nobody else was faster
			e = ward.TreatmentEvent{Kind: ward.TreatmentCalled, Tablet: tablet, Call: call.N, Due: call.Due}
		}
		return e, nil
	})
	if err != nil {
		return call, false, err
	}
	call, _, ok = v.Waiting(all, now)
	return call, ok, nil
}

// AnswerTreatment compares the face of who answers a call and seals what it
// said. A call that is no longer, or not yet, to be answered is a
// ward.Conflict "treatment.call".
func (c *Counter) AnswerTreatment(ctx context.Context, by ward.User, tablet ward.TabletID, id ward.TreatmentID, call int, q TreatmentFaceAsked) (a ward.Match, zh, en string, err error) {
	now, _ := c.settings()
	v, err := c.Store.Treatment(ctx, id)
	if err != nil {
		return "", "", "", err
	}
	face, picture, zh, en, err := c.treatmentFace(ctx, v, q, now)
	if err != nil {
		return "", "", "", err
	}
	_, _, err = c.Store.StepTreatment(ctx, by, id, now, picture, func(v ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (ward.TreatmentEvent, error) {
		if w, show, ok := v.Waiting(events, now); !ok || show || w.N != call {
			return ward.TreatmentEvent{}, &ward.Error{Kind: ward.Conflict, Code: "treatment.call", ZH: "这次呼叫已结束或尚未开始。", EN: "This call is over, or has not begun."}
		}
		return ward.TreatmentEvent{Kind: ward.TreatmentSeen, Tablet: tablet, Call: call, Face: &face}, nil
	})
	return face.Answer, zh, en, err
}

// EndTreatment ends a session, with the patient's face if one is asked for.
// One that is over stays as it is, and is returned.
func (c *Counter) EndTreatment(ctx context.Context, by ward.User, id ward.TreatmentID, q TreatmentFaceAsked) (v ward.TreatmentSession, a ward.Match, zh, en string, err error) {
	now, _ := c.settings()
	if v, err = c.Store.Treatment(ctx, id); err != nil || !v.Ended.IsZero() {
		return v, "", "", "", err
	}
	e := ward.TreatmentEvent{Kind: ward.TreatmentEnded}
	var picture []byte
	if !q.empty() {
		var face ward.TreatmentFace
		if face, picture, zh, en, err = c.treatmentFace(ctx, v, q, now); err != nil {
			return v, "", "", "", err
		}
		e.Face = &face
	}
	v, all, err := c.Store.StepTreatment(ctx, by, id, now, picture, func(v ward.TreatmentSession, _ []ward.TreatmentEvent, _ time.Time) (ward.TreatmentEvent, error) {
		if !v.Ended.IsZero() {
			return ward.TreatmentEvent{}, nil
		}
		return e, nil
	})
	if n := len(all); err == nil && n > 0 && all[n-1].Kind == ward.TreatmentEnded && all[n-1].Face != nil {
		a = all[n-1].Face.Answer
	}
	return v, a, zh, en, err
}

// BillTreatment judges and seals the minutes that were billed of a session
// under a number; the newest of a number counts, and all of a session together.
func (c *Counter) BillTreatment(ctx context.Context, by ward.User, id ward.TreatmentID, no string, minutes int) (ward.TreatmentBill, error) {
	now, _ := c.settings()
	var bill ward.TreatmentBill
	_, _, err := c.Store.StepTreatment(ctx, by, id, now, nil, func(v ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (e ward.TreatmentEvent, err error) {
		b, known := v.TakeBill(events, no, minutes, now)
		if bill = b; known {
			return e, nil
		}
		if len(events) >= mostTreatmentEvents {
			return e, &ward.Error{Kind: ward.Conflict, Code: "treatment.bills", ZH: "该治疗的计费记录过多。", EN: "Too many bills of this session."}
		}
		return ward.TreatmentEvent{Kind: ward.TreatmentBilled, Bill: &bill}, nil
	})
	return bill, err
}

// mostTreatmentEvents bounds how often a session can be billed.
const mostTreatmentEvents = 1000
