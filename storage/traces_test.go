package storage_test

import (
	"slices"
	"testing"
	"time"

	"wardwatch/internal/teststore"
	"wardwatch/storage"
	"wardwatch/ward"
)

func TestTracesAreKeptAndErased(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderBeds(t, s, now, "p1", "p2")
		for i, x := range v {
			must(t, s.KeepTrace(ctx, storage.VisitTrace{VisitID: x.ID, KeepUntil: now.AddDate(0, 0, i+1), Prints: []uint64{1, 1 << 63}, Moves: []byte{1, 2, 3, 0x80}}))
		}
		all, err := s.TracesAfter(ctx, 0, "", 10)
		if err != nil || len(all) != 2 || !slices.Equal(all[0].Prints, []uint64{1, 1 << 63}) || all[0].Who != v[0].Who() || all[0].Stored == 0 {
			t.Fatalf("%+v, %v", all, err)
		}
		if rest, err := s.TracesAfter(ctx, all[0].Stored, all[0].VisitID, 10); err != nil || len(rest) != 1 || rest[0].VisitID != all[1].VisitID {
			t.Errorf("after the first: %+v, %v", rest, err)
		}
		if m, err := s.TraceMoves(ctx, v[0].ID); err != nil || !slices.Equal(m, []byte{1, 2, 3, 0x80}) {
			t.Errorf("moves %v, %v", m, err)
		}
		f, err := s.FlagSeenBefore(ctx, v[1].ID, v[0].ID)
		if err != nil || f.Basis != ward.SamePictures || f.Failed().Outcome != ward.Fail {
			t.Errorf("%+v, %v", f, err)
		}
		must(t, s.EraseCompared(ctx, now.AddDate(0, 0, 1).Add(time.Second)))
		if m, err := s.TraceMoves(ctx, v[0].ID); err != nil || m != nil {
			t.Errorf("an erased trace: %v, %v", m, err)
		}
		if m, err := s.TraceMoves(ctx, v[1].ID); err != nil || len(m) != 4 {
			t.Errorf("the other one: %v, %v", m, err)
		}
		healthy(t, s)
	})
}

// A tape is kept for as long as a recording of its visit is.
func TestTapesAreKeptAsLongAsTheRecording(t *testing.T) {
	teststore.Each(t, func(t *testing.T, s *storage.Store) {
		ctx, now := t.Context(), time.Now()
		_, v := orderBeds(t, s, now, "p1", "p2", "p3")
		for i, x := range v {
			must(t, s.KeepTape(ctx, storage.VisitTape{VisitID: x.ID, KeepUntil: now.AddDate(0, 0, i+1), Body: []byte{byte(i), 0, 255}}))
		}
		if err := s.KeepTape(ctx, storage.VisitTape{VisitID: v[0].ID, KeepUntil: now, Body: []byte{9}}); err == nil {
			t.Error("a tape was replaced")
		}
		g := segment(1)
		g.Source, g.InstitutionID = ward.Source{Kind: ward.FromVisit, ID: string(v[1].ID)}, v[1].InstitutionID
		if _, err := s.CommitSegment(ctx, g); err != nil {
			t.Fatal(err)
		}
		must(t, s.EraseCompared(ctx, now.AddDate(0, 0, 2).Add(time.Second)))
		for i, want := range []int{0, 3, 3} { // its time is over; there is a recording; its time is not over
			if b, err := s.Tape(ctx, v[i].ID); err != nil || len(b) != want {
				t.Errorf("tape %d: %v, %v", i, b, err)
			}
		}
		if b, err := s.Tape(ctx, "nobody"); err != nil || b != nil {
			t.Errorf("of nobody: %v, %v", b, err)
		}
		healthy(t, s)
	})
}
