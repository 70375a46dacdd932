package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Who is named is reminded once and told once of the silence; nobody else is.
func TestReminderAndEscalation(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderOne(t, s, "a", now, time.Minute)
		hook(t, s, "nurse", []ward.EventType{ward.AlertRaisedEvent})
		hook(t, s, "other", nil, "elsewhere")
		hook(t, s, "unnamed", nil)
		r := ward.Round{
			ID: "r-told", InstitutionID: v.InstitutionID, OrderedBy: "u1", Reason: "抽查", Ordered: now, Deadline: now.Add(time.Hour),
			Remind: now.Add(-time.Second), Notify: []ward.EndpointID{"nurse", "other", "deleted"},
		}
		v.ID, v.RoundID = "v-told", r.ID
		if _, err := s.OrderRound(ctx, r, []ward.Visit{v}, [][]byte{hash("told")}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.RemindRounds(ctx, time.Now()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.EscalateRounds(ctx, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		types := func(id ward.EndpointID) (all []string) {
			for _, e := range outbox(t, s, id) {
				all = append(all, e.Type)
			}
			return all
		}
		if got := types("nurse"); len(got) != 1 || got[0] != string(ward.RoundRemindedEvent) {
			t.Fatalf("before the deadline: %v", got)
		}
		if e, err := s.VisitEvents(ctx, v.ID); err != nil || len(e) != 1 || e[0].Kind != "reminded" {
			t.Errorf("got %+v, %v", e, err)
		}
		later := now.Add(2 * time.Hour)
		if _, err := s.EscalateRounds(ctx, later); err != nil { // its bed is not sealed yet
			t.Fatal(err)
		}
		if got := types("nurse"); len(got) != 1 {
			t.Fatalf("before the verdict: %v", got)
		}
		v.State, v.Verdict = ward.VisitOrdered, ward.NoAnswer
		if _, err := s.SealVisitAsRead(ctx, v, nil); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.EscalateRounds(ctx, later); err != nil {
				t.Fatal(err)
			}
		}
		if got := types("nurse"); len(got) != 2 || got[1] != string(ward.RoundEscalatedEvent) {
			t.Errorf("after the deadline: %v", got)
		}
		if got := types("other"); len(got) != 0 {
			t.Errorf("one who hears of another institution: %v", got)
		}
		for _, e := range types("unnamed") {
			if e != string(ward.VisitSealedEvent) {
				t.Errorf("one who is not named: %s", e)
			}
		}
		if got, err := s.Round(ctx, r.ID); err != nil || got.Reminded.IsZero() || got.Escalated.IsZero() {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}
