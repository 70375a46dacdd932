package storage

import (
	"testing"
	"time"

	"wardwatch/ward"
)

// TestABlindPeriodAndItsAlertAreOneTransaction: when the alert cannot be
// stored, neither is what causes it, so that it is tried again.
func TestABlindPeriodAndItsAlertAreOneTransaction(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, _ Options, s *Store) {
		ctx, now := t.Context(), time.Now().UTC().Truncate(time.Second)
		young := ward.BlindPeriod{ID: "b1", CameraID: "c1", PlaceID: "p1", InstitutionID: "h1", Cause: ward.Covered, From: now}
		if err := s.OpenBlind(ctx, young); err != nil {
			t.Fatal(err)
		}
		was, err := s.BlindPeriod(ctx, "b1")
		if err != nil {
			t.Fatal(err)
		}
		mustExec(ctx, t, s, `ALTER TABLE alert_event RENAME TO gone`)
		if _, err := s.SeenBlind(ctx, now.Add(time.Minute), "b1"); err == nil {
			t.Error("seen without its alert")
		}
		if err := s.CloseBlind(ctx, "b1", now.Add(time.Minute), ward.BlindPicture{}, ""); err == nil {
			t.Error("closed without its alert")
		}
		old := young
		old.ID, old.CameraID, old.From = "b2", "c2", now.Add(-time.Hour)
		if err := s.OpenBlind(ctx, old); err == nil {
			t.Error("opened without its alert")
		}
		if got, err := s.BlindPeriod(ctx, "b1"); err != nil || got != was {
			t.Errorf("got %+v, %v, want %+v", got, err, was)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM blind_period`) + count(t, s, `SELECT COUNT(*) FROM alert`); n != 1 {
			t.Errorf("%d rows", n)
		}
		mustExec(ctx, t, s, `ALTER TABLE gone RENAME TO alert_event`)
		if _, err := s.SeenBlind(ctx, now.Add(time.Minute), "b1"); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s, `SELECT COUNT(*) FROM alert WHERE subject_kind = 'blind' AND subject_id = 'b1'`); n != 1 {
			t.Errorf("%d alerts", n)
		}
	})
}
