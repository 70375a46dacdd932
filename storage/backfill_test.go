package storage_test

import (
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestFillableGaps(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx := t.Context()
		add := func(id ward.GapID, from, seconds int, cause ward.Cause) {
			begin := t0.Add(time.Duration(from) * time.Minute)
			g := ward.Gap{ID: id, Source: cam1, InstitutionID: "h-1", From: begin, To: begin.Add(time.Duration(seconds) * time.Second), Cause: cause}
			if err := s.AddGap(ctx, g); err != nil {
				t.Fatal(err)
			}
		}
		add("old", 0, 60, ward.CauseUnreachable)
		add("later", 20, 60, ward.CauseStalled)
		add("first", 10, 60, ward.CauseCrash)
		add("short", 12, 1, ward.CauseUnreachable)
		add("wished", 13, 60, ward.CauseDisabled)
		add("damage", 14, 60, ward.CauseLoss)
		if _, err := s.OpenGap(ctx, ward.Gap{ID: "lasts", Source: cam1, InstitutionID: "h-1", From: t0.Add(30 * time.Minute), Cause: ward.CauseUnreachable}); err != nil {
			t.Fatal(err)
		}
		want := func(ids ...ward.GapID) []storage.Fillable {
			t.Helper()
			got, err := s.Fillable(ctx, cam1, "h-1", t0.Add(5*time.Minute), 2*time.Second)
			if err != nil || len(got) != len(ids) {
				t.Fatalf("got %+v, %v, want %v", got, err, ids)
			}
			for i, id := range ids {
				if got[i].ID != id {
					t.Errorf("got %s, want %s", got[i].ID, id)
				}
			}
			return got
		}
		want("first", "later")
		next := t0.Add(time.Hour)
		for tries := range 3 {
			if err := s.FillLater(ctx, "first", tries, next); err != nil {
				t.Fatal(err)
			}
		}
		if got := want("first", "later"); got[0].Tries != 2 || !got[0].Next.Equal(next) || got[1].Tries != 0 || !got[1].Next.IsZero() {
			t.Errorf("got %+v", got)
		}
		if err := s.FillDone(ctx, "first"); err != nil {
			t.Fatal(err)
		}
		want("later")
		if err := s.FillGivenUp(ctx, "later"); err != nil {
			t.Fatal(err)
		}
		want()
		// What a device gave is not what was recorded last.
		live, err := s.CommitSegment(ctx, segment(1))
		if err != nil {
			t.Fatal(err)
		}
		given := segment(0)
		given.Origin = ward.FromDevice
		if given, err = s.CommitSegment(ctx, given); err != nil || given.Origin != ward.FromDevice {
			t.Fatalf("got %+v, %v", given, err)
		}
		if last, err := s.LastSegment(ctx, cam1); err != nil || last.ID != live.ID {
			t.Errorf("got %s, %v, want %s", last.ID, err, live.ID)
		}
		if again, err := s.Segment(ctx, given.ID); err != nil || again.Origin != ward.FromDevice {
			t.Errorf("got %+v, %v", again, err)
		}
	})
}
