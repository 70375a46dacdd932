package rounds_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/internal/simbed"
	"wardwatch/ward"
)

// TestTreatmentByLink answers a call, and ends a session, by the patient's own
// link: what the live check says is the session's next event.
func TestTreatmentByLink(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		clip   string
		end    bool
		kind   ward.TreatmentEventKind
		answer ward.Match
	}{
		{"a call, by the patient", "franck", false, ward.TreatmentSeen, ward.MatchYes},
		{"the end, by somebody else", impostor, true, ward.TreatmentEnded, ward.MatchNo},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			r.admit("franck", 125)
			ctx := t.Context()
			terminal := ward.User{ID: "u-t", Role: ward.Terminal, Institutions: []ward.InstitutionID{r.inst}}
			err := r.store.PutPlace(ctx, ward.Place{ID: "p-t", InstitutionID: r.inst, Name: "透析室", Kind: ward.Treatment})
			if err != nil {
				t.Fatal(err)
			}
			s, err := r.store.AddTreatment(ctx, terminal, ward.TreatmentSession{
				ID: "t-1", InstitutionID: r.inst, PlaceID: "p-t", InsuredID: "p1", Kind: ward.Dialysis, At: time.Now().Add(-2 * time.Hour), Policy: ward.TreatmentPolicyFor(nil, r.inst, ward.Dialysis),
			}, ward.TreatmentFace{Source: ward.IdentityByPhoto, Answer: ward.MatchYes}, []byte("photo"))
			if err != nil {
				t.Fatal(err)
			}
			var call ward.TreatmentCall
			if !c.end {
				_, _, err = r.store.StepTreatment(ctx, terminal, s.ID, time.Now(), nil, func(v ward.TreatmentSession, events []ward.TreatmentEvent, now time.Time) (ward.TreatmentEvent, error) {
					due := v.Calls(events, now)
					call = due[len(due)-1]
					return ward.TreatmentEvent{Kind: ward.TreatmentCalled, Call: call.N, Due: call.Due}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := r.engine.OrderTreatment(ctx, ward.User{ID: "u-2", Role: ward.Terminal, Institutions: []ward.InstitutionID{"h2"}}, s, call, "治疗核验"); !errors.Is(err, &ward.Error{Kind: ward.Forbidden, Code: "treatment.forbidden"}) {
				t.Errorf("a terminal of another institution: %v", err)
			}
			_, link, err := r.engine.OrderTreatment(ctx, terminal, s, call, "治疗核验")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.answer(link.Token, simbed.Genuine, c.clip); err != nil {
				t.Fatalf("%v\n%s", err, r.story(link.Visit.ID))
			}
			v := r.sealed(link.Visit.ID, sessionMax)
			all, err := r.store.TreatmentEvents(ctx, []ward.TreatmentID{s.ID})
			if err != nil {
				t.Fatal(err)
			}
			events := all[s.ID]
			last := events[len(events)-1]
			if last.Kind != c.kind || last.Visit != v.ID || last.Call != call.N || last.Face == nil || last.Face.Answer != c.answer || last.Leaf <= v.Leaf {
				t.Fatalf("verdict %s, last event %+v\n%s", v.Verdict, last, r.story(v.ID))
			}
			s, err = r.store.Treatment(ctx, s.ID)
			if err != nil || s.Ended.IsZero() == c.end {
				t.Errorf("the session: %+v, %v", s, err)
			}
			if !c.end {
				due := s.Calls(events, time.Now())
				if got := due[call.N-1]; got.State != ward.CallAnswered {
					t.Errorf("the call is %+v", got)
				}
				return
			}
			if _, _, err := r.engine.OrderTreatment(ctx, terminal, s, call, "治疗核验"); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment.over"}) {
				t.Errorf("a session that is over: %v", err)
			}
		})
	}
}
