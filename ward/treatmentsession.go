package ward

import "time"

// TreatmentSession is one session, with the policy that it began with. What happened
// in it are its events.
type TreatmentSession struct {
	ID            TreatmentID     `json:"id"`
	InstitutionID InstitutionID   `json:"institution_id"`
	PlaceID       PlaceID         `json:"place_id"`
	InsuredID     InsuredID       `json:"insured_id"`
	Kind          TreatmentKind   `json:"kind"`
	Station       string          `json:"station" doc:"Which machine or bed, for whoever is called"`
	TabletID      TabletID        `json:"tablet_id" doc:"The ward tablet that calls; empty: a terminal asks for calls"`
	Policy        TreatmentPolicy `json:"policy"`
	By            UserID          `json:"by"`
	At            time.Time       `json:"at"`
	Ended         time.Time       `json:"ended,omitzero"`
	Answer        Match           `json:"answer" doc:"Of the face at the start; no_match: it did not begin"`
	Commitment    string          `json:"commitment" doc:"SHA-256 of \"treatment\\n\" and the nonce from which the calls follow"`
	Leaf          int64           `json:"leaf"`
	Nonce         Nonce           `json:"-"`
}

// TreatmentEventKind is what happened in a session.
type TreatmentEventKind string

// The kinds of event.
const (
	TreatmentBegun  TreatmentEventKind = "begun"
	TreatmentCalled TreatmentEventKind = "called" // a call was shown
	TreatmentSeen   TreatmentEventKind = "seen"   // somebody answered a call
	TreatmentEnded  TreatmentEventKind = "ended"
	TreatmentBilled TreatmentEventKind = "billed"
)

// TreatmentEvent is one event of a session as it is sealed. It holds no face.
type TreatmentEvent struct {
	N      int                `json:"n" doc:"1, 2 … in the session"`
	Kind   TreatmentEventKind `json:"kind"`
	At     time.Time          `json:"at"`
	By     UserID             `json:"by,omitempty"`
	Tablet TabletID           `json:"tablet,omitempty"`
	Call   int                `json:"call,omitempty" doc:"1, 2 … : the call that was shown or answered"`
	Due    time.Time          `json:"due,omitzero" doc:"Of called: the moment that was drawn"`
	Face   *TreatmentFace     `json:"face,omitempty" doc:"Of begun, seen and ended; left out: no face was asked for"`
	Bill   *TreatmentBill     `json:"bill,omitempty"`
	Nonce  string             `json:"nonce,omitempty" doc:"Of ended: hex; the calls can be drawn again from it"`
	Visit  VisitID            `json:"visit,omitempty" doc:"The live check by the patient's own link that it comes from"`
	Leaf   int64              `json:"leaf,omitempty"`
}

// TreatmentFaceByVisit is what a sealed visit by the patient's own link says of
// who is at the session; tried is false when it says nothing: nobody was
// judged, or people decided, who do so later.
func TreatmentFaceByVisit(v Visit, checks []Check) (f TreatmentFace, tried bool) {
	f = TreatmentFace{Source: IdentityByVisit, Answer: MatchUnsure, Seen: v.Sealed}
	for _, c := range checks {
		if c.Kind == CheckFace {
			f.Score, f.Seen = c.Score, c.At
		}
	}
	switch v.Verdict {
	case Present:
		f.Answer = MatchYes
	case Mismatch:
		f.Answer = MatchNo
	case Unable:
	case NoVerdict, Undecided, Absent, Refused, NoAnswer, Discharged, Interrupted:
		return f, false
	}
	return f, v.DecidedBy == ""
}

// TreatmentFace is what a face said.
type TreatmentFace struct {
	Source     IdentitySource `json:"source"`
	CameraID   CameraID       `json:"camera_id,omitempty"`
	Seen       time.Time      `json:"seen"`
	Answer     Match          `json:"answer"`
	Reason     IdentityReason `json:"reason"`
	Score      float32        `json:"score"`
	ModelID    string         `json:"model_id"`
	Thresholds FaceThresholds `json:"thresholds"`
	Picture    string         `json:"picture" doc:"A salted hash of the photo, or of the sighting's id"`
}

// TreatmentBill is what was billed of a session, and what was proven then.
type TreatmentBill struct {
	ExternalNo string          `json:"external_no"`
	Minutes    int             `json:"minutes"`
	Billed     int             `json:"billed" doc:"Minutes, with the session's other bills"`
	Present    int             `json:"present" doc:"Minutes, begun ones counted"`
	Open       int             `json:"open"`
	Absent     int             `json:"absent"`
	Covered    Billable        `json:"covered"`
	Reason     TreatmentReason `json:"reason"`
}

// CallState is where a call stands.
type CallState string

// The states of a call.
const (
	CallOpen     CallState = "open"     // shown, and to be answered
	CallAnswered CallState = "answered" // in time, by the patient
	CallLate     CallState = "late"     // missed; the patient came back
	CallMissed   CallState = "missed"   // nobody, or somebody else
	CallUnsure   CallState = "unsure"   // no face could be told
	CallUnshown  CallState = "unshown"  // no device asked for it in time
)

// TreatmentCall is a call for the patient that is due.
type TreatmentCall struct {
	N        int       `json:"n"`
	Due      time.Time `json:"due"`
	Shown    time.Time `json:"shown,omitzero"`
	Until    time.Time `json:"until,omitzero" doc:"For the answer"`
	Answered time.Time `json:"answered,omitzero" doc:"By the patient"`
	Tries    int       `json:"tries"`
	State    CallState `json:"state"`
}

// Over is when the session ended, or has to end; ok says that it has.
func (t *TreatmentSession) Over(now time.Time) (end time.Time, ok bool) {
	last := t.At.Add(t.Policy.Longest())
	switch {
	case !t.Ended.IsZero() && t.Ended.Before(last):
		return t.Ended, true
	case !now.Before(last):
		return last, true
	}
	return last, false
}

// Calls are those that were due by now, in order. A call that is due and not
// shown yet is CallUnshown with no Until.
func (t *TreatmentSession) Calls(events []TreatmentEvent, now time.Time) []TreatmentCall {
	end, over := t.Over(now)
	if !over {
		end = now
	}
	var calls []TreatmentCall
	for i, due := range TreatmentCalls(t.Nonce, t.At, t.Policy, end) {
		calls = append(calls, t.call(TreatmentCall{N: i + 1, Due: due, State: CallUnshown}, events, now, end, over))
	}
	return calls
}

func (t *TreatmentSession) call(c TreatmentCall, events []TreatmentEvent, now, end time.Time, over bool) TreatmentCall {
	tried, other := false, false // in time
	for _, e := range events {
		switch {
		case e.Kind == TreatmentCalled && e.Call == c.N:
			c.Shown, c.Until = e.At, e.At.Add(t.Policy.answer())
			if over && end.Before(c.Until) {
				c.Until = end
			}
		case e.Face == nil || c.Shown.IsZero() || e.Kind == TreatmentSeen && e.Call != c.N || e.Kind == TreatmentEnded && e.At.After(c.Until):
		case e.Kind != TreatmentBegun:
			c.Tries++
			tried = tried || !e.At.After(c.Until)
			if e.Face.Answer == MatchYes && c.Answered.IsZero() {
				c.Answered = e.At
			}
			other = other || e.Face.Answer == MatchNo && !e.At.After(c.Until)
		}
	}
	switch {
	case c.Shown.IsZero():
	case !c.Answered.IsZero() && !c.Answered.After(c.Until):
		c.State = CallAnswered
	case !c.Answered.IsZero():
		c.State = CallLate
	case !over && now.Before(c.Until):
		c.State = CallOpen
	case tried && !other:
		c.State = CallUnsure
	default:
		c.State = CallMissed
	}
	return c
}

// MaxTreatmentTries is how often one call may be answered.
const MaxTreatmentTries = 8

// Waiting is the call that the patient may answer now: the newest one, until
// it is answered or the next is due. show says that it is to be shown first.
func (t *TreatmentSession) Waiting(events []TreatmentEvent, now time.Time) (c TreatmentCall, show, ok bool) {
	if _, over := t.Over(now); over || t.Answer == MatchNo {
		return c, false, false
	}
	calls := t.Calls(events, now)
	if len(calls) == 0 {
		return c, false, false
	}
	c = calls[len(calls)-1]
	if c.State == CallUnshown {
		show = now.Before(c.Due.Add(t.Policy.answer()))
		return c, show, show
	}
	return c, false, c.Answered.IsZero() && c.Tries < MaxTreatmentTries
}

// Presences are the moments that count, by what happened until now.
func (t *TreatmentSession) Presences(events []TreatmentEvent, now time.Time) []Presence {
	var out []Presence
	for _, e := range events {
		if e.Face != nil && (e.Kind == TreatmentBegun || e.Kind == TreatmentEnded) {
			out = append(out, Presence{e.At, e.Face.Answer})
		}
	}
	for _, c := range t.Calls(events, now) {
		switch c.State {
		case CallAnswered:
			out = append(out, Presence{c.Answered, MatchYes})
		case CallLate:
			out = append(out, Presence{c.Shown, MatchNo}, Presence{c.Answered, MatchYes})
		case CallMissed:
			out = append(out, Presence{c.Shown, MatchNo})
		case CallUnsure:
			out = append(out, Presence{c.Shown, MatchUnsure})
		case CallUnshown:
			if !now.Before(c.Due.Add(t.Policy.answer())) {
				out = append(out, Presence{c.Due, MatchUnsure})
			}
		case CallOpen:
		}
	}
	return out
}

// Spans divides the session, as far as it went by now.
func (t *TreatmentSession) Spans(events []TreatmentEvent, now time.Time) []TreatmentSpan {
	end, over := t.Over(now)
	if !over {
		end = now
	}
	return TreatmentSpans(t.At, end, t.Presences(events, now), t.Policy.Tolerance())
}

// Minutes counts the session, as far as it went by now.
func (t *TreatmentSession) Minutes(events []TreatmentEvent, now time.Time) TreatmentMinutes {
	end, over := t.Over(now)
	if !over {
		end = now
	}
	return CountTreatment(t.At, end, t.Presences(events, now), t.Policy.Tolerance())
}
