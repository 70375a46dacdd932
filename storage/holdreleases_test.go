package storage_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"

	"wardwatch/internal/testcase"
	"wardwatch/storage"
	"wardwatch/ward"
)

// Two people end what a case holds: then, and only where no other case holds
// it, the store lets go of it and retention deletes it. Every step is sealed,
// and who ends a hold past that is named.
func TestTwoPeopleReleaseWhatACaseHolds(t *testing.T) {
	testcase.Each(t, func(t *testing.T, w *testcase.World) {
		ctx := t.Context()
		w.Keep = 24 * time.Hour
		old := w.Start.AddDate(0, 0, -100)
		mine := w.Record(w.Camera, old, time.Minute, true)
		shared := w.Record(w.Camera, old.Add(time.Minute), time.Minute, true)
		sight(t, w, "s-mine", old.Add(time.Second))
		open := func(items ...ward.Segment) ward.Case {
			var all []ward.Evidence
			for _, g := range items {
				all = append(all, ward.Evidence{Kind: ward.EvidenceSegment, Ref: string(g.ID)})
			}
			c, err := w.Store.OpenCase(ctx, ward.Case{InstitutionID: "h1", Title: "x"}, all, w.By)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		c, other := open(mine, shared), open(shared)
		k := holdKeeper(t, w, w.Media.Objects, time.Now())
		if n := once(t, k); n != 3 { // the sighting's picture too
			t.Fatalf("placed %d", n)
		}
		gone := func(want storage.Swept) {
			t.Helper()
			if done, err := retention(w, w.Start).Once(ctx); err != nil || done != want {
				t.Errorf("retention: %+v, %v, want %+v", done, err, want)
			}
			if r := check(t, w); !r.OK() {
				t.Errorf("fsck: %+v", r.Problems)
			}
		}
		gone(storage.Swept{})

		second := ward.User{ID: "u-li", Role: ward.Inspector}
		wrong := func(what string, err error, code string) {
			t.Helper()
			if !errors.Is(err, &ward.Error{Code: code}) {
				t.Errorf("%s: %v, want %s", what, err, code)
			}
		}
		_, err := w.Store.RequestRelease(ctx, c.ID, " ", w.By)
		wrong("no reason", err, "release.reason")
		r, err := w.Store.RequestRelease(ctx, c.ID, "案件办结", w.By)
		if err != nil || r.Count != 2 {
			t.Fatal(r, err)
		}
		_, err = w.Store.RequestRelease(ctx, c.ID, "再次", second)
		wrong("twice", err, "release.open")
		_, err = w.Store.AnswerRelease(ctx, r.ID, w.By, true, "")
		wrong("by oneself", err, "release.same_person")
		gone(storage.Swept{})
		if r, err = w.Store.AnswerRelease(ctx, r.ID, second, false, "尚在申诉期"); err != nil || r.State != ward.ReleaseRefused {
			t.Fatal(r, err)
		}
		gone(storage.Swept{})
		if r, err = w.Store.RequestRelease(ctx, c.ID, "案件办结", w.By); err != nil {
			t.Fatal(err)
		}
		late := w.Record(w.Camera, old.Add(10*time.Minute), time.Minute, true)
		if _, err := w.Store.AddEvidence(ctx, c.ID, []ward.Evidence{{Kind: ward.EvidenceSegment, Ref: string(late.ID)}}, w.By); err != nil {
			t.Fatal(err)
		}
		if r, err = w.Store.AnswerRelease(ctx, r.ID, second, true, ""); err != nil || r.State != ward.ReleaseConfirmed {
			t.Fatal(r, err)
		}
		_, err = w.Store.AnswerRelease(ctx, r.ID, second, true, "")
		wrong("twice", err, "release.answered")
		// The store has not let go yet: what is past its retention waits for that.
		gone(storage.Swept{Kept: 2})
		if err := w.Media.Objects.Delete(ctx, shared.Key); !errors.Is(err, &ward.Error{Code: "objects.locked"}) {
			t.Errorf("another case's: %v", err)
		}
		if n, c := once(t, holdKeeper(t, w, w.Media.Objects, time.Now())), k.Count(); n != 4 { // two ended, one kept, one new
			t.Errorf("let go of and placed %d, %+v", n, c)
		}
		if h, err := w.Store.CaseHolds(ctx, c.ID); err != nil || len(h.Holds) != 3 || len(h.Releases) != 2 || h.Objects != (storage.HoldCount{Held: 1}) {
			t.Errorf("%+v, %v", h, err)
		}
		if h, err := w.Store.CaseHolds(ctx, other.ID); err != nil || len(h.Holds) != 1 || h.Objects != (storage.HoldCount{Held: 1}) {
			t.Errorf("another case: %+v, %v", h, err)
		}
		done, err := retention(w, w.Start.Add(7*time.Hour)).Once(ctx)
		if err != nil || done.Segments != 1 || done.Pictures != 1 {
			t.Errorf("retention: %+v, %v", done, err)
		}
		if _, err := w.Media.Objects.Stat(ctx, mine.Key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("released: %v", err)
		}
		for _, g := range []ward.Segment{shared, late} {
			if _, err := w.Media.Objects.Stat(ctx, g.Key); err != nil {
				t.Errorf("held: %v", err)
			}
		}
		if r := check(t, w); !r.OK() {
			t.Errorf("fsck: %+v", r.Problems)
		}
		_, err = w.Store.RequestRelease(ctx, "none", "x", w.By)
		wrong("no case", err, "case.unknown")

		// An insider.
		holds, err := w.Store.Held(ctx, w.Camera, late.Start, late.End)
		if err != nil || len(holds) != 1 {
			t.Fatal(holds, err)
		}
		id := string(holds[0].ID)
		w.Exec(`UPDATE hold SET release_id = 'made-up' WHERE id = $1`, id)
		if got := where(check(t, w)); !slices.Contains(got, "hold/"+id) {
			t.Errorf("a hold that nobody ended: %v", got)
		}
		for _, q := range []string{`UPDATE hold SET release_id = $2 WHERE id = $1`, `UPDATE hold_release SET answered_by = $1 WHERE id = $2`} {
			w.Exec(q, id, string(r.ID))
			if got := where(check(t, w)); !slices.Contains(got, "hold_release/"+string(r.ID)) {
				t.Errorf("%s: %v", q, got)
			}
		}
	})
}
