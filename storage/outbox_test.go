package storage_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func hook(t *testing.T, s *storage.Store, id ward.EndpointID, types []ward.EventType, insts ...ward.InstitutionID) {
	t.Helper()
	p := ward.Endpoint{ID: id, Kind: ward.Webhook, Name: "x", URL: "https://192.0.2.7/", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Types: types, Institutions: insts, Created: time.Now()}
	if err := s.AddEndpoint(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

type sentEvent struct {
	SpecVersion, ID, Source, Type, Subject, Sequence, Institution string
	Data                                                          struct {
		Alert   ward.AlertID
		State   ward.AlertState
		Visit   ward.VisitID
		Verdict ward.Verdict
	}
}

// outbox is everything of an endpoint, the oldest first.
func outbox(t *testing.T, s *storage.Store, id ward.EndpointID) (out []sentEvent) {
	t.Helper()
	all, err := s.Deliveries(t.Context(), id, storage.DeliveryFilter{Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range slices.Backward(all) {
		var e sentEvent
		if err := json.Unmarshal(d.Body, &e); err != nil {
			t.Fatal(err)
		}
		if e.Sequence != strconv.FormatInt(d.Seq, 10) || e.ID != d.EventID || e.SpecVersion != "1.0" || e.Type != string(d.Type) {
			t.Errorf("event %s of row %+v", d.Body, d)
		}
		out = append(out, e)
	}
	return out
}

// What happens to an alert is in the outbox of those who want it, and of
// nobody when the rule is in shadow or the change was refused.
func TestOutboxTellsWhatHappensToAlerts(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		hook(t, s, "all", nil)
		hook(t, s, "changes", []ward.EventType{ward.AlertChangedEvent}, "h1", "h2")
		hook(t, s, "elsewhere", nil, "h2")
		v, _, err := s.AddSettlement(t.Context(), bill("a", time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		shadow := alertOn(v, ward.FaceMismatch)
		shadow.Shadow = true
		raised, _, err := s.Judge(t.Context(), storage.Judgement{Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{alertOn(v, ward.NobodyAtCounter), shadow}})
		if err != nil {
			t.Fatal(err)
		}
		id := raised[0].ID
		if _, err := s.StepAlert(t.Context(), id, 1, step(ward.AlertConfirm, "u1", "")); err == nil {
			t.Fatal("confirmed without a reason")
		}
		if _, err := s.StepAlert(t.Context(), id, 1, step(ward.AlertTake, "u1", "")); err != nil {
			t.Fatal(err)
		}
		got := outbox(t, s, "all")
		if len(got) != 2 || got[0].Type != "wardwatch.alert.raised" || got[0].Data.State != ward.AlertNew || got[0].Data.Alert != id || got[0].Institution != "h1" ||
			got[1].Type != "wardwatch.alert.changed" || got[1].Data.State != ward.AlertTaken || got[1].Subject != "alert/"+string(id) || got[1].ID == got[0].ID {
			t.Fatalf("got %+v", got)
		}
		if only := outbox(t, s, "changes"); len(only) != 1 || only[0].Sequence != "1" || only[0].ID != got[1].ID {
			t.Errorf("filtered by type: %+v", only)
		}
		if none := outbox(t, s, "elsewhere"); len(none) != 0 {
			t.Errorf("of another institution: %+v", none)
		}
	})
}

// A verdict is told once, with what it is.
func TestOutboxTellsVerdicts(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		_, v := orderOne(t, s, "t", time.Now(), time.Minute)
		hook(t, s, "rounds", []ward.EventType{ward.VisitSealedEvent}, v.InstitutionID)
		v.Verdict = ward.Absent
		if _, err := s.SealVisit(t.Context(), v, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.SealVisit(t.Context(), v, nil); ward.KindOf(err) != ward.Conflict {
			t.Fatalf("sealed twice: %v", err)
		}
		got := outbox(t, s, "rounds")
		if len(got) != 1 || got[0].Type != "wardwatch.visit.sealed" || got[0].Data.Visit != v.ID || got[0].Data.Verdict != ward.Absent || got[0].Institution != string(v.InstitutionID) {
			t.Errorf("got %+v", got)
		}
	})
}

// Who is to decide a visit hears of it, and when nobody did.
func TestOutboxTellsOfUndecidedVisits(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		for _, by := range []ward.UserID{"", "u1"} { // nobody, somebody
			v := waits(t, s, string(by)+"visit")
			name := ward.EndpointID("heard" + string(by))
			hook(t, s, name, nil, v.InstitutionID)
			v, err := s.AwaitDecision(ctx, v, nil)
			if err != nil {
				t.Fatal(err)
			}
			v.Verdict, v.DecidedBy = ward.Unable, by
			if _, err = s.SealVisitAsRead(ctx, v, nil); err != nil {
				t.Fatal(err)
			}
			want := []string{"wardwatch.visit.waiting", "wardwatch.visit.lapsed", "wardwatch.visit.sealed"}
			if by != "" {
				want = slices.Delete(want, 1, 2)
			}
			var got []string
			for _, e := range outbox(t, s, name) {
				if got = append(got, e.Type); e.Data.Visit != v.ID {
					t.Errorf("%s is about %s", e.Type, e.Data.Visit)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("decided by %q: heard %v, want %v", by, got, want)
			}
		}
	})
}

// waits is a visit whose checks run.
func waits(t *testing.T, s *storage.Store, token string) ward.Visit {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	_, v := orderOne(t, s, token, now, time.Minute)
	if _, err := s.OpenVisit(ctx, hash(token), hash(token+" device"), now); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Consent(ctx, v.ID, now); err != nil {
		t.Fatal(err)
	}
	v, err := s.BeginChecking(ctx, v.ID)
	if err != nil {
		t.Fatal(err)
	}
	v.DecideBy = now.Add(time.Hour)
	return v
}

// Numbers have no holes and are in order, whoever writes at the same time.
func TestOutboxNumbersWithoutHoles(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		hook(t, s, "a", nil)
		hook(t, s, "b", nil)
		const writers, each = 4, 5
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range each {
					v, _, err := s.AddSettlement(t.Context(), bill(fmt.Sprint(w, "-", i), time.Now()))
					if err == nil {
						_, _, err = judged(t, s, v, ward.NobodyAtCounter)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for _, id := range []ward.EndpointID{"a", "b"} {
			got := outbox(t, s, id)
			if len(got) != writers*each {
				t.Fatalf("%s: %d events, want %d", id, len(got), writers*each)
			}
			for i, e := range got {
				if e.Sequence != strconv.Itoa(i+1) {
					t.Errorf("%s: event %d has number %s", id, i+1, e.Sequence)
				}
			}
		}
	})
}

// A try that was under way when a replay began does not count.
func TestReplayDuringATry(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		hook(t, s, "a", nil)
		for range 3 {
			if err := s.SendTest(t.Context(), "a"); err != nil {
				t.Fatal(err)
			}
		}
		now := time.Now()
		next := func() ward.Delivery {
			t.Helper()
			p, ds, err := s.NextDeliveries(t.Context(), "a", now)
			if err != nil || len(ds) != 1 || p.Secret != "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" {
				t.Fatalf("got %+v, %v", ds, err)
			}
			return ds[0]
		}
		done := func(d ward.Delivery) {
			t.Helper()
			d.State, d.Status, d.Delivered = ward.DeliveryDone, 200, now
			if err := s.EndDeliveries(t.Context(), "a", []ward.Delivery{d}, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		done(next())
		under := next()
		if n, err := s.Replay(t.Context(), "a", 1, now.Add(time.Second)); n != 3 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
		done(under)
		for seq := range int64(3) {
			d := next()
			if d.Seq != seq+1 {
				t.Fatalf("got %d, want %d", d.Seq, seq+1)
			}
			done(d)
		}
		if due, err := s.DueEndpoints(t.Context(), now); err != nil || len(due) != 0 {
			t.Errorf("still due: %v, %v", due, err)
		}
	})
}

// What waited for a disabled endpoint is tried for a day once it is enabled
// again, and is not kept for ever.
func TestWhatWaitsForADisabledEndpoint(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		hook(t, s, "a", nil)
		change := func(disabled bool) {
			t.Helper()
			p, err := s.Endpoint(t.Context(), "a")
			if err == nil {
				p.Disabled = disabled
				err = s.ChangeEndpoint(t.Context(), p)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		only := func() ward.Delivery {
			t.Helper()
			all, err := s.Deliveries(t.Context(), "a", storage.DeliveryFilter{})
			if err != nil || len(all) != 1 {
				t.Fatalf("%d events: %v", len(all), err)
			}
			return all[0]
		}
		change(true)
		if err := s.SendTest(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		was := only().Since
		change(true)
		if d := only(); !d.Since.Equal(was) {
			t.Error("its day began while it was disabled")
		}
		change(false)
		if d := only(); !d.Since.After(was) || d.State != ward.DeliveryPending {
			t.Errorf("enabled again: %+v, since %v before", d, was)
		}
		month := time.Now().AddDate(0, 0, 31)
		if err := s.SweepOutbox(t.Context(), month); err != nil {
			t.Fatal(err)
		}
		only() // it waits for an enabled one
		change(true)
		if err := s.SweepOutbox(t.Context(), month); err != nil {
			t.Fatal(err)
		}
		if all, err := s.Deliveries(t.Context(), "a", storage.DeliveryFilter{}); err != nil || len(all) != 0 {
			t.Errorf("%d events are kept for a disabled endpoint: %v", len(all), err)
		}
	})
}
