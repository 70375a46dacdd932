package storage_test

import (
	"errors"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestOneHoldsTheLeaseOfJudging(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		counter(t, s)
		v, _, err := s.AddSettlement(t.Context(), bill("a", time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		a, b := s.JudgingLease(), s.JudgingLease()
		hold := func(l *storage.JudgingLease, after time.Duration, want bool) {
			t.Helper()
			if got, _, err := l.Hold(t.Context(), now.Add(after)); err != nil || got != want {
				t.Fatalf("after %v: held %v, %v; want %v", after, got, err, want)
			}
		}
		judge := func(l *storage.JudgingLease) error {
			_, _, err := l.Judge(t.Context(), storage.Judgement{
				Settlement: v, State: ward.Suspicious, Stage: ward.JudgedFully, Alerts: []ward.Alert{alertOn(v, ward.NobodyAtCounter)},
			})
			return err
		}
		if err := judge(a); !errors.Is(err, storage.ErrLeaseLost) {
			t.Fatalf("judged without the lease: %v", err)
		}
		hold(a, 0, true)
		hold(b, 0, false)
		hold(a, 9*time.Second, true) // renewed
		hold(b, 18*time.Second, false)
		hold(b, 20*time.Second, true)
		if err := judge(a); !errors.Is(err, storage.ErrLeaseLost) {
			t.Errorf("judged after the lease was lost: %v", err)
		}
		if got, err := s.Settlement(t.Context(), v.ID); err != nil || got.State != ward.Pending {
			t.Errorf("stored %+v, %v", got, err)
		}
		hold(a, 21*time.Second, false)
		if err := a.Release(t.Context()); err != nil { // nothing that it holds
			t.Fatal(err)
		}
		hold(a, 22*time.Second, false)
		if err := b.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		hold(a, 23*time.Second, true)
		hold(b, 24*time.Second, false)
		if err := judge(a); err != nil {
			t.Errorf("judge: %v", err)
		}
	})
}
