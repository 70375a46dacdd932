package storage_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

var atTerminal = ward.User{ID: "u-t", Role: ward.Terminal}

func session(id ward.TreatmentID, insured ward.InsuredID, at time.Time) ward.TreatmentSession {
	return ward.TreatmentSession{
		ID: id, InstitutionID: "h1", PlaceID: "p1", InsuredID: insured, Kind: ward.Dialysis, Station: "3", At: at, Policy: ward.TreatmentPolicyFor(nil, "h1", ward.Dialysis),
	}
}

func startTreatment(t *testing.T, s *storage.Store, v ward.TreatmentSession, answer ward.Match) (ward.TreatmentSession, error) {
	t.Helper()
	return s.AddTreatment(t.Context(), atTerminal, v, ward.TreatmentFace{Source: ward.IdentityByPhoto, Answer: answer, Score: .7, ModelID: "m", Thresholds: ward.DefaultFaceThresholds}, []byte("a photo"))
}

func event(e ward.TreatmentEvent) func(ward.TreatmentSession, []ward.TreatmentEvent, time.Time) (ward.TreatmentEvent, error) {
	return func(ward.TreatmentSession, []ward.TreatmentEvent, time.Time) (ward.TreatmentEvent, error) {
		return e, nil
	}
}

// One person is at one running session: of two that begin at once one does, and
// the other can when the first has ended.
func TestOneSessionOfAPatientAtATime(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		var mu sync.Mutex
		var began []ward.TreatmentID
		var wg sync.WaitGroup
		for _, id := range []ward.TreatmentID{"t-1", "t-2", "t-3"} {
			wg.Go(func() {
				_, err := startTreatment(t, s, session(id, "i1", at), ward.MatchYes)
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					began = append(began, id)
				} else if !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment.elsewhere"}) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(began) != 1 {
			t.Fatalf("%v began", began)
		}
		if v, err := startTreatment(t, s, session("t-no", "i2", at), ward.MatchNo); err != nil || !v.Ended.Equal(at) {
			t.Errorf("another face: %+v %v", v, err)
		}
		if _, err := startTreatment(t, s, session("t-yes", "i2", at), ward.MatchYes); err != nil {
			t.Errorf("after a refused start: %v", err)
		}
		v, events, err := s.StepTreatment(t.Context(), atTerminal, began[0], at.Add(time.Hour), nil, event(ward.TreatmentEvent{Kind: ward.TreatmentEnded}))
		if err != nil || !v.Ended.Equal(at.Add(time.Hour)) || len(events) != 2 || len(events[1].Nonce) != 64 {
			t.Errorf("ended: %+v %+v %v", v, events, err)
		}
		if _, err := startTreatment(t, s, session("t-unsure", "i2", at), ward.MatchUnsure); err != nil {
			t.Errorf("a face that is not told, elsewhere: %v", err)
		}
		if _, _, err := s.StepTreatment(t.Context(), atTerminal, "t-unsure", at, nil, event(ward.TreatmentEvent{Kind: ward.TreatmentSeen, Call: 1, Face: &ward.TreatmentFace{Answer: ward.MatchYes}})); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment.elsewhere"}) {
			t.Errorf("told at both: %v", err)
		}
		if _, err := startTreatment(t, s, session("t-4", "i1", at.Add(2*time.Hour)), ward.MatchYes); err != nil {
			t.Errorf("after the first: %v", err)
		}
		if list, err := s.Treatments(t.Context(), []ward.InstitutionID{"h1"}, "", 2); err != nil || len(list) != 2 || list[0].ID != "t-yes" && list[0].ID != "t-unsure" {
			t.Errorf("listed %+v %v", list, err)
		}
		if list, err := s.Treatments(t.Context(), []ward.InstitutionID{}, "", 0); err != nil || len(list) != 0 {
			t.Errorf("of no institution: %+v %v", list, err)
		}
		if _, err := startTreatment(t, s, func() ward.TreatmentSession { v := session("t-5", "i3", at); v.TabletID = "none"; return v }(), ward.MatchYes); !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "tablet.unknown"}) {
			t.Errorf("with an unknown tablet: %v", err)
		}
	})
}

// Two that step a session at the same time do so one after the other, each
// seeing what the other did.
func TestStepsAreOneAtATime(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		if _, err := startTreatment(t, s, session("t-1", "i1", at), ward.MatchYes); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, _, err := s.StepTreatment(t.Context(), atTerminal, "t-1", at, nil, func(_ ward.TreatmentSession, events []ward.TreatmentEvent, _ time.Time) (e ward.TreatmentEvent, err error) {
					if len(events) < 4 {
						e = ward.TreatmentEvent{Kind: ward.TreatmentBilled, Bill: &ward.TreatmentBill{Minutes: len(events)}}
					}
					return e, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got, err := s.TreatmentEvents(t.Context(), []ward.TreatmentID{"t-1"})
		if err != nil || len(got["t-1"]) != 4 || got["t-1"][3].Bill.Minutes != 3 || got["t-1"][3].N != 4 {
			t.Errorf("got %+v %v", got, err)
		}
		if _, _, err := s.StepTreatment(t.Context(), atTerminal, "none", at, nil, event(ward.TreatmentEvent{})); !errors.Is(err, &ward.Error{Kind: ward.NotFound, Code: "treatment.unknown"}) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// The ledger tells neither who nor, before the end, when calls come; changed
// and removed rows are found.
func TestTreatmentsAreSealed(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
		if _, err := w.Store.SetTreatmentPolicy(t.Context(), ward.TreatmentPolicy{Kind: ward.Dialysis, EveryMinutes: 20, AnswerMinutes: 3, LongestMinutes: 300, Reason: "试行", By: "u"}); err != nil {
			t.Fatal(err)
		}
		v, err := startTreatment(t, w.Store, session("t-1", "i-of-nobody-else", at), ward.MatchYes)
		if err != nil {
			t.Fatal(err)
		}
		due := ward.TreatmentCalls(v.Nonce, v.At, v.Policy, at.Add(3*time.Hour))
		step := func(at time.Time, e ward.TreatmentEvent) {
			t.Helper()
			if _, _, err := w.Store.StepTreatment(t.Context(), atTerminal, "t-1", at, []byte("a photo"), event(e)); err != nil {
				t.Fatal(err)
			}
		}
		step(due[0], ward.TreatmentEvent{Kind: ward.TreatmentCalled, Call: 1, Due: due[0]})
		step(due[0].Add(time.Minute), ward.TreatmentEvent{Kind: ward.TreatmentSeen, Call: 1, Face: &ward.TreatmentFace{Answer: ward.MatchYes}})
		step(at.Add(3*time.Hour), ward.TreatmentEvent{Kind: ward.TreatmentEnded, Face: &ward.TreatmentFace{Answer: ward.MatchYes}})
		r, err := w.Store.Sealed(t.Context(), v.Leaf)
		if err != nil || r.Kind != storage.KindTreatment || bytes.Contains(r.Body, []byte("i-of-nobody-else")) || !bytes.Contains(r.Body, []byte(v.Commitment)) {
			t.Fatalf("sealed %s, %v", r.Body, err)
		}
		if again, err := w.Store.Treatment(t.Context(), "t-1"); err != nil || again.Nonce != v.Nonce || !again.Ended.Equal(at.Add(3*time.Hour)) {
			t.Errorf("read %+v %v", again, err)
		}
		if report := check(t, w); !report.OK() {
			t.Fatalf("got %+v", report.Problems)
		}
		for column, value := range map[string]any{"insured_id": "i", "kind": "examination", "salt": "00", "station": "4", "ended_us": 0, "answer": "unsure", "actor": "u", "proven": 0} {
			if named := cell(t, w, "treatment", column, "id = 't-1'", func(any) any { return value }); !slices.Equal(named, []string{"treatment/t-1"}) {
				t.Errorf("%s changed: fsck names %v", column, named)
			}
		}
		if named := cell(t, w, "treatment", "nonce", "id = 't-1'", func(any) any { return "00" }); !slices.Contains(named, "treatment/t-1") || !slices.Contains(named, "treatment_event/t-1/2") {
			t.Errorf("nonce changed: fsck names %v", named)
		}
		if named := cell(t, w, "treatment_event", "event", "n = 3", func(any) any { return `{"n": 3, "kind": "seen"}` }); !slices.Equal(named, []string{"treatment_event/t-1/3"}) {
			t.Errorf("an answer changed: fsck names %v", named)
		}
		w.Exec(`DELETE FROM treatment_event WHERE treatment_id = 't-1' AND n = 4`)
		w.Exec(`DELETE FROM treatment_policy WHERE version = 1`)
		if named := where(check(t, w)); !slices.Equal(named, []string{"treatment/t-1", "treatment_policy/1", "treatment/t-1/4"}) {
			t.Errorf("removed: fsck names %v", named)
		}
	})
}

func TestTreatmentPoliciesFollowEachOther(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		if err := s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "医院"}); err != nil {
			t.Fatal(err)
		}
		p := ward.TreatmentPolicy{InstitutionID: "h1", Kind: ward.Dialysis, EveryMinutes: 20, AnswerMinutes: 3, LongestMinutes: 300, Reason: "试行", By: "u"}
		set := func(ctx context.Context, version int) (ward.TreatmentPolicy, error) {
			p.Version = version
			return s.SetTreatmentPolicy(ctx, p)
		}
		first, err := set(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set(t.Context(), 0); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment_policy.changed"}) {
			t.Errorf("set on what was not seen: %v", err)
		}
		p.EveryMinutes = 25
		if _, err := set(t.Context(), first.Version); err != nil {
			t.Fatal(err)
		}
		if got, err := s.TreatmentPolicyFor(t.Context(), "h1", ward.Dialysis); err != nil || got.EveryMinutes != 25 {
			t.Errorf("got %+v %v", got, err)
		}
		if got, err := s.TreatmentPolicyFor(t.Context(), "h2", ward.Dialysis); err != nil || got.EveryMinutes != 30 {
			t.Errorf("elsewhere %+v %v", got, err)
		}
	})
}
